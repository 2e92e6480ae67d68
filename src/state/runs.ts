/**
 * Runs: the durable side of tasks. A run is a task that was started; its effects are kept by
 * identity, so that a resumed run finds what it did already. Pure: the fold over records only.
 */
import type { ErrorValue } from '../core/errors.ts';
import type { StoredReply } from './entries.ts';

/** What kind of effect of a task an {@link Effect} is. */
export type EffectKind = 'step' | 'update' | 'send' | 'waitFor' | 'sleep' | 'call';

/** A named effect of a task: announced, asked about, or done. */
export interface Effect {
  readonly kind: EffectKind;
  /** Its name for people: a step's name, a signal's, or the target of a send or call. */
  readonly name: string;
  /** Hash of what it was declared with; another one in the same place is `STEP_MISMATCH`. */
  readonly fingerprint: string;
  /** `asking` when a person has to say what became of it. */
  readonly status: 'intent' | 'asking' | 'done';
  /** Present when done. */
  readonly outcome?: readonly ['ok', unknown] | readonly ['error', ErrorValue] | undefined;
  /** When a wait or sleep ends by itself, in wall-clock milliseconds. */
  readonly dueAt?: number | undefined;
  /** The incarnation of the process that announced it. */
  readonly by?: string | undefined;
  /** How often it was begun. */
  readonly attempts: number;
  /** When it was done, in wall-clock milliseconds: what the task then takes for now. */
  readonly at?: number | undefined;
}

/** How a run begins. */
export interface RunStart {
  readonly id: string;
  readonly action: string;
  readonly input: unknown;
  /** The state that the task sees, at `version`. */
  readonly state: unknown;
  readonly version: number;
  readonly startedAt: number;
  readonly timeoutAt?: number | undefined;
  readonly caller?: string | undefined;
  readonly correlationId: string;
}

/** A run as it is now. */
export interface Run extends RunStart {
  readonly effects: Map<string, Effect>;
  readonly chunks: unknown[];
  /** How many of the oldest chunks are no longer kept. */
  chunksDropped: number;
  /** Present when it has ended. */
  reply?: StoredReply | undefined;
  endedAt?: number | undefined;
}

/** Begins a run. */
export function beginRun(start: RunStart): Run {
  return { ...start, effects: new Map(), chunks: [], chunksDropped: 0 };
}

/** So many of the last effects of an ended run stay visible to people. */
const outlineMax = 50;

/** Ends a run: what was only needed to go on is let go of; what was done stays visible. */
export function endRun(run: Run, reply: StoredReply, at: number): Run {
  const { id, action, version, startedAt, caller, correlationId, chunks, chunksDropped } = run;
  return {
    id,
    action,
    input: undefined,
    state: undefined,
    version,
    startedAt,
    caller,
    correlationId,
    effects: outlineOf(run.effects),
    chunks,
    chunksDropped,
    reply,
    endedAt: at,
  };
}

/** The last effects that were done, without their values and inputs. */
function outlineOf(effects: ReadonlyMap<string, Effect>): Map<string, Effect> {
  const done = [...effects].filter(([, { status }]) => status === 'done').slice(-outlineMax);
  return new Map(
    done.map(([identity, { kind, name, status, attempts, outcome, at }]) => {
      const kept = outcome?.[0] === 'error' ? outcome : undefined;
      return [identity, { kind, name, fingerprint: '', status, attempts, outcome: kept, at }];
    }),
  );
}

/** The earliest time at which something in the run happens by itself. */
export function runDueAt(run: Run): number {
  if (run.reply !== undefined) return Number.POSITIVE_INFINITY;
  let dueAt = run.timeoutAt ?? Number.POSITIVE_INFINITY;
  let isWaiting = false;
  for (const effect of run.effects.values()) {
    if (effect.status === 'done') continue;
    if (!waits(effect)) return 0;
    isWaiting = true;
    if (effect.dueAt !== undefined && effect.dueAt < dueAt) dueAt = effect.dueAt;
  }
  return isWaiting ? dueAt : 0;
}

/** Whether an effect is a wait: for a signal, for time, or for a person. */
export function waits(effect: Effect): boolean {
  return effect.kind === 'waitFor' || effect.kind === 'sleep' || effect.status === 'asking';
}
