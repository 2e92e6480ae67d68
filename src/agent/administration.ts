/**
 * What may be done to any agent: signals, ends of runs, deletion, dead letters. Each is a message
 * of its own with an action that begins with `$`, so that it is delivered, ordered, recorded and
 * answered like every other.
 */
import type { Envelope } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import type { Op } from '../state/record.ts';
import type { Activation } from './activation.ts';
import { parseWith } from './schema.ts';
import { suggestionFor } from './suggest.ts';
import type { StepAnswer } from './tasks.ts';
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
  readonly $retryDead: { readonly id: string };
  readonly $dropDead: { readonly id: string };
}

/** The name of an administrative action. */
export type AdministrativeAction = keyof AdministrativeInputs;

/** Whether an action is administrative. */
export function isAdministrative(action: string): boolean {
  return action.charCodeAt(0) === 36;
}

/** Does what an administrative message asks. */
export function administer(activation: Activation, turn: TurnContext, envelope: Envelope): unknown {
  if (activation.image === undefined) {
    throw new TroupeError('LEVEL_UNSUPPORTED', {
      detail: `${activation.address} has consistency "none", which has no signals, runs or dead letters`,
      outcome: 'rolled-back',
    });
  }
  const act = acts[envelope.action as AdministrativeAction] as Act | undefined;
  if (act !== undefined) return act(activation, turn, envelope.input, envelope);
  throw new TroupeError('ACTION_NOT_DEFINED', {
    detail: `there is no administrative action ${envelope.action}`,
  });
}

type Act = (
  activation: Activation,
  turn: TurnContext,
  input: unknown,
  envelope: Envelope,
) => unknown;

const acts: {
  readonly [K in AdministrativeAction]: (
    activation: Activation,
    turn: TurnContext,
    input: AdministrativeInputs[K],
    envelope: Envelope,
  ) => unknown;
} = {
  $signal(activation, turn, { name, data, runId }, envelope) {
    const { contract } = activation;
    const schema = Object.hasOwn(contract.signals, name) ? contract.signals[name] : undefined;
    if (schema === undefined) {
      throw new TroupeError('ACTION_NOT_DEFINED', {
        detail: `${contract.type} has no signal "${name}"${suggestionFor(name, Object.keys(contract.signals))}`,
      });
    }
    const place = `${contract.type} signal ${name}`;
    const parsed = copyValue(parseWith(schema, data, place, 'INVALID_INPUT'), place);
    const entry = {
      id: envelope.id,
      name,
      data: parsed,
      ...(runId === undefined ? {} : { runId }),
    };
    follow(turn, activation.tasks.signalOps(entry));
  },
  $cancel(activation, turn, { runId, reason }) {
    const ops = activation.tasks.cancel(runId, reason);
    follow(turn, { ops, delivered: () => activation.tasks.finish(ops) });
    return ops.length > 0;
  },
  $cancelKey(activation, turn, { key, fingerprint, reason }) {
    const { image } = activation;
    const reply = image?.keys?.get(key)?.reply;
    if (reply?.[0] === 'run') {
      const ops = activation.tasks.cancel(reply[1], reason);
      follow(turn, { ops, delivered: () => activation.tasks.finish(ops) });
    } else if (reply === undefined || reply === null) {
      const error = new TroupeError('CANCELLED', {
        detail: `the request was cancelled: ${reason}`,
      });
      const answered = ['error', error.toValue(), image?.version ?? 0] as const;
      addOp(turn, ['key', key, fingerprint, answered]);
      for (const entry of image?.inbox?.values() ?? [])
        if (entry.idempotencyKey === key) addOp(turn, ['uninbox', entry.id]);
      addFollowUp(turn, () => activation.answerKey(key, answered));
    }
  },
  $resolve(activation, turn, asked) {
    follow(turn, activation.tasks.resolve(asked));
  },
  $delete(activation, turn) {
    follow(turn, {
      ops: [['delete']],
      delivered: () => {
        activation.tasks.deleted();
        activation.deleted();
      },
    });
  },
  $retryDead(activation, turn, { id }) {
    const letter = activation.image?.dead?.get(id);
    if (letter === undefined) throw noLetter(activation, id);
    const { type, key, action, input } = letter;
    const messageId = activation.host.nextId();
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
  $dropDead(activation, turn, { id }) {
    if (activation.image?.dead?.get(id) === undefined) throw noLetter(activation, id);
    addOp(turn, ['undead', id]);
  },
};

function follow(
  turn: TurnContext,
  act: { readonly ops: readonly Op[]; readonly delivered: () => void },
): void {
  for (const op of act.ops) addOp(turn, op);
  addFollowUp(turn, act.delivered);
}

function noLetter(activation: Activation, id: string): TroupeError {
  return new TroupeError('INVALID_INPUT', {
    detail: `${activation.address} has no dead letter ${id}`,
  });
}
