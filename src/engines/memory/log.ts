/**
 * Logs in memory. The store outlives the handles that `open` gives out, as a disk or a server
 * outlives the nodes that use it, so that a test can drop a node and open the logs anew. Every
 * fault of a real store is on a switch. An append is decided when it is issued, which keeps the
 * order of issue; only its answer takes time.
 */
import { invariant, TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
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
import type { Random } from '../../ports/random.ts';
import { type DrawnFault, faultError, MemoryFaults, type WriteFault } from './faults.ts';
import { headsOf } from './heads.ts';
import { History } from './history.ts';
import { LateWrites } from './late-writes.ts';

/** How {@link memoryLogs} works. */
export interface MemoryLogOptions {
  /** Needed for faults by rate and for answers that take time. */
  readonly random?: Random | undefined;
  /** Needed for late landings by time and for answers that take time. */
  readonly clock?: Clock | undefined;
  /** Answers take up to so long (default 0: they come at once). Needs `clock` and `random`. */
  readonly answerMsMax?: number | undefined;
  /** The largest record (default 4 MiB). */
  readonly recordBytesMax?: number | undefined;
  /** Whether reads show all that was acknowledged (default true). `stale` faults need false. */
  readonly hasLinearizableReads?: boolean | undefined;
}

interface Append {
  readonly name: string;
  readonly expected: Seq;
  readonly records: readonly NewRecord[];
  readonly wakeAt: number | undefined;
}

/** Makes a store of logs in memory. */
export function memoryLogs(options: MemoryLogOptions = {}): MemoryLogs {
  return new MemoryLogs(options);
}

/** Opens logs in a store of their own. */
export function memoryLog(options: MemoryLogOptions = {}): Log {
  return new MemoryLogs(options).open();
}

/** A store of logs in memory, with its switches. */
export class MemoryLogs {
  readonly faults: MemoryFaults;
  readonly capabilities: LogCapabilities;
  readonly #options: MemoryLogOptions;
  readonly #histories = new Map<string, History>();
  readonly #late: LateWrites;
  readonly #failureListeners = new Set<(error: TroupeError) => void>();
  #failure: TroupeError | undefined;

  constructor(options: MemoryLogOptions) {
    this.#options = options;
    this.faults = new MemoryFaults(options.random);
    this.#late = new LateWrites(options.clock);
    this.capabilities = {
      hasLinearizableReads: options.hasLinearizableReads ?? true,
      isFlushed: false,
      recordBytesMax: options.recordBytesMax ?? 4 * 1_048_576,
    };
  }

  /** A handle on the store. Closing it leaves the store and other handles as they are. */
  open(): Log {
    return new MemoryLog(this);
  }

  /** Forgets the last `count` records of a log although they were acknowledged. */
  regress(name: string, count: number): void {
    this.#histories.get(name)?.regress(count);
  }

  /** Damages a log so that the engine notices: reads and appends throw `LOG_CORRUPT`. */
  damage(name: string): void {
    this.#history(name).damage = new TroupeError('LOG_CORRUPT', {
      detail: `${name} is damaged, as a test asked for`,
    });
  }

  /** Flips a bit of a record so that the engine does not notice. */
  flip(name: string, seq: Seq, bit = 0): void {
    this.#histories.get(name)?.flip(seq, bit);
  }

  /** Fails for good: no append is accepted any more, on any handle. */
  fail(error: TroupeError = faultError('unknown-not-stored', 'every log')): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const listener of this.#failureListeners) listener(error);
  }

  /** Registers who is told of a failure for good. For handles. */
  onFailure(listener: (error: TroupeError) => void): () => void {
    this.#failureListeners.add(listener);
    if (this.#failure !== undefined) listener(this.#failure);
    return () => this.#failureListeners.delete(listener);
  }

  /** Decides an append. For handles. */
  append(append: Append): AppendResult {
    this.#checkSizes(append);
    this.#refuseDamaged(append.name);
    const fault = this.faults.drawWrite(append.name);
    const result = this.#decide(append, fault);
    this.#late.served();
    return result;
  }

  /** Reads behind a place, or from the newest snapshot on. For handles. */
  read(name: string, options: ReadOptions | 'latest'): LogSlice {
    this.#refuseDamaged(name);
    if (this.faults.isUnavailable) throw faultError('unavailable', name);
    const hidden = this.#drawHidden(name);
    const history = this.#histories.get(name) ?? new History();
    const slice =
      options === 'latest'
        ? history.readLatest(hidden)
        : history.read(options.after, Math.max(1, options.recordsMax ?? 1_000), hidden);
    this.#late.served();
    return { ...slice, isStale: !this.capabilities.hasLinearizableReads };
  }

  /** Trims a log. For handles. */
  trim(name: string, before: Seq): void {
    this.#refuseDamaged(name);
    (this.#histories.get(name) ?? new History()).trim(before, name);
    this.#late.served();
  }

  /** Lists logs. For handles. */
  heads(options: HeadsOptions): Heads {
    return headsOf(this.#histories, options);
  }

  /** Waits for as long as an answer takes. For handles. */
  answer(): Promise<void> {
    const { clock, random, answerMsMax = 0 } = this.#options;
    if (clock === undefined || random === undefined || answerMsMax === 0) return Promise.resolve();
    return new Promise(resolve => {
      clock.setTimer(random.next() * answerMsMax, resolve);
    });
  }

  #decide(append: Append, fault: DrawnFault | undefined): AppendResult {
    if (this.#failure !== undefined) return { status: 'unavailable', cause: this.#failure };
    if (fault === undefined) return this.#store(append);
    const kind = fault.kind as WriteFault; // Writes draw write faults only.
    const cause = faultError(kind, append.name);
    switch (kind) {
      case 'conflict':
        return { status: 'conflict' };
      case 'unavailable':
      case 'full':
        return { status: 'unavailable', cause };
      case 'unknown-stored':
        this.#store(append);
        return { status: 'unknown', cause };
      case 'unknown-late': {
        const copied = append.records.map(each => ({ ...each, bytes: new Uint8Array(each.bytes) }));
        this.#late.add(fault, () => this.#store({ ...append, records: copied }));
        return { status: 'unknown', cause };
      }
      case 'unknown-not-stored':
        return { status: 'unknown', cause };
    }
  }

  #store({ name, expected, records, wakeAt }: Append): AppendResult {
    const tail = this.#histories.get(name)?.tail ?? 0;
    if (tail !== expected) return { status: 'conflict' };
    const history = this.#history(name);
    if (wakeAt !== undefined) history.wakeAt = wakeAt;
    return { status: 'accepted', seq: history.append(records) };
  }

  #drawHidden(name: string): number {
    if (this.capabilities.hasLinearizableReads) return 0;
    const fault = this.faults.drawRead(name);
    return fault === undefined ? 0 : (fault.hidden ?? 1);
  }

  #checkSizes({ name, records }: Append): void {
    invariant(records.length > 0, `an append to ${name} must hold at least one record`);
    const { recordBytesMax } = this.capabilities;
    const large = records.find(record => record.bytes.length > recordBytesMax);
    if (large === undefined) return;
    throw new TroupeError('PAYLOAD_TOO_LARGE', {
      detail: `a record of ${large.bytes.length} bytes for ${name}; at most ${recordBytesMax}`,
    });
  }

  #refuseDamaged(name: string): void {
    const damage = this.#histories.get(name)?.damage;
    if (damage !== undefined) throw damage;
  }

  #history(name: string): History {
    const found = this.#histories.get(name) ?? new History();
    this.#histories.set(name, found);
    return found;
  }
}

class MemoryLog implements Log {
  readonly capabilities: LogCapabilities;
  readonly #store: MemoryLogs;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #forgetListeners: (() => void)[] = [];
  #isClosed = false;

  constructor(store: MemoryLogs) {
    this.#store = store;
    this.capabilities = store.capabilities;
  }

  async append(
    name: string,
    expected: Seq,
    records: readonly NewRecord[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    this.#refuseClosed();
    const result = this.#store.append({ name, expected, records, wakeAt: options.wakeAt });
    const answer = this.#store.answer();
    this.#inFlight.add(answer);
    await answer;
    this.#inFlight.delete(answer);
    return result;
  }

  async read(name: string, options: ReadOptions): Promise<LogSlice> {
    this.#refuseClosed();
    const slice = this.#store.read(name, options);
    await this.#store.answer();
    return slice;
  }

  async readLatest(name: string): Promise<LogSlice> {
    this.#refuseClosed();
    const slice = this.#store.read(name, 'latest');
    await this.#store.answer();
    return slice;
  }

  async trim(name: string, before: Seq): Promise<void> {
    this.#refuseClosed();
    this.#store.trim(name, before);
    await this.#store.answer();
  }

  async heads(options: HeadsOptions): Promise<Heads> {
    this.#refuseClosed();
    return this.#store.heads(options);
  }

  onFailure(listener: (error: TroupeError) => void): void {
    this.#forgetListeners.push(this.#store.onFailure(listener));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#inFlight);
    for (const forget of this.#forgetListeners.splice(0)) forget();
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new TroupeError('NOT_STARTED', { detail: 'the log is closed' });
  }
}
