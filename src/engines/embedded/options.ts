/** What a store is opened with, and every limit of the engine with its default, in one place. */
import { TroupeError } from '../../core/errors.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Random } from '../../ports/random.ts';

/** How far an operation had come when a fault point was passed. */
export type FaultBoundary = 'before-durable' | 'ambiguous' | 'after-durable' | 'read-only';

/** Called at named points; a simulator crashes the process there by never returning. */
export type FaultPointHook = (name: string, boundary: FaultBoundary) => void | Promise<void>;

/** The limits of a store. */
export interface StoreLimits {
  /** A segment is closed when it would grow beyond this (default 64 MiB). */
  readonly segmentBytes: number;
  /** The most that one commit carries, if a single append is not larger (default 4 MiB). */
  readonly batchBytesMax: number;
  /** The largest record (default 8 MiB). */
  readonly recordBytesMax: number;
  /** The largest append, all records together (default 32 MiB). */
  readonly appendBytesMax: number;
  /** The appends that may wait (default 65,536); more are `unavailable` with `OVERLOADED`. */
  readonly queueLengthMax: number;
  /** The bytes that may wait (default 256 MiB). */
  readonly queueBytesMax: number;
  /**
   * The most that one answer to a read carries (default 16 MiB), if a single record is not larger.
   */
  readonly sliceBytesMax: number;
  /** A checkpoint is due after at least so many bytes of log (default 32 MiB). */
  readonly checkpointBytesMin: number;
  /**
   * Zeros are written so many bytes ahead of small commits (default 1 MiB, 0 for none), because a
   * flush that need not make a new length durable is a quarter faster.
   */
  readonly reserveBytes: number;
  /** Compaction rewrites a segment when this share of it is dead (default 0.5). */
  readonly compactAtDeadShare: number;
}

/** The defaults of {@link StoreLimits}. */
export const storeLimits: StoreLimits = {
  segmentBytes: 64 << 20,
  batchBytesMax: 4 << 20,
  recordBytesMax: 8 << 20,
  appendBytesMax: 32 << 20,
  queueLengthMax: 65_536,
  queueBytesMax: 256 << 20,
  sliceBytesMax: 16 << 20,
  checkpointBytesMin: 32 << 20,
  reserveBytes: 1 << 20,
  compactAtDeadShare: 0.5,
};

/** What a store is opened with. */
export interface StoreOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly limits?: Partial<StoreLimits> | undefined;
  /** The number of shards of a store that is created now (default 256). */
  readonly shardCount?: number | undefined;
  readonly onFaultPoint?: FaultPointHook | undefined;
  /**
   * Lets other work run, between the steps of background work and of long scans. A storage worker
   * with blocking disk calls passes one; elsewhere the disk calls themselves do it.
   */
  readonly breathe?: (() => Promise<void>) | undefined;
  /**
   * Opens although records are unreadable and nobody can tell whose they were: an operator's
   * consent to their loss. The losses are listed in the recovery report.
   */
  readonly acceptLoss?: boolean | undefined;
}

/** Options with everything filled in. */
export interface StoreContext {
  readonly disk: Disk;
  readonly random: Random;
  readonly limits: StoreLimits;
  readonly shardCount: number;
  readonly acceptLoss: boolean;
  readonly faultPoint: FaultPointHook;
  readonly breathe: () => Promise<void>;
}

/** The default number of shards. */
export const shardCountDefault = 256;

/**
 * Fills in the defaults.
 *
 * @throws `CONFIG_INVALID` when a limit is not a positive number.
 */
export function contextOf(options: StoreOptions): StoreContext {
  const limits = { ...storeLimits, ...options.limits };
  for (const [name, value] of Object.entries(limits)) {
    const min = name === 'reserveBytes' ? 0 : Number.MIN_VALUE;
    if (typeof value === 'number' && value >= min) continue;
    throw new TroupeError('CONFIG_INVALID', { detail: `${name} must be a positive number` });
  }
  const { disk, random } = options;
  return {
    disk,
    random,
    limits,
    shardCount: options.shardCount ?? shardCountDefault,
    acceptLoss: options.acceptLoss ?? false,
    faultPoint: options.onFaultPoint ?? (() => undefined),
    breathe: options.breathe ?? (async () => undefined),
  };
}
