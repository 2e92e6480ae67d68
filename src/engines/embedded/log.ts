/**
 * The Log port over a store in this thread: for the simulator, for tests, and inside the worker.
 */
import type { TroupeError } from '../../core/errors.ts';
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
} from '../../ports/log.ts';
import { type StoreOptions, storeLimits } from './options.ts';
import type { RecoveryReport } from './recovery.ts';
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
}

/**
 * Opens the log on a disk, in this thread.
 *
 * @throws `DATA_LOCKED`, `ENGINE_UNSUPPORTED`, `LOG_CORRUPT`, `LOG_REGRESSED`, `CONFIG_INVALID`,
 * `DISK_FULL`.
 */
export async function openEmbeddedLog(options: StoreOptions): Promise<EmbeddedLog> {
  const store = await SegmentStore.open(options);
  const recordBytesMax = options.limits?.recordBytesMax ?? storeLimits.recordBytesMax;
  return new StoreLog(store, recordBytesMax);
}

const encoder = new TextEncoder();

class StoreLog implements EmbeddedLog {
  readonly capabilities: LogCapabilities;
  readonly epoch: number;
  readonly shardCount: number;
  readonly lineage: string;
  readonly recovery: RecoveryReport;
  readonly #store: SegmentStore;

  constructor(store: SegmentStore, recordBytesMax: number) {
    this.#store = store;
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
    return new Promise(settle => {
      this.#store.append({ name: encoder.encode(name), expected, records, wakeAt, settle });
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
