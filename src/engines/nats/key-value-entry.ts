/**
 * How entries lie in a bucket: the value is the message, a deletion is an empty message with a
 * header, and the last messages of a key stay, so that a key which is gone is not taken for one
 * that never was. Revisions say which of the two they belong to: those of values are even, those of
 * deletions odd, so that nobody can write on top of a deletion by its revision.
 */
import { TroupeError } from '../../core/errors.ts';
import type { KeyValueChange } from '../../ports/key-value.ts';
import type { NatsHeaders } from './client.ts';
import type { JsonObject } from './jetstream.ts';
import { bucketStream } from './key-subject.ts';
import type { LeaderRecord } from './leader-record.ts';

/** The headers of a write, which has a name of its own. */
export function writeHeaders(name: string, isDeletion: boolean): NatsHeaders {
  return { [writeHeader]: name, ...(isDeletion ? { 'KV-Operation': 'DEL' } : {}) };
}

const deletionLine = /^KV-Operation: *(DEL|PURGE)\s*$/i;
const keyBytesMax = 512;
const valueBytesMax = 65_536;

/**
 * So many of the last messages of a key stay. Only the last one counts; who is in doubt whether a
 * write was stored finds it among those behind the one that it was to follow.
 */
const messagesKept = 8;
const writeHeader = 'Troupe-Write';
const expectedHeader = 'Nats-Expected-Last-Subject-Sequence';

/** The configuration of a bucket's stream. */
export function bucketConfig(bucket: string, replicas: number): JsonObject {
  return {
    name: bucketStream(bucket),
    subjects: [`$KV.${bucket}.>`],
    retention: 'limits',
    discard: 'new',
    storage: 'file',
    num_replicas: replicas,
    max_msgs_per_subject: messagesKept,
    max_age: 0,
    allow_rollup_hdrs: true,
    // Reads go to the leader; a replica may be far behind.
    allow_direct: false,
  };
}

/** The revision of a message. */
export function revisionOf(seq: number, isDeletion: boolean): number {
  return seq * 2 + (isDeletion ? 1 : 0);
}

/** The sequence of the value that has a revision; nothing when no value can have it. */
export function seqOfRevision(revision: number): number | undefined {
  const seq = revision / 2;
  return Number.isSafeInteger(seq) && seq > 0 ? seq : undefined;
}

/** Whose write a message is, and which sequence it was to follow. */
export function originOf({ headerLines }: LeaderRecord): {
  readonly name: string | undefined;
  readonly expectedSeq: number;
} {
  const textOf = (header: string) =>
    headerLines
      .find(line => line.startsWith(`${header}:`))
      ?.slice(header.length + 1)
      .trim();
  return { name: textOf(writeHeader), expectedSeq: Number(textOf(expectedHeader)) };
}

/** What a message says about its key. */
export function changeIn(record: LeaderRecord, key: string): KeyValueChange {
  if (record.headerLines.some(line => deletionLine.test(line))) {
    return { kind: 'delete', key, revision: revisionOf(record.seq, true) };
  }
  const revision = revisionOf(record.seq, false);
  return { kind: 'put', entry: { key, value: Uint8Array.from(record.payload), revision } };
}

/**
 * Refuses a key that no entry may have.
 *
 * @throws `INVALID_INPUT`.
 */
export function checkKey(key: string): void {
  const isAcceptable = key.length > 0 && Buffer.byteLength(key) <= keyBytesMax;
  if (isAcceptable && key.isWellFormed() && !/\p{Cc}/u.test(key)) return;
  throw new TroupeError('INVALID_INPUT', {
    detail: `a key has 1 to ${keyBytesMax} bytes of well-formed text without control characters`,
  });
}

/**
 * Refuses a value that is too large.
 *
 * @throws `PAYLOAD_TOO_LARGE`.
 */
export function checkValue(key: string, value: Uint8Array): void {
  if (value.length <= valueBytesMax) return;
  throw new TroupeError('PAYLOAD_TOO_LARGE', {
    detail: `${value.length} bytes for ${key}; at most ${valueBytesMax}`,
  });
}
