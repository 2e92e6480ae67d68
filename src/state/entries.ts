/**
 * What lies in an agent's durable image, entry by entry: promises, answers, timers, signals, and
 * how long they are kept. Types only; records carry them, the fold stores them.
 */
import type { Priority, TraceContext } from '../core/envelope.ts';
import type { ErrorValue } from '../core/errors.ts';

/**
 * An answer as it is kept for a message that comes again: a value or an error with the version of
 * its turn, or the run that will answer.
 */
export type StoredReply =
  | readonly ['ok', value: unknown, version: number]
  | readonly ['error', error: ErrorValue, version: number]
  | readonly ['run', runId: string];

/** A message that the agent has promised to deliver. */
export interface OutboxEntry {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly action: string;
  readonly input: unknown;
  readonly priority: Priority;
  readonly number: number;
  /** The lineage that the number belongs to; absent while it is still the agent's own. */
  readonly lineage?: string | undefined;
  readonly at: number;
  /** When it is given up, if before the end of the result window. */
  readonly until?: number | undefined;
  readonly correlationId: string;
  readonly trace?: TraceContext | undefined;
}

/** A message that the agent has promised to handle. */
export interface InboxEntry {
  readonly id: string;
  readonly action: string;
  readonly input: unknown;
  readonly priority: Priority;
  readonly sender: string;
  readonly number: number;
  readonly idempotencyKey?: string | undefined;
  readonly at: number;
  readonly caller?: string | undefined;
  readonly correlationId: string;
  readonly trace?: TraceContext | undefined;
}

/** A durable timer. */
export interface TimerEntry {
  readonly action: string;
  readonly input: unknown;
  /** Wall-clock milliseconds; never fires before. */
  readonly dueAt: number;
  /** Present when it repeats. */
  readonly schedule?: string | number | undefined;
  readonly timeZone?: string | undefined;
  readonly missed?: 'skip' | 'once' | 'all' | undefined;
}

/** A message that was given up. */
export interface DeadLetter {
  readonly id: string;
  /** The agent that should have handled it: this one, or the target of one of its sends. */
  readonly type: string;
  readonly key: string;
  readonly action: string;
  readonly input: unknown;
  readonly error: ErrorValue;
  readonly attempts: number;
  readonly at: number;
  readonly caller?: string | undefined;
  readonly correlationId: string;
}

/** A signal that no run waited for yet. */
export interface SignalEntry {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  /** Only for this run; otherwise for the first that waits. */
  readonly runId?: string | undefined;
}

/** The times for which an image keeps what it must not forget at once. */
export interface Retention {
  /** For streams of callers outside, after their last message. */
  readonly dedupWindowMs: number;
  /** W: for keys, futures, ended runs, and streams of agents. */
  readonly resultWindowMs: number;
}
