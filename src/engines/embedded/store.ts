/**
 * The embedded store: one log of segments for all agents, an index of it in memory, group commit.
 * It stands on the Disk port alone and knows neither clock nor thread, so that the simulator runs
 * exactly this code; the storage worker is a thin shell around it.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Disk, DiskLock } from '../../ports/disk.ts';
import type {
  AppendResult,
  Heads,
  LogSlice,
  NewRecord,
  ReadOptions,
  Seq,
} from '../../ports/log.ts';
import { backUp, type CopyReport } from './backup.ts';
import { ChainReader } from './chain-reader.ts';
import { Committer } from './committer.ts';
import { nameBytesMax, recordKind } from './frame.ts';
import { type HeadsQuery, listHeads } from './heads.ts';
import { spanOf } from './index-table.ts';
import { Maintenance } from './maintenance.ts';
import type { Meta } from './meta.ts';
import { openDirectory } from './open-directory.ts';
import type { StoreOptions } from './options.ts';
import type { RecoveryReport } from './recovery.ts';
import { type LogSurvey, type Salvage, salvage } from './salvage.ts';
import type { StoreState } from './state.ts';
import { appendWork, markWork } from './work.ts';

/** An append as the store takes it: the name in UTF-8, the answer through a call. */
export interface StoreAppend {
  readonly name: Uint8Array;
  readonly expected: Seq;
  readonly records: readonly NewRecord[];
  readonly wakeAt: number | undefined;
  readonly settle: (result: AppendResult) => void;
}

const recordsMaxDefault = 1_000;
const emptySlice: LogSlice = { records: [], tail: 0, isComplete: true, isStale: false };

/** An open store. */
export class SegmentStore {
  /** What the store is, with the epoch of this opening. */
  readonly meta: Meta;
  /** What opening found and did. */
  readonly recovery: RecoveryReport;
  readonly #state: StoreState;
  readonly #committer: Committer;
  readonly #chains: ChainReader;
  readonly #maintenance: Maintenance;
  readonly #lock: DiskLock;
  readonly #failureListeners: ((error: TroupeError) => void)[] = [];
  #closing: Promise<void> | undefined;

  private constructor(state: StoreState, recovery: RecoveryReport, lock: DiskLock) {
    this.meta = state.meta;
    this.recovery = recovery;
    this.#state = state;
    this.#lock = lock;
    this.#committer = new Committer(state, {
      committed: () => this.#maintenance.nudge(),
      segmentAdded: () => this.#maintenance.segmentAdded(),
      failed: error => this.#reportFailure(error),
    });
    this.#chains = new ChainReader(state);
    this.#maintenance = new Maintenance({
      state,
      chains: this.#chains,
      onFailed: error => this.#committer.fail(error),
    });
  }

  /**
   * Opens the store on a disk, creating it on an empty one.
   *
   * @throws `DATA_LOCKED`, `ENGINE_UNSUPPORTED`, `LOG_CORRUPT`, `LOG_REGRESSED`, `CONFIG_INVALID`
   * (a backup, which is to be restored), `DISK_FULL`.
   */
  static async open(options: StoreOptions): Promise<SegmentStore> {
    const { state, report, lock } = await openDirectory(options);
    const store = new SegmentStore(state, report, lock);
    await store.#committer.mark();
    for (const { from, to } of report.losses) {
      await store.#giveUp(from, to);
    }
    store.#maintenance.start(state.segments.end - report.scannedBytes);
    return store;
  }

  /** Why nothing can be appended any more, if so. */
  get failure(): TroupeError | undefined {
    return this.#committer.failure;
  }

  /**
   * Appends, as {@link Log.append} says.
   *
   * @throws `PAYLOAD_TOO_LARGE`, `LOG_CORRUPT`, `INVALID_INPUT`, `NOT_STARTED`; nothing is stored
   * then.
   */
  append(append: StoreAppend): void {
    this.#checkOpen();
    checkName(append.name);
    this.#checkRecords(append.records);
    const row = this.#state.index.findOrAdd(spanOf(append.name));
    this.#checkSound(row);
    const { name, records, wakeAt: extra, expected: previous, settle } = append;
    this.#committer.enqueue(appendWork({ row, name, records, extra, previous, settle }));
  }

  /** Reads from a place, as {@link Log.read} says. */
  async read(name: Uint8Array, { after, recordsMax }: ReadOptions): Promise<LogSlice> {
    const limit = Math.max(1, recordsMax ?? recordsMaxDefault);
    return this.#read(name, row => this.#chains.readAfter(row, after, limit));
  }

  /** Reads the newest snapshot and all behind it, as {@link Log.readLatest} says. */
  async readLatest(name: Uint8Array): Promise<LogSlice> {
    return this.#read(name, row => this.#chains.readLatest(row));
  }

  /** Lets go of old records, as {@link Log.trim} says. */
  async trim(name: Uint8Array, before: Seq): Promise<void> {
    this.#checkOpen();
    checkName(name);
    const { index } = this.#state;
    const row = index.find(spanOf(name));
    const snapshot = row < 0 ? 0 : index.snapshot(row);
    if (!(before <= snapshot)) {
      throw new TroupeError('INVALID_INPUT', {
        detail: `trim before ${before} reaches beyond the newest snapshot, ${snapshot}`,
      });
    }
    this.#checkSound(row);
    const floor = index.firstKept(row);
    if (before <= floor) return;
    await this.#commit({ kind: recordKind.trim, row, name, previous: before, extra: undefined });
    this.#maintenance.trimmed(row, floor, before);
  }

  /** Lists logs, as {@link Log.heads} says. */
  heads(query: HeadsQuery): Heads {
    this.#checkOpen();
    return listHeads(this.#state.index, query);
  }

  /** Looks at a log: what can be read, and what would make it whole. */
  async salvage(name: Uint8Array): Promise<Salvage> {
    this.#checkOpen();
    return salvage(this.#state, this.#chains, this.#rowOf(name));
  }

  /**
   * Makes a damaged log whole, with the loss that {@link SegmentStore.salvage} tells. What is given
   * up stays on the disk until compaction, but is not read again.
   */
  async repair(name: Uint8Array): Promise<LogSurvey> {
    this.#checkOpen();
    const row = this.#rowOf(name);
    const detail = 'the log is being repaired';
    this.#state.damaged.set(row, new TroupeError('LOG_CORRUPT', { detail }));
    await this.#committer.idle();
    const { survey } = await salvage(this.#state, this.#chains, row);
    const mark = { row, name, previous: survey.place };
    if (survey.remedy === 'trim') {
      await this.#commit({ ...mark, kind: recordKind.trim, extra: undefined });
    } else if (survey.remedy === 'cut') {
      // No later record names the old tail as its predecessor: if it is unreadable, this mark
      // tells a later scan that it was given up.
      const tail = this.#state.index.tail(row);
      await Promise.all([
        this.#giveUp(tail, tail + 1),
        this.#commit({ ...mark, kind: recordKind.cut, extra: survey.snapshot }),
      ]);
    }
    this.#chains.forget(row);
    this.#state.damaged.delete(row);
    return survey;
  }

  /**
   * Copies the store, as it is at one moment, to an empty disk while appends go on.
   *
   * @throws `CONFIG_INVALID` when the target is not empty; `DISK_FULL`.
   */
  async backUp(target: Disk): Promise<CopyReport> {
    this.#checkOpen();
    return this.#maintenance.exclusively(() => backUp(this.#state, target));
  }

  /** Calls back once when the store failed for good, at once if it has. */
  onFailure(listener: (error: TroupeError) => void): void {
    if (this.failure === undefined) this.#failureListeners.push(listener);
    else listener(this.failure);
  }

  /** Waits for commits in flight, marks the end of the log, lets go of everything. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#committer.idle();
    await this.#maintenance.stop();
    await this.#committer.mark();
    await this.#state.segments.close();
    await this.#lock.release();
  }

  async #read(name: Uint8Array, read: (row: number) => Promise<LogSlice>): Promise<LogSlice> {
    this.#checkOpen();
    checkName(name);
    const row = this.#state.index.find(spanOf(name));
    if (row < 0 || this.#state.index.tail(row) === 0) return emptySlice;
    this.#checkSound(row);
    try {
      return await read(row);
    } catch (error) {
      if (TroupeError.is(error) && error.code === 'LOG_CORRUPT')
        this.#state.damaged.set(row, error);
      throw error;
    }
  }

  /** Marks a part of the log as given up with the operator's consent. */
  async #giveUp(from: Seq, to: Seq): Promise<void> {
    const mark = { kind: recordKind.loss, row: -1, name: new Uint8Array(0) };
    await this.#commit({ ...mark, previous: from, extra: to });
  }

  async #commit(mark: Omit<Parameters<typeof markWork>[0], 'settle'>): Promise<void> {
    const result = await new Promise<AppendResult>(settle => {
      this.#committer.enqueue(markWork({ ...mark, settle }));
    });
    if (result.status === 'unavailable' || result.status === 'unknown') throw result.cause;
  }

  #rowOf(name: Uint8Array): number {
    const row = this.#state.index.find(spanOf(name));
    if (row >= 0 && this.#state.index.tail(row) > 0) return row;
    throw new TroupeError('INVALID_INPUT', { detail: 'there is no log of that name' });
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return;
    throw new TroupeError('NOT_STARTED', { detail: 'the log is closed' });
  }

  #checkSound(row: number): void {
    const damage = this.#state.damaged.get(row);
    if (damage !== undefined) throw damage;
  }

  #checkRecords(records: readonly NewRecord[]): void {
    const { recordBytesMax, appendBytesMax } = this.#state.context.limits;
    if (records.length === 0) {
      throw new TroupeError('INVALID_INPUT', { detail: 'an append needs at least one record' });
    }
    let total = 0;
    for (const { bytes } of records) {
      total += bytes.length;
      if (bytes.length > recordBytesMax) throw tooLarge('record', bytes.length, recordBytesMax);
    }
    if (total > appendBytesMax) throw tooLarge('append', total, appendBytesMax);
  }

  #reportFailure(error: TroupeError): void {
    for (const listener of this.#failureListeners.splice(0)) listener(error);
  }
}

function tooLarge(what: string, bytes: number, limit: number): TroupeError {
  return new TroupeError('PAYLOAD_TOO_LARGE', {
    detail: `the ${what} has ${bytes} bytes, the limit is ${limit}`,
  });
}

function checkName(name: Uint8Array): void {
  if (name.length > 0 && name.length <= nameBytesMax) return;
  throw new TroupeError('INVALID_INPUT', {
    detail: `the name of a log has 1 to ${nameBytesMax} bytes, this one ${name.length}`,
  });
}
