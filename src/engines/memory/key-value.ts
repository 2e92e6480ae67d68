/**
 * Keys and values in memory. The store outlives the handles that `open` gives out and is shared by
 * them, as a server is shared by nodes. Revisions come from one counter, so they rise across the
 * deletion of a key. Writes have the faults of the logs.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  KeyValue,
  KeyValueChange,
  KeyValueEntry,
  KeyValueResult,
} from '../../ports/key-value.ts';
import type { Random } from '../../ports/random.ts';
import { type DrawnFault, faultError, MemoryFaults, type WriteFault } from './faults.ts';
import { LateWrites } from './late-writes.ts';

/** How {@link memoryKeyValues} works. */
export interface MemoryKeyValueOptions {
  /** Needed for faults by rate. */
  readonly random?: Random | undefined;
  /** Needed for late landings by time. Watchers are called from it; from microtasks without one. */
  readonly clock?: Clock | undefined;
}

/** The longest key, in bytes, and the largest value. */
const keyBytesMax = 512;
const valueBytesMax = 65_536;

interface Watcher {
  readonly prefix: string;
  readonly listener: (change: KeyValueChange) => void;
}

/** What a write wants: the revision it expects, 0 for none, and the value, none to delete. */
interface Write {
  readonly key: string;
  readonly expected: number;
  readonly value: Uint8Array | undefined;
}

/** Makes a store of keys and values in memory. */
export function memoryKeyValues(options: MemoryKeyValueOptions = {}): MemoryKeyValues {
  return new MemoryKeyValues(options);
}

/** A store of keys and values in memory, with its switches. */
export class MemoryKeyValues {
  readonly faults: MemoryFaults;
  readonly #clock: Clock | undefined;
  readonly #late: LateWrites;
  readonly #entries = new Map<string, KeyValueEntry>();
  readonly #watchers = new Set<Watcher>();
  #revision = 0;

  constructor(options: MemoryKeyValueOptions) {
    this.#clock = options.clock;
    this.faults = new MemoryFaults(options.random);
    this.#late = new LateWrites(options.clock);
  }

  /** A handle on the store. Closing it ends its watches and leaves the store as it is. */
  open(): KeyValue {
    return new MemoryKeyValue(this);
  }

  /** Reads an entry. For handles. */
  get(key: string): KeyValueEntry | undefined {
    checkKey(key);
    if (this.faults.isUnavailable) throw faultError('unavailable', key);
    const entry = this.#entries.get(key);
    this.#late.served();
    return entry === undefined ? undefined : copyOf(entry);
  }

  /** Decides a write. For handles. */
  write(write: Write): KeyValueResult {
    checkKey(write.key);
    checkValue(write);
    const owned = { ...write, value: write.value && new Uint8Array(write.value) };
    const result = this.#decide(owned, this.faults.drawWrite(write.key));
    this.#late.served();
    return result;
  }

  /** Lists keys. For handles. */
  keys(prefix: string): string[] {
    if (this.faults.isUnavailable) throw faultError('unavailable', prefix);
    return [...this.#entries.keys()].filter(key => key.startsWith(prefix)).sort();
  }

  /** Begins to report entries and changes. For handles. */
  watch(prefix: string, listener: (change: KeyValueChange) => void): () => void {
    const watcher = { prefix, listener };
    for (const [key, entry] of this.#entries) {
      if (key.startsWith(prefix)) this.#report(watcher, { kind: 'put', entry });
    }
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #decide(write: Write, fault: DrawnFault | undefined): KeyValueResult {
    if (fault === undefined) return this.#apply(write);
    const kind = fault.kind as WriteFault; // Writes draw write faults only.
    if (kind === 'conflict') return { status: 'conflict' };
    if (kind === 'unknown-stored') this.#apply(write);
    if (kind === 'unknown-late') this.#late.add(fault, () => this.#apply(write));
    throw faultError(kind, write.key);
  }

  #apply({ key, expected, value }: Write): KeyValueResult {
    const current = this.#entries.get(key)?.revision ?? 0;
    if (current !== expected) return { status: 'conflict' };
    this.#revision += 1;
    const revision = this.#revision;
    if (value === undefined) this.#entries.delete(key);
    else this.#entries.set(key, { key, value, revision });
    const change: KeyValueChange =
      value === undefined
        ? { kind: 'delete', key, revision }
        : { kind: 'put', entry: { key, value, revision } };
    for (const watcher of this.#watchers) {
      if (key.startsWith(watcher.prefix)) this.#report(watcher, change);
    }
    return { status: 'accepted', revision };
  }

  /** Outside the writer's call stack, and not after the watch has ended. */
  #report(watcher: Watcher, change: KeyValueChange): void {
    const report = () => {
      if (!this.#watchers.has(watcher)) return;
      watcher.listener(
        change.kind === 'put' ? { kind: 'put', entry: copyOf(change.entry) } : change,
      );
    };
    if (this.#clock === undefined) queueMicrotask(report);
    else this.#clock.defer(report);
  }
}

class MemoryKeyValue implements KeyValue {
  readonly #store: MemoryKeyValues;
  readonly #stops = new Set<() => void>();
  #isClosed = false;

  constructor(store: MemoryKeyValues) {
    this.#store = store;
  }

  async get(key: string): Promise<KeyValueEntry | undefined> {
    this.#refuseClosed();
    return this.#store.get(key);
  }

  async create(key: string, value: Uint8Array): Promise<KeyValueResult> {
    this.#refuseClosed();
    return this.#store.write({ key, expected: 0, value });
  }

  async compareAndSet(key: string, value: Uint8Array, revision: number): Promise<KeyValueResult> {
    this.#refuseClosed();
    return this.#store.write({ key, expected: existing(revision), value });
  }

  async delete(key: string, revision: number): Promise<KeyValueResult> {
    this.#refuseClosed();
    return this.#store.write({ key, expected: existing(revision), value: undefined });
  }

  async keys(prefix: string): Promise<string[]> {
    this.#refuseClosed();
    return this.#store.keys(prefix);
  }

  async watch(prefix: string, listener: (change: KeyValueChange) => void): Promise<() => void> {
    this.#refuseClosed();
    const stop = this.#store.watch(prefix, listener);
    this.#stops.add(stop);
    return () => {
      stop();
      this.#stops.delete(stop);
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#stops.clear();
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new TroupeError('NOT_STARTED', { detail: 'the store is closed' });
  }
}

/** 0 says "must not exist" inside; from a caller it is a revision that no entry has. */
function existing(revision: number): number {
  return revision === 0 ? -1 : revision;
}

function copyOf(entry: KeyValueEntry): KeyValueEntry {
  return { ...entry, value: new Uint8Array(entry.value) };
}

function checkKey(key: string): void {
  const isAcceptable = key.length > 0 && Buffer.byteLength(key) <= keyBytesMax;
  if (isAcceptable && !/\p{Cc}/u.test(key)) return;
  throw new TroupeError('INVALID_INPUT', {
    detail: `a key has 1 to ${keyBytesMax} bytes and no control characters`,
  });
}

function checkValue({ key, value }: Write): void {
  if (value === undefined || value.length <= valueBytesMax) return;
  throw new TroupeError('PAYLOAD_TOO_LARGE', {
    detail: `${value.length} bytes for ${key}; at most ${valueBytesMax}`,
  });
}
