/**
 * The Log port over a store in this thread: for the simulator, for tests, and inside the worker.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Disk } from '../../ports/disk.ts';
import type {
  AppendOptions,
  AppendResult,
  Heads,
  HeadsOptions,
  Log,
  LogCapabilities,
  LogSlice,
  NewRecord,
  ReadOptions,
  Seq,
  StoredRecord,
} from '../../ports/log.ts';
import type { CopyReport } from './backup.ts';
import { type StoreOptions, storeLimits } from './options.ts';
import type { RecoveryReport } from './recovery.ts';
import type { LogSurvey } from './salvage.ts';
import { SegmentStore } from './store.ts';

/** A Log on a local disk, with what only this engine has to say. */
export interface EmbeddedLog extends Log, AsyncDisposable {
  /** Raised by one at each opening of the directory. */
  readonly epoch: number;
  /** The number of shards, fixed when the directory was made. */
  readonly shardCount: number;
  /** The history that this store belongs to; a restore begins a new one. */
  readonly lineage: string;
  /** What opening found and did. */
  readonly recovery: RecoveryReport;
  /** Looks at a log: what can be read of it, and what a repair would do. */
  survey(name: string): Promise<LogSurvey>;
  /** The records of a damaged log that can be read, oldest first. */
  exportReadable(name: string): Promise<readonly StoredRecord[]>;
  /** Makes a damaged log whole, with the loss that {@link EmbeddedLog.survey} tells. */
  repair(name: string): Promise<LogSurvey>;
  /**
   * Copies the store, as it is at one moment, into an empty directory while appends go on.
   *
   * @throws `CONFIG_INVALID` when the directory is not empty; `DISK_FULL`.
   */
  backUp(directory: string): Promise<CopyReport>;
}

/** How {@link openEmbeddedLog} opens. */
export interface EmbeddedLogOptions extends StoreOptions {
  /** The disk of another directory, for backups. */
  readonly diskOf?: ((directory: string) => Disk) | undefined;
}

/**
 * Opens the log on a disk, in this thread.
 *
 * @throws `DATA_LOCKED`, `ENGINE_UNSUPPORTED`, `LOG_CORRUPT`, `LOG_REGRESSED`, `CONFIG_INVALID`,
 * `DISK_FULL`.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const store = await SegmentStore.open(options);
  const recordBytesMax = options.limits?.recordBytesMax ?? storeLimits.recordBytesMax;
  return new StoreLog(store, recordBytesMax, options.diskOf);
}

const encoder = new TextEncoder();

class StoreLog implements EmbeddedLog {
  readonly capabilities: LogCapabilities;
  readonly epoch: number;
  readonly shardCount: number;
  readonly lineage: string;
  readonly recovery: RecoveryReport;
  readonly #store: SegmentStore;
  readonly #diskOf: ((directory: string) => Disk) | undefined;

  constructor(
    store: SegmentStore,
    recordBytesMax: number,
    diskOf: ((directory: string) => Disk) | undefined,
  ) {
    this.#store = store;
    this.#diskOf = diskOf;
    this.capabilities = { hasLinearizableReads: true, isFlushed: true, recordBytesMax };
    this.epoch = store.meta.epoch;
    this.shardCount = store.meta.shardCount;
    this.lineage = store.meta.lineage;
    this.recovery = store.recovery;
  }

  append(
    name: string,
    expected: Seq,
    records: readonly NewRecord[],
    { wakeAt }: AppendOptions = {},
  ): Promise<AppendResult> {
    // The caller may change its bytes once this returns; they are written a moment later.
    const owned = records.map(({ bytes, isSnapshot }) => ({
      isSnapshot,
      bytes: Uint8Array.from(bytes),
    }));
    return new Promise(settle => {
      const append = { name: encoder.encode(name), expected, records: owned, wakeAt, settle };
      this.#store.append(append);
    });
  }

  async read(name: string, options: ReadOptions): Promise<LogSlice> {
    return this.#store.read(encoder.encode(name), options);
  }

  async readLatest(name: string): Promise<LogSlice> {
    return this.#store.readLatest(encoder.encode(name));
  }

  async trim(name: string, before: Seq): Promise<void> {
    await this.#store.trim(encoder.encode(name), before);
  }

  async heads({ prefix = '', ...rest }: HeadsOptions): Promise<Heads> {
    return this.#store.heads({ ...rest, prefix: encoder.encode(prefix) });
  }

  async survey(name: string): Promise<LogSurvey> {
    return (await this.#store.salvage(encoder.encode(name))).survey;
  }

  async exportReadable(name: string): Promise<readonly StoredRecord[]> {
    return (await this.#store.salvage(encoder.encode(name))).records;
  }

  async repair(name: string): Promise<LogSurvey> {
    return this.#store.repair(encoder.encode(name));
  }

  async backUp(directory: string): Promise<CopyReport> {
    if (this.#diskOf === undefined) {
      throw new TroupeError('CONFIG_INVALID', { detail: 'a backup needs `diskOf` at opening' });
    }
    return this.#store.backUp(this.#diskOf(directory));
  }

  onFailure(listener: (error: TroupeError) => void): void {
    this.#store.onFailure(listener);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
