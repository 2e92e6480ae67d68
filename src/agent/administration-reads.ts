/**
 * What may be asked of any agent: how it stands, its runs, its dead letters, answers that are due
 * later. Like reads, these pass the mailbox by and see accepted history only.
 */
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import type { TimerEntry } from '../state/record.ts';
import type { Effect, Run } from '../state/runs.ts';
import { waits } from '../state/runs.ts';
import type { Activation } from './activation.ts';
import type { MailboxItem } from './item.ts';
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

/** Dead letters as they are stored, with the agent that keeps them. */
export type AgentDeadLetter = NonNullable<Activation['image']>['dead'] extends
  | Map<string, infer L>
  | undefined
  ? L
  : never;

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
  activation: Activation,
  item: MailboxItem,
  input: AdministrativeReadInputs[K],
) => void;

const acts: { readonly [K in keyof AdministrativeReadInputs]: ReadAct<K> } = {
  $status(activation, item) {
    give(activation, item, () => statusOf(activation));
  },
  $runs(activation, item) {
    give(activation, item, () =>
      [...(activation.image?.runs?.values() ?? [])].map(run => runInfo(activation, run)),
    );
  },
  $run(activation, item, { id }) {
    give(activation, item, () => {
      const run = activation.image?.runs?.get(id);
      return run === undefined ? undefined : runInfo(activation, run);
    });
  },
  $dead(activation, item) {
    give(activation, item, () => [...(activation.image?.dead?.values() ?? [])]);
  },
  $future(activation, item, { key }) {
    activation.awaitKey(key, item);
  },
  $chunks(activation, item, { runId, from }) {
    giveChunks(activation, item, runId, from);
  },
};

/** Whether an administrative action only reads. */
export function isAdministrativeRead(action: string): boolean {
  return Object.hasOwn(acts, action);
}

/** Answers an administrative read. */
export function administerRead(activation: Activation, item: MailboxItem): void {
  const { action, input } = item.envelope;
  const act = acts[action as keyof AdministrativeReadInputs] as ReadAct<never> | undefined;
  if (act === undefined || (activation.image === undefined && action !== '$status')) {
    item.reject(
      new TroupeError('LEVEL_UNSUPPORTED', {
        detail: `${activation.address} has consistency "${activation.contract.consistency}", which has no runs, futures or dead letters`,
      }),
    );
    return;
  }
  act(activation, item, input as never);
}

function give(activation: Activation, item: MailboxItem, value: () => unknown): void {
  const accepted = () =>
    item.resolve({ value: copyValue(value(), activation.address), ...activation.position });
  const failed = (cause: TroupeError) => item.reject(cause);
  if (activation.committer === undefined) accepted();
  else activation.committer.whenAccepted({ accepted, failed });
}

function statusOf(activation: Activation): AgentStatus {
  const { address, contract, image, position, acceptedState, host } = activation;
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

function giveChunks(activation: Activation, item: MailboxItem, runId: string, from: number): void {
  const run = activation.image?.runs?.get(runId);
  if (run === undefined) {
    item.reject(
      new TroupeError('EXPIRED', {
        detail: `${activation.address} no longer knows run ${runId}`,
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
    give(activation, item, () => ({
      chunks: run.chunks.slice(offset),
      isEnded: run.reply !== undefined,
    }));
    return;
  }
  const stop = activation.tasks.streams.listen(runId, {
    changed: () => {
      stop();
      giveChunks(activation, item, runId, from);
    },
    closed: cause => item.reject(cause),
  });
}

/** A run as people see it. */
export function runInfo(activation: Activation, run: Run): RunInfo {
  const { reply } = run;
  return {
    id: run.id,
    agent: activation.address,
    action: run.action,
    status: statusOfRun(run),
    startedAt: new Date(run.startedAt),
    ...(run.endedAt === undefined ? {} : { endedAt: new Date(run.endedAt) }),
    steps: [...run.effects].map(([identity, effect]) => stepInfo(identity, effect)),
    ...(reply?.[0] === 'ok' ? { value: reply[1] } : {}),
    ...(reply?.[0] === 'error' ? { error: reply[1] } : {}),
  };
}

function statusOfRun(run: Run): RunStatus {
  const { reply } = run;
  if (reply !== undefined) {
    if (reply[0] === 'ok') return 'done';
    return reply[0] === 'error' && reply[1].code === 'CANCELLED' ? 'cancelled' : 'failed';
  }
  let status: RunStatus = 'running';
  for (const effect of run.effects.values()) {
    if (effect.status === 'asking') return 'asking';
    if (effect.status !== 'done') status = waits(effect) ? 'waiting' : status;
  }
  return status;
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
