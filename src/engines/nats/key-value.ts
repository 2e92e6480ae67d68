/**
 * Keys and values in a JetStream key-value bucket, over the protocol that its tools speak: one
 * subject a key, of which the last message stays, in file storage and without an age. Compare-and-
 * set is publishing with the sequence that the subject is expected to end with; reads ask the
 * leader.
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
import type { NatsClient } from './client.ts';
import { bucketStream, subjectOfKey } from './key-subject.ts';
import { changeIn, checkKey, checkValue, seqOfRevision } from './key-value-entry.ts';
import { changesFrom } from './key-value-scan.ts';
import { KeyValueWatch } from './key-value-watch.ts';
import { writeKey } from './key-value-write.ts';
import { leaderRecord, type RecordParts } from './leader-record.ts';

/** What keys and values stand on. */
export interface NatsKeyValueOptions {
  /** Whoever made it closes it. */
  readonly client: NatsClient;
  readonly clock: Clock;
  readonly random: Random;
  /** The bucket, whose stream exists; a word of letters, digits, `-` and `_`. */
  readonly bucket: string;
  /** How long one request may take (default 2,000). */
  readonly timeoutMs?: number | undefined;
  /** How long is repeated what the servers cannot do at the moment (default 3,000). */
  readonly repeatMs?: number | undefined;
}

const timeoutMsDefault = 2_000;
const repeatMsDefault = 3_000;

/**
 * Opens a bucket.
 *
 * @remarks No read is linearizable: a leader that is cut off answers with what it has for up to
 * 11 s. What becomes of a write is true. One that the servers declined for now is repeated for a
 * moment; one without an answer is not, and throws `ENGINE_FAILED`.
 */
export function openNatsKeyValue(options: NatsKeyValueOptions): KeyValue {
  return new NatsKeyValue(options);
}

/** What a write wants: the sequence it expects, and the value, none to delete. */
interface Write {
  readonly key: string;
  readonly expectedSeq: number;
  readonly value: Uint8Array | undefined;
}

class NatsKeyValue implements KeyValue {
  readonly #parts: RecordParts;
  readonly #bucket: string;
  readonly #stream: string;
  readonly #watches = new Set<KeyValueWatch>();
  /** Begins the names of the writes of this handle. */
  readonly #name: string;
  #writes = 0;
  #isClosed = false;

  constructor({ client, clock, random, bucket, timeoutMs, repeatMs }: NatsKeyValueOptions) {
    this.#bucket = bucket;
    this.#name = random.hex(8);
    this.#stream = bucketStream(bucket);
    this.#parts = {
      client,
      clock,
      random,
      timeoutMs: timeoutMs ?? timeoutMsDefault,
      repeatMs: repeatMs ?? repeatMsDefault,
    };
  }

  async get(key: string): Promise<KeyValueEntry | undefined> {
    this.#check(key);
    const change = await this.#last(key);
    return change?.kind === 'put' ? change.entry : undefined;
  }

  async create(key: string, value: Uint8Array): Promise<KeyValueResult> {
    this.#check(key);
    checkValue(key, value);
    const owned = Uint8Array.from(value);
    const last = await this.#last(key);
    if (last?.kind === 'put') return { status: 'conflict' };
    // A key that was deleted ends with that deletion.
    const expectedSeq = last === undefined ? 0 : seqOfDeletion(last.revision);
    return this.#write({ key, expectedSeq, value: owned });
  }

  async compareAndSet(key: string, value: Uint8Array, revision: number): Promise<KeyValueResult> {
    this.#check(key);
    checkValue(key, value);
    return this.#writeAt(key, revision, Uint8Array.from(value));
  }

  async delete(key: string, revision: number): Promise<KeyValueResult> {
    this.#check(key);
    return this.#writeAt(key, revision, undefined);
  }

  async keys(prefix: string): Promise<string[]> {
    this.#refuseClosed();
    const changes = await changesFrom(this.#parts, { bucket: this.#bucket, prefix, seq: 1 });
    const found = [...changes.values()].filter(change => change.kind === 'put');
    return found.map(({ entry }) => entry.key).sort();
  }

  async watch(prefix: string, listener: (change: KeyValueChange) => void): Promise<() => void> {
    this.#refuseClosed();
    const watch = new KeyValueWatch(this.#parts, { bucket: this.#bucket, prefix, listener });
    this.#watches.add(watch);
    const stop = () => {
      this.#watches.delete(watch);
      watch.stop();
    };
    try {
      await watch.open();
      this.#refuseClosed();
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const watch of this.#watches) watch.stop();
    this.#watches.clear();
  }

  async #last(key: string): Promise<KeyValueChange | undefined> {
    const query = { last_by_subj: subjectOfKey(this.#bucket, key) };
    const record = await leaderRecord(this.#parts, this.#stream, query);
    return record && changeIn(record, key);
  }

  async #writeAt(
    key: string,
    revision: number,
    value: Uint8Array | undefined,
  ): Promise<KeyValueResult> {
    const expectedSeq = seqOfRevision(revision);
    if (expectedSeq === undefined) return { status: 'conflict' };
    return this.#write({ key, expectedSeq, value });
  }

  #write({ key, expectedSeq, value }: Write): Promise<KeyValueResult> {
    this.#writes += 1;
    const name = `${this.#name}-${this.#writes}`;
    const subject = subjectOfKey(this.#bucket, key);
    return writeKey(this.#parts, { key, stream: this.#stream, subject, expectedSeq, value, name });
  }

  #check(key: string): void {
    this.#refuseClosed();
    checkKey(key);
  }

  #refuseClosed(): void {
    if (!this.#isClosed) return;
    throw new TroupeError('NOT_STARTED', { detail: 'the keys and values are closed' });
  }
}

function seqOfDeletion(revision: number): number {
  return (revision - 1) / 2;
}
