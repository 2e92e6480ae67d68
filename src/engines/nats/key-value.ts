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
import { type PublishAnswer, publishInto } from './jetstream.ts';
import { bucketStream, keyOfSubject, patternOfPrefix, subjectOfKey } from './key-subject.ts';
import {
  changeIn,
  checkKey,
  checkValue,
  deletionHeaders,
  revisionOf,
  seqOfRevision,
} from './key-value-entry.ts';
import { KeyValueWatch } from './key-value-watch.ts';
import { leaderRecord, type RecordParts } from './leader-record.ts';
import { type Attempted, repeat } from './repeat.ts';

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
/** A listing goes through so many entries at most. */
const entriesMax = 100_000;

/**
 * Opens a bucket.
 *
 * @remarks No read is linearizable: a leader that is cut off answers with what it has for up to 11 s,
 * and says `conflict` by it. What is accepted is true. A write that the servers surely did not take
 * is repeated for a moment; one without an answer is not, and throws `ENGINE_FAILED`.
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
  #isClosed = false;

  constructor({ client, clock, random, bucket, timeoutMs, repeatMs }: NatsKeyValueOptions) {
    this.#bucket = bucket;
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
    const result = await this.#write({ key, expectedSeq: 0, value: owned });
    if (result.status === 'accepted') return result;
    // A key that was deleted ends with that deletion.
    const last = await this.#last(key);
    if (last?.kind !== 'delete') return result;
    return this.#write({ key, expectedSeq: seqOfDeletion(last.revision), value: owned });
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
    const keys: string[] = [];
    const pattern = patternOfPrefix(this.#bucket, prefix);
    let seq = 1;
    for (let count = 0; count < entriesMax; count++) {
      const query = { seq, next_by_subj: pattern };
      const record = await leaderRecord(this.#parts, this.#stream, query);
      if (record === undefined) return keys.sort();
      seq = record.seq + 1;
      const key = keyOfSubject(this.#bucket, record.subject);
      if (key.startsWith(prefix) && changeIn(record, key).kind === 'put') keys.push(key);
    }
    throw new TroupeError('OVERLOADED', {
      detail: `${this.#bucket} has more than ${entriesMax} keys that begin with ${prefix}`,
    });
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

  #write(write: Write): Promise<KeyValueResult> {
    return repeat(this.#parts, this.#parts.repeatMs, () => this.#attempt(write));
  }

  async #attempt({ key, expectedSeq, value }: Write): Promise<Attempted<KeyValueResult>> {
    const { client, timeoutMs } = this.#parts;
    const isDeletion = value === undefined;
    const subject = subjectOfKey(this.#bucket, key);
    const answer = await publishInto(client, subject, value ?? noBytes, {
      stream: this.#stream,
      timeoutMs,
      expectedSeq,
      headers: isDeletion ? deletionHeaders : undefined,
    });
    if (answer.status === 'conflict') return { value: { status: 'conflict' } };
    if (answer.status === 'accepted') {
      return { value: { status: 'accepted', revision: revisionOf(answer.seq, isDeletion) } };
    }
    const error = notAccepted(key, answer);
    if (answer.status === 'unavailable' && answer.isPassing) return { passing: error };
    throw error;
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

const noBytes = new Uint8Array();

/** The causes that callers can do something about; all others are the engine's own. */
const tellingCodes = new Set(['DISK_FULL', 'PAYLOAD_TOO_LARGE', 'UNAUTHORIZED', 'OVERLOADED']);

function notAccepted(
  key: string,
  { status, cause }: Extract<PublishAnswer, { cause: TroupeError }>,
): TroupeError {
  if (status === 'unavailable' && tellingCodes.has(cause.code)) return cause;
  const detail = `writing ${key}: ${cause.detail}`;
  return status === 'unknown'
    ? new TroupeError('ENGINE_FAILED', { detail, outcome: 'unknown', cause })
    : new TroupeError('ENGINE_UNAVAILABLE', { detail, outcome: 'not-executed', cause });
}

function seqOfDeletion(revision: number): number {
  return (revision - 1) / 2;
}
