/**
 * What may be done to any agent: signals, ends of runs, deletion, dead letters. Each is a message
 * of its own with an action that begins with `$`, so that it is delivered, ordered, recorded and
 * answered like every other.
 */
import type { Envelope } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import type { LiveAgent, RecordedAct, StepAnswer } from './live-agent.ts';
import { copyPayload } from './payload.ts';
import { rebuild } from './rebuild.ts';
import { parseWith } from './schema.ts';
import { suggestionFor } from './suggest.ts';
import { addFollowUp, addOp, addSending, type TurnContext } from './turn-context.ts';

/** What each administrative action takes. */
export interface AdministrativeInputs {
  readonly $signal: {
    readonly name: string;
    readonly data: unknown;
    readonly runId?: string | undefined;
  };
  readonly $cancel: { readonly runId: string; readonly reason: string };
  readonly $resolve: StepAnswer;
  /** Ends a request that is not yet done: its run, or the message itself. */
  readonly $cancelKey: {
    readonly key: string;
    readonly fingerprint: string;
    readonly reason: string;
  };
  readonly $delete: undefined;
  readonly $rebuild: undefined;
  readonly $retryDead: { readonly id: string };
  readonly $dropDead: { readonly id: string };
}

/** The name of an administrative action. */
export type AdministrativeAction = keyof AdministrativeInputs;

/** Does what an administrative message asks. */
export function administer(agent: LiveAgent, turn: TurnContext, envelope: Envelope): unknown {
  if (agent.image === undefined) {
    throw new TroupeError('LEVEL_UNSUPPORTED', {
      detail: `${agent.address} has consistency "none", which has no signals, runs or dead letters`,
      outcome: 'rolled-back',
    });
  }
  const act = acts[envelope.action as AdministrativeAction] as Act | undefined;
  if (act !== undefined) return act(agent, turn, envelope.input, envelope);
  throw new TroupeError('ACTION_NOT_DEFINED', {
    detail: `there is no administrative action ${envelope.action}`,
  });
}

type Act = (agent: LiveAgent, turn: TurnContext, input: unknown, envelope: Envelope) => unknown;

const acts: {
  readonly [K in AdministrativeAction]: (
    agent: LiveAgent,
    turn: TurnContext,
    input: AdministrativeInputs[K],
    envelope: Envelope,
  ) => unknown;
} = {
  $signal(agent, turn, { name, data, runId }, envelope) {
    const { contract } = agent;
    const schema = Object.hasOwn(contract.signals, name) ? contract.signals[name] : undefined;
    if (schema === undefined) {
      throw new TroupeError('ACTION_NOT_DEFINED', {
        detail: `${contract.type} has no signal "${name}"; it has ${Object.keys(contract.signals).join(', ') || 'none'}${suggestionFor(name, Object.keys(contract.signals))}`,
      });
    }
    const place = `${contract.type} signal ${name}`;
    const parsed = copyPayload(parseWith(schema, data, place, 'INVALID_INPUT'), contract, place);
    const entry = {
      id: envelope.id,
      name,
      data: parsed,
      ...(runId === undefined ? {} : { runId }),
    };
    follow(turn, agent.tasks.signal(entry));
  },
  $cancel(agent, turn, { runId, reason }) {
    const act = agent.tasks.cancel(runId, reason);
    follow(turn, act);
    return act.ops.length > 0;
  },
  $cancelKey(agent, turn, { key, fingerprint, reason }) {
    const known = agent.image?.keys?.get(key);
    const reply = known?.reply;
    if (reply?.[0] === 'run') follow(turn, agent.tasks.cancel(reply[1], reason));
    else if (reply === undefined || reply === null) {
      cancelMessage(agent, turn, { key, fingerprint: known?.fingerprint ?? fingerprint, reason });
    }
  },
  $resolve(agent, turn, asked) {
    follow(turn, agent.tasks.resolve(asked));
  },
  $delete(agent, turn) {
    follow(turn, agent.tasks.delete());
    addFollowUp(turn, () => agent.deleted());
  },
  $rebuild(agent) {
    return rebuild(agent);
  },
  $retryDead(agent, turn, { id }) {
    const letter = agent.image?.dead?.get(id);
    if (letter === undefined) throw noLetter(agent, id);
    const { type, key, action, input } = letter;
    const messageId = agent.host.nextId();
    addOp(turn, ['undead', id]);
    addSending(turn, {
      id: messageId,
      type,
      key,
      action,
      input,
      guarantee: 'exactly_once',
      priority: 'normal',
    });
    return messageId;
  },
  $dropDead(agent, turn, { id }) {
    if (agent.image?.dead?.get(id) === undefined) throw noLetter(agent, id);
    addOp(turn, ['undead', id]);
  },
};

/** Answers a key before its message was handled, and takes the message out of the inbox. */
function cancelMessage(
  agent: LiveAgent,
  turn: TurnContext,
  { key, fingerprint, reason }: AdministrativeInputs['$cancelKey'],
): void {
  if (fingerprint === '') {
    throw new TroupeError('EXPIRED', {
      detail: `${agent.address} knows no request ${key}, or no longer`,
    });
  }
  const error = new TroupeError('CANCELLED', { detail: `the request was cancelled: ${reason}` });
  const answered = ['error', error.toValue(), agent.image?.version ?? 0] as const;
  addOp(turn, ['key', key, fingerprint, answered]);
  for (const entry of agent.image?.inbox?.values() ?? []) {
    if (entry.idempotencyKey === key) addOp(turn, ['uninbox', entry.id]);
  }
  addFollowUp(turn, () => agent.answerKey(key, answered));
}

function follow(turn: TurnContext, act: RecordedAct): void {
  for (const op of act.ops) addOp(turn, op);
  addFollowUp(turn, () => act.delivered());
}

function noLetter(agent: LiveAgent, id: string): TroupeError {
  return new TroupeError('INVALID_INPUT', {
    detail: `${agent.address} has no dead letter ${id}`,
  });
}
