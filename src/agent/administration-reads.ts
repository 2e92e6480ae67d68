/**
 * What may be asked of any agent: how it stands, its runs, its dead letters, answers that are due
 * later. Like reads, these pass the mailbox by and see accepted history only.
 */
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import type { TimerEntry } from '../state/entries.ts';
import type { Effect, Run } from '../state/runs.ts';
import { waits } from '../state/runs.ts';
import { endedError } from './answer.ts';
import type { MailboxItem } from './item.ts';
import type { LiveAgent } from './live-agent.ts';
import type { RunInfo, RunStatus, RunStep } from './run-types.ts';

/** How an agent stands. */
export interface AgentStatus {
  readonly address: string;
  readonly consistency: string;
  readonly version: number;
  readonly epoch: number;
  readonly state: unknown;
  /** When its last record was made. */
  readonly at: number;
  readonly timers: readonly (TimerEntry & { readonly id: string })[];
  readonly waiting: number;
  readonly inbox: number;
  readonly outbox: number;
  readonly runs: number;
  readonly deadLetters: number;
}

/** A part of a stream. */
export interface ChunkSlice {
  readonly chunks: readonly unknown[];
  readonly isEnded: boolean;
}

/** What each administrative read takes. */
export interface AdministrativeReadInputs {
  readonly $status: undefined;
  readonly $runs: undefined;
  readonly $run: { readonly id: string };
  readonly $dead: undefined;
  readonly $future: { readonly key: string };
  readonly $chunks: { readonly runId: string; readonly from: number };
}

type ReadAct<K extends keyof AdministrativeReadInputs> = (
  agent: LiveAgent,
  item: MailboxItem,
  input: AdministrativeReadInputs[K],
) => void;

const acts: { readonly [K in keyof AdministrativeReadInputs]: ReadAct<K> } = {
  $status(agent, item) {
    give(agent, item, () => statusOf(agent));
  },
  $runs(agent, item) {
    give(agent, item, () =>
      [...(agent.image?.runs?.values() ?? [])].map(run => runInfo(agent, run)),
    );
  },
  $run(agent, item, { id }) {
    give(agent, item, () => {
      const run = agent.image?.runs?.get(id);
      return run === undefined ? undefined : runInfo(agent, run);
    });
  },
  $dead(agent, item) {
    give(agent, item, () => [...(agent.image?.dead?.values() ?? [])]);
  },
  $future(agent, item, { key }) {
    agent.awaitKey(key, item);
  },
  $chunks(agent, item, { runId, from }) {
    giveChunks(agent, item, runId, from);
  },
};

/** Whether an administrative action only reads. */
export function isAdministrativeRead(action: string): boolean {
  return Object.hasOwn(acts, action);
}

/** Answers an administrative read. */
export function administerRead(agent: LiveAgent, item: MailboxItem): void {
  const { action, input } = item.envelope;
  const act = acts[action as keyof AdministrativeReadInputs] as ReadAct<never> | undefined;
  if (act === undefined || (agent.image === undefined && action !== '$status')) {
    item.reject(
      new TroupeError('LEVEL_UNSUPPORTED', {
        detail: `${agent.address} has consistency "${agent.contract.consistency}", which has no runs, futures or dead letters`,
      }),
    );
    return;
  }
  act(agent, item, input as never);
}

function give(agent: LiveAgent, item: MailboxItem, value: () => unknown): void {
  const accepted = () =>
    item.resolve({ value: copyValue(value(), agent.address), ...agent.position });
  const failed = () => item.reject(endedError(agent.address));
  if (agent.committer === undefined) accepted();
  else agent.committer.whenAccepted({ accepted, failed });
}

function statusOf(agent: LiveAgent): AgentStatus {
  const { address, contract, image, position, acceptedState, host } = agent;
  return {
    address,
    consistency: contract.consistency,
    ...position,
    state: acceptedState,
    at: image?.at ?? 0,
    timers: [...(image?.timers ?? [])].map(([id, entry]) => ({ id, ...entry })),
    waiting: host.waitingAt(address),
    inbox: image?.inbox?.size ?? 0,
    outbox: image?.outbox?.size ?? 0,
    runs: [...(image?.runs?.values() ?? [])].filter(run => run.reply === undefined).length,
    deadLetters: image?.dead?.size ?? 0,
  };
}

function giveChunks(agent: LiveAgent, item: MailboxItem, runId: string, from: number): void {
  const run = agent.image?.runs?.get(runId);
  if (run === undefined) {
    item.reject(
      new TroupeError('EXPIRED', {
        detail: `${agent.address} no longer knows run ${runId}`,
        outcome: 'unknown',
      }),
    );
    return;
  }
  const offset = from - run.chunksDropped;
  if (offset < 0) {
    item.reject(
      new TroupeError('HISTORY_TRIMMED', {
        detail: `chunk ${from} of run ${runId} is no longer kept; the oldest is ${run.chunksDropped} (limits.chunksMax)`,
      }),
    );
    return;
  }
  if (run.chunks.length > offset || run.reply !== undefined) {
    give(agent, item, () => ({
      chunks: run.chunks.slice(offset),
      isEnded: run.reply !== undefined,
    }));
    return;
  }
  const stop = agent.tasks.streams.listen(runId, {
    changed: () => {
      stop();
      giveChunks(agent, item, runId, from);
    },
    closed: cause => item.reject(cause),
  });
}

/** A run as people see it. */
export function runInfo(agent: LiveAgent, run: Run): RunInfo {
  const { reply } = run;
  const error = reply?.[0] === 'error' ? reply[1] : agent.tasks.stuckBy(run.id)?.toValue();
  return {
    id: run.id,
    agent: agent.address,
    action: run.action,
    status: statusOfRun(run),
    startedAt: new Date(run.startedAt),
    ...(run.endedAt === undefined ? {} : { endedAt: new Date(run.endedAt) }),
    steps: [...run.effects].map(([identity, effect]) => stepInfo(identity, effect)),
    ...(reply?.[0] === 'ok' ? { value: reply[1] } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

function statusOfRun(run: Run): RunStatus {
  if (run.reply !== undefined) return statusOfEnded(run.reply);
  let status: RunStatus = 'running';
  for (const effect of run.effects.values()) {
    if (effect.status === 'asking') return 'asking';
    if (effect.status !== 'done') status = waits(effect) ? 'waiting' : status;
  }
  return status;
}

function statusOfEnded(reply: NonNullable<Run['reply']>): RunStatus {
  if (reply[0] === 'ok') return 'done';
  return reply[0] === 'error' && reply[1].code === 'CANCELLED' ? 'cancelled' : 'failed';
}

function stepInfo(identity: string, effect: Effect): RunStep {
  const { kind, name, status, attempts, outcome, dueAt } = effect;
  const key = keyOf(identity);
  const base = {
    kind,
    name,
    key,
    attempts,
    ...(dueAt === undefined ? {} : { dueAt: new Date(dueAt) }),
  };
  if (status === 'asking') return { ...base, status };
  if (status !== 'done') return { ...base, status: waits(effect) ? 'waiting' : 'running' };
  if (outcome?.[0] === 'error') return { ...base, status: 'failed', error: outcome[1] };
  return { ...base, status: 'done', value: outcome?.[1] };
}

/**
 * What tells an effect from others of its name: the key that was given, or which occurrence it is.
 */
export function keyOf(identity: string): string {
  const keyed = /"(.*)"$/s.exec(identity);
  if (keyed?.[1] !== undefined) return keyed[1];
  return identity.slice(identity.lastIndexOf('#') + 1);
}
