/**
 * The form of a message of a log: all records of one append, with what a reader has to know of the
 * log at that point, so that the last message alone tells when to wake and where the newest
 * snapshot is. The form is guarded by a checksum; its first byte is its version.
 */
import { crc32 } from 'node:zlib';
import { TroupeError } from '../../core/errors.ts';
import type { NewRecord, Seq } from '../../ports/log.ts';

/** A message of a log, as its writer makes it. */
export interface FrameHead {
  readonly name: string;
  /** Who wrote it: eight bytes, in hexadecimal digits, drawn by each opening of a log. */
  readonly writer: string;
  /** Counts the appends of the writer; with it, the append's own id. */
  readonly number: number;
  /** The sequence of the message before it in this log; 0 for none. */
  readonly previous: number;
  /** The sequence of the newest message before it that holds a snapshot; 0 for none. */
  readonly snapshotBefore: number;
  /** When the log next has work, with this message. */
  readonly wakeAt: number;
}

/** A message of a log, as it was found. */
export interface Frame extends FrameHead {
  /** The sequence of the message in its stream. */
  readonly streamSeq: number;
  readonly records: readonly FrameRecord[];
}

/** A record in its frame. */
export interface FrameRecord {
  readonly seq: Seq;
  readonly bytes: Uint8Array;
  readonly isSnapshot: boolean;
}

/** At most so many records in one message. */
export const recordsPerMessageMax = 4_096;

/** What a record takes in a frame beside its bytes: a bound. */
export const recordBytesMore = 5;

/** What a frame takes beside its records: a bound, with the longest name. */
const frameBytesMax = 2_048;

const format = 1;
const crcAt = 1;
const writerAt = 5;
const numberAt = 13;
const previousAt = 17;
const snapshotAt = 23;
const wakeAtAt = 29;
const headBytes = 37;
const encoder = new TextEncoder();

/**
 * The place of the last record of a message. Places within a message are counted back from its
 * end, so that the place of a message follows from its sequence alone.
 */
export function lastSeqOf(streamSeq: number): Seq {
  return streamSeq * recordsPerMessageMax + recordsPerMessageMax - 1;
}

/** The sequence of the message that a place is in. */
export function streamSeqOf(seq: Seq): number {
  return Math.floor(seq / recordsPerMessageMax);
}

/** Whether a place is that of the last record of a message, and so one to append behind. */
export function isLastSeq(seq: Seq): boolean {
  return Number.isSafeInteger(seq) && seq % recordsPerMessageMax === recordsPerMessageMax - 1;
}

/** How many bytes the message of an append has, at most. */
export function frameBytesOf(records: readonly NewRecord[]): number {
  let bytes = frameBytesMax;
  for (const record of records) bytes += record.bytes.length + recordBytesMore;
  return bytes;
}

/** Makes the message of an append. The bytes are copied. */
export function encodeFrame(head: FrameHead, records: readonly NewRecord[]): Uint8Array {
  const name = encoder.encode(head.name);
  let length = headBytes + varintBytes(name.length) + name.length + varintBytes(records.length);
  for (const { bytes } of records) length += varintBytes(bytes.length * 2) + bytes.length;
  const buffer = Buffer.allocUnsafe(length);
  writeHead(buffer, head);
  let at = writeVarint(buffer, headBytes, name.length);
  buffer.set(name, at);
  at = writeVarint(buffer, at + name.length, records.length);
  for (const { bytes, isSnapshot } of records) {
    at = writeVarint(buffer, at, bytes.length * 2 + (isSnapshot === true ? 1 : 0));
  }
  for (const { bytes } of records) {
    buffer.set(bytes, at);
    at += bytes.length;
  }
  buffer.writeUInt32LE(crc32(buffer.subarray(writerAt)), crcAt);
  return buffer;
}

/**
 * Reads a message. The records are copies.
 *
 * @throws `LOG_CORRUPT` when it is damaged, of a later version, or not of this log.
 */
export function decodeFrame(payload: Uint8Array, streamSeq: number, name?: string): Frame {
  const buffer = Buffer.from(payload);
  if (buffer.length < headBytes || buffer[0] !== format) throw corrupt(name, streamSeq, 'is none');
  if (crc32(buffer.subarray(writerAt)) !== buffer.readUInt32LE(crcAt)) {
    throw corrupt(name, streamSeq, 'is damaged (its checksum differs)');
  }
  const cursor = new Cursor(buffer, headBytes);
  const owner = cursor.take(cursor.varint()).toString();
  if (name !== undefined && owner !== name) {
    throw corrupt(name, streamSeq, `belongs to ${JSON.stringify(owner)}`);
  }
  const records = recordsIn(cursor, streamSeq);
  if (records === undefined) throw corrupt(owner, streamSeq, 'has another length than it says');
  return {
    name: owner,
    streamSeq,
    writer: buffer.toString('hex', writerAt, numberAt),
    number: buffer.readUInt32LE(numberAt),
    previous: buffer.readUIntLE(previousAt, 6),
    snapshotBefore: buffer.readUIntLE(snapshotAt, 6),
    wakeAt: buffer.readDoubleLE(wakeAtAt),
    records,
  };
}

/** The sequence of the newest message up to this one that holds a snapshot; 0 for none. */
export function snapshotUpTo(frame: Frame): number {
  return hasSnapshot(frame.records) ? frame.streamSeq : frame.snapshotBefore;
}

/** Whether one of them is a snapshot. */
export function hasSnapshot(records: readonly NewRecord[]): boolean {
  return records.some(record => record.isSnapshot === true);
}

function writeHead(buffer: Buffer, head: FrameHead): void {
  buffer[0] = format;
  buffer.write(head.writer, writerAt, 8, 'hex');
  buffer.writeUInt32LE(head.number % 2 ** 32, numberAt);
  buffer.writeUIntLE(head.previous, previousAt, 6);
  buffer.writeUIntLE(head.snapshotBefore, snapshotAt, 6);
  buffer.writeDoubleLE(head.wakeAt, wakeAtAt);
}

function recordsIn(cursor: Cursor, streamSeq: number): FrameRecord[] | undefined {
  const count = cursor.varint();
  if (count < 1 || count > recordsPerMessageMax) return undefined;
  const sizes: number[] = [];
  for (let index = 0; index < count; index += 1) sizes.push(cursor.varint());
  const firstSeq = lastSeqOf(streamSeq) - count + 1;
  const records = sizes.map((size, index) => ({
    seq: firstSeq + index,
    isSnapshot: size % 2 === 1,
    bytes: cursor.take(Math.floor(size / 2)),
  }));
  return cursor.isAtEnd ? records : undefined;
}

function corrupt(name: string | undefined, streamSeq: number, what: string): TroupeError {
  return new TroupeError('LOG_CORRUPT', {
    detail: `message ${streamSeq} of ${name ?? 'a log'} ${what}`,
  });
}

/** Reads on from a place. Beyond the end it finds nothing and says so at the end. */
class Cursor {
  readonly #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#buffer.length;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
      const byte = this.#buffer[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return value;
  }

  take(length: number): Buffer {
    const taken = this.#buffer.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

function writeVarint(buffer: Buffer, at: number, value: number): number {
  let place = at;
  let rest = value;
  while (rest >= 0x80) {
    buffer[place] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
    place += 1;
  }
  buffer[place] = rest;
  return place + 1;
}
