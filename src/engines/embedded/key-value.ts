/**
 * Keys and values on the Log itself: one log per key, each write a snapshot behind the last, so
 * that compare-and-append is the compare-and-set, and a revision is a place in the log, which
 * rises across deletion too. It adds nothing to the disk format.
 */
import { TroupeError } from '../../core/errors.ts';
import type {
  KeyValue,
  KeyValueChange,
  KeyValueEntry,
  KeyValueResult,
} from '../../ports/key-value.ts';
import type { Log, Seq } from '../../ports/log.ts';
import { type KeyValueWatch, watchesOf } from './key-value-watch.ts';

/** What keys and values stand on. */
export interface KeyValueOptions {
  readonly log: Log;
  /** Keeps the keys of one use apart from those of another (default `main`). */
  readonly bucket?: string | undefined;
}

const keyBytesMax = 512;
const valueBytesMax = 65_536;
/** Old values are let go once in so many writes, so that most writes are one record. */
const writesPerTrim = 16;
const valueMark = 1;
const deletedMark = 0;

/** What the newest record of a key says. */
interface Newest {
  readonly tail: Seq;
  /** Nothing when the key was deleted, or never written. */
  readonly value: Uint8Array | undefined;
}

/** Opens the keys of a bucket. Closing them leaves the log open. */
export function openEmbeddedKeyValue({ log, bucket = 'main' }: KeyValueOptions): KeyValue {
  return new LogKeyValue(log, `$kv/${bucket}/`);
}

class LogKeyValue implements KeyValue {
  readonly #log: Log;
  readonly #folder: string;
  readonly #watches: Set<KeyValueWatch>;
  readonly #own = new Set<KeyValueWatch>();
  #writes = 0;
  #isClosed = false;

  constructor(log: Log, folder: string) {
    this.#log = log;
    this.#folder = folder;
    this.#watches = watchesOf(log, folder);
  }

  async get(key: string): Promise<KeyValueEntry | undefined> {
    this.#check(key);
    return this.#entry(key);
  }

  async create(key: string, value: Uint8Array): Promise<KeyValueResult> {
    this.#check(key, value);
    const owned = Uint8Array.from(value);
    const { tail, value: current } = await this.#newest(key);
    return current === undefined ? this.#write(key, tail, owned) : { status: 'conflict' };
  }

  async compareAndSet(key: string, value: Uint8Array, revision: number): Promise<KeyValueResult> {
    this.#check(key, value);
    const owned = Uint8Array.from(value);
    const isThere = await this.#isAt(key, revision);
    return isThere ? this.#write(key, revision, owned) : { status: 'conflict' };
  }

  async delete(key: string, revision: number): Promise<KeyValueResult> {
    this.#check(key);
    const isThere = await this.#isAt(key, revision);
    return isThere ? this.#write(key, revision, undefined) : { status: 'conflict' };
  }

  async keys(prefix: string): Promise<string[]> {
    this.#refuseClosed();
    return (await this.#entries(prefix)).map(entry => entry.key).sort();
  }

  async watch(prefix: string, listener: (change: KeyValueChange) => void): Promise<() => void> {
    this.#refuseClosed();
    const watch: KeyValueWatch = { prefix, listener, seen: new Map() };
    this.#watches.add(watch);
    this.#own.add(watch);
    // What changes while we read is reported already; `seen` keeps what is older from following it.
    for (const entry of await this.#entries(prefix)) this.#report(watch, { kind: 'put', entry });
    return () => this.#stop(watch);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const watch of this.#own) this.#stop(watch);
  }

  #stop(watch: KeyValueWatch): void {
    this.#watches.delete(watch);
    this.#own.delete(watch);
  }

  async #isAt(key: string, revision: number): Promise<boolean> {
    const { tail, value } = await this.#newest(key);
    return value !== undefined && tail === revision;
  }

  async #entry(key: string): Promise<KeyValueEntry | undefined> {
    const { tail: revision, value } = await this.#newest(key);
    return value === undefined ? undefined : { key, value, revision };
  }

  async #newest(key: string): Promise<Newest> {
    const { records, tail } = await this.#log.readLatest(this.#folder + key);
    const bytes = records.at(-1)?.bytes;
    return {
      tail,
      value: bytes?.[0] === valueMark ? Uint8Array.from(bytes.subarray(1)) : undefined,
    };
  }

  async #entries(prefix: string): Promise<KeyValueEntry[]> {
    const entries: KeyValueEntry[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#log.heads({ prefix: this.#folder + prefix, cursor });
      for (const { name } of page.heads) {
        const entry = await this.#entry(name.slice(this.#folder.length));
        if (entry !== undefined) entries.push(entry);
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    return entries;
  }

  async #write(key: string, expected: Seq, value: Uint8Array | undefined): Promise<KeyValueResult> {
    const name = this.#folder + key;
    const bytes = new Uint8Array(1 + (value?.length ?? 0));
    bytes[0] = value === undefined ? deletedMark : valueMark;
    if (value !== undefined) bytes.set(value, 1);
    const result = await this.#log.append(name, expected, [{ bytes, isSnapshot: true }]);
    if (result.status === 'conflict') return result;
    if (result.status !== 'accepted') throw notAccepted(key, result.status, result.cause);
    const { seq: revision } = result;
    for (const watch of this.#watches) this.#report(watch, changeOf(key, value, revision));
    await this.#trimSometimes(name, revision);
    return { status: 'accepted', revision };
  }

  /** Outside the writer's call stack, never an older change behind a newer one. */
  #report(watch: KeyValueWatch, change: KeyValueChange): void {
    const { key, revision } = change.kind === 'put' ? change.entry : change;
    if (!key.startsWith(watch.prefix) || (watch.seen.get(key) ?? 0) >= revision) return;
    watch.seen.set(key, revision);
    queueMicrotask(() => {
      if (this.#watches.has(watch)) watch.listener(change);
    });
  }

  async #trimSometimes(name: string, revision: Seq): Promise<void> {
    this.#writes += 1;
    if (this.#writes % writesPerTrim !== 0) return;
    try {
      await this.#log.trim(name, revision);
    } catch (error) {
      // The write itself is done; a later one trims again.
      if (!TroupeError.is(error)) throw error;
    }
  }

  #check(key: string, value?: Uint8Array): void {
    this.#refuseClosed();
    const isAcceptable = key.length > 0 && Buffer.byteLength(key) <= keyBytesMax;
    if (!isAcceptable || /\p{Cc}/u.test(key)) {
      throw new TroupeError('INVALID_INPUT', {
        detail: `a key has 1 to ${keyBytesMax} bytes and no control characters`,
      });
    }
    if (value === undefined || value.length <= valueBytesMax) return;
    throw new TroupeError('PAYLOAD_TOO_LARGE', {
      detail: `${value.length} bytes for ${key}; at most ${valueBytesMax}`,
    });
  }

  #refuseClosed(): void {
    if (!this.#isClosed) return;
    throw new TroupeError('NOT_STARTED', { detail: 'the keys and values are closed' });
  }
}

function changeOf(key: string, value: Uint8Array | undefined, revision: Seq): KeyValueChange {
  if (value === undefined) return { kind: 'delete', key, revision };
  return { kind: 'put', entry: { key, value: Uint8Array.from(value), revision } };
}

function notAccepted(key: string, status: 'unavailable' | 'unknown', cause: TroupeError) {
  const isUnknown = status === 'unknown';
  return new TroupeError(isUnknown ? 'ENGINE_FAILED' : 'ENGINE_UNAVAILABLE', {
    detail: `writing ${key}: ${cause.detail}`,
    outcome: isUnknown ? 'unknown' : 'not-executed',
    cause,
  });
}
