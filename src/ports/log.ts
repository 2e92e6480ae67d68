/**
 * The append-only histories of agents, as a port. A log has a name (an agent's address), holds
 * records in order, and accepts an append only on the tail that the writer expects: this
 * compare-and-append is what fences writers, on every engine.
 */
import type { TroupeError } from '../core/errors.ts';

/** The engine's private place of a record in its log: rising, with gaps. 0 is before the first. */
export type Seq = number;

/** A record to append. */
export interface NewRecord {
  readonly bytes: Uint8Array;
  /** Whether reading may start here: the record holds all that is needed to go on. */
  readonly isSnapshot?: boolean | undefined;
}

/** A record that was accepted. */
export interface StoredRecord {
  readonly seq: Seq;
  readonly bytes: Uint8Array;
  readonly isSnapshot: boolean;
}

/**
 * What became of an append. `unavailable` says that surely nothing was stored, now or later;
 * `unknown` that it may have been, or may still be. All records of an append are stored, or none.
 */
export type AppendResult =
  | { readonly status: 'accepted'; readonly seq: Seq }
  | { readonly status: 'conflict' }
  | { readonly status: 'unavailable'; readonly cause: TroupeError }
  | { readonly status: 'unknown'; readonly cause: TroupeError };

/** What an append says beside its records. */
export interface AppendOptions {
  /**
   * When the agent next has work of its own: a wall-clock time, 0 for at once, `Infinity` for none.
   * Kept with the log, committed with the records; unchanged when left out.
   */
  readonly wakeAt?: number | undefined;
}

/** A part of a log. */
export interface LogSlice {
  readonly records: readonly StoredRecord[];
  /** The place of the last record of the log, or 0 when it is empty. */
  readonly tail: Seq;
  /** Whether `records` reaches the tail. */
  readonly isComplete: boolean;
  /** Whether records may exist that this answer does not show. Never on linearizable engines. */
  readonly isStale: boolean;
}

/** Which part of a log to read. */
export interface ReadOptions {
  /** Read what lies behind this place; 0 for the oldest record kept. */
  readonly after: Seq;
  /** At most so many records (default 1,000). An answer may hold fewer and yet not be complete. */
  readonly recordsMax?: number | undefined;
}

/** What an engine knows of a log without reading it. */
export interface LogHead {
  readonly name: string;
  readonly tail: Seq;
  readonly wakeAt: number;
}

/** Which logs to list. Names are listed in no particular order, but the same one each time. */
export interface HeadsOptions {
  /** Only names that begin so. */
  readonly prefix?: string | undefined;
  /** Only logs with work that is due at this time or before. */
  readonly dueAt?: number | undefined;
  /** At most so many (default 1,000). */
  readonly limit?: number | undefined;
  /** Go on behind this answer's `cursor`. */
  readonly cursor?: string | undefined;
}

/** A page of {@link Log.heads}. */
export interface Heads {
  readonly heads: readonly LogHead[];
  /** Present when there may be more. */
  readonly cursor?: string | undefined;
}

/** Where engines differ. */
export interface LogCapabilities {
  /** Whether a read shows every append that was acknowledged before it began. */
  readonly hasLinearizableReads: boolean;
  /** Whether an accepted append survives the loss of power. */
  readonly isFlushed: boolean;
  /** The largest record, in bytes; a larger one is refused with `PAYLOAD_TOO_LARGE`. */
  readonly recordBytesMax: number;
}

/**
 * Append-only histories with compare-and-append.
 *
 * @remarks All methods may be called concurrently. Appends to one log that are issued without
 * waiting are decided in the order of issue. A damaged log answers reads and appends with
 * `LOG_CORRUPT` (thrown), other logs go on.
 */
export interface Log {
  readonly capabilities: LogCapabilities;
  /**
   * Appends `records` (at least one) atomically behind `expected`, the place of the last record.
   *
   * @throws `PAYLOAD_TOO_LARGE`, `LOG_CORRUPT`, `NOT_STARTED` (closed); nothing was stored then.
   */
  append(
    name: string,
    expected: Seq,
    records: readonly NewRecord[],
    options?: AppendOptions,
  ): Promise<AppendResult>;
  /** Reads from a place, oldest first. What was trimmed is left out. */
  read(name: string, options: ReadOptions): Promise<LogSlice>;
  /** The newest snapshot, if any, and all behind it (else all there is), oldest first. */
  readLatest(name: string): Promise<LogSlice>;
  /**
   * Lets go of all records before `before`. Space is won back later, in the background.
   *
   * @throws `INVALID_INPUT` when `before` lies behind the newest snapshot (or there is none).
   */
  trim(name: string, before: Seq): Promise<void>;
  /** Lists logs. A log is listed from its first accepted append on. */
  heads(options: HeadsOptions): Promise<Heads>;
  /** Calls back, once, when the engine failed for good: no append will be accepted any more. */
  onFailure(listener: (error: TroupeError) => void): void;
  /** Waits for appends in flight, then lets go of all resources. Idempotent. */
  close(): Promise<void>;
}
