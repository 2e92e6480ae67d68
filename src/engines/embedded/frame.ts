/**
 * The bytes of commits and records: how a batch lies on the disk, and how each byte of it is
 * covered by a checksum. Pure functions over buffers; where the bytes lie is the business of
 * `segment.ts`. The layout is drawn in docs/decisions/0003-embedded-log-format.md and is never
 * edited, only superseded by a new format version.
 */
import { crc32 } from 'node:zlib';

/** The version of the data format that this code writes, and the newest that it reads. */
export const formatVersion = 1;

/** Every commit and record begins at a multiple of this. */
export const frameAlignment = 8;
/** The bytes of a commit's header. */
export const commitHeaderBytes = 40;
/** The bytes of a record's header without the name. */
export const recordHeaderBytes = 40;
/** The longest name of a log, in UTF-8 bytes. */
export const nameBytesMax = 2_048;

/** "TCMT", little-endian: what a search for commits looks for. */
export const commitMagic = 0x544d_4354;

/** What a record is. */
export const recordKind = {
  /** Bytes that a caller appended. */
  data: 1,
  /** A mark that everything of this log before `previous` may go. Not part of the chain. */
  trim: 2,
  /** A mark that the log was truncated to `previous` by a repair; what lay between is given up. */
  cut: 3,
  /**
   * A mark, without a name, that an operator has given up what is unreadable from `previous` on.
   */
  loss: 4,
} as const;

/** The head of a batch that becomes durable as a whole, or not at all. */
export interface CommitHeader {
  /** Its place in the logical log. */
  readonly position: number;
  /** The end of the last commit that was flushed when this one was written. */
  readonly highWater: number;
  /** The bytes of the whole commit. */
  readonly byteLength: number;
  readonly recordCount: number;
  /** The checksum over the checksums of all record headers, which cover those of the bodies. */
  readonly recordsCrc: number;
}

/** The head of one record. */
export interface RecordHeader {
  readonly position: number;
  /** The place of the record before it in the same log; of a trim mark the first place kept. */
  readonly previous: number;
  readonly kind: number;
  readonly isSnapshot: boolean;
  /**
   * Of data: when to wake, if the append said so. Of a trim: when to wake, because the record that
   * said so may go. Of a cut: the newest snapshot that is left. Of a loss: the place behind the
   * last that was given up.
   */
  readonly extra: number | undefined;
  readonly nameLength: number;
  readonly bodyLength: number;
  readonly bodyCrc: number;
  readonly headerCrc: number;
  /** The bytes of the whole record with its padding. */
  readonly byteLength: number;
}

/** What a record header is made of when it is written. */
export interface RecordDraft {
  readonly position: number;
  readonly previous: number;
  readonly kind: number;
  readonly isSnapshot: boolean;
  readonly extra: number | undefined;
  readonly name: Uint8Array;
  readonly body: Uint8Array;
}

/** Bytes with a view on them, so that nobody makes a second view for each number. */
export interface Bytes {
  readonly buffer: Buffer;
  readonly view: DataView;
}

/** Bytes as {@link Bytes}, without a copy. */
export function bytesOf(bytes: Uint8Array): Bytes {
  const { buffer, byteOffset, byteLength } = bytes;
  return {
    buffer: Buffer.from(buffer, byteOffset, byteLength),
    view: new DataView(buffer, byteOffset, byteLength),
  };
}

/** The next multiple of the alignment. */
export function aligned(length: number): number {
  return Math.ceil(length / frameAlignment) * frameAlignment;
}

/** The bytes that a record takes, with header and padding. */
export function recordBytes(nameLength: number, bodyLength: number): number {
  return aligned(recordHeaderBytes + nameLength + bodyLength);
}

const snapshotFlag = 1;
const extraFlag = 2;

/** Writes a record at `at` and returns the checksum of its header. */
export function encodeRecord(target: Bytes, at: number, draft: RecordDraft, salt: number): number {
  const { buffer, view } = target;
  const { name, body } = draft;
  const bodyAt = at + recordHeaderBytes + name.length;
  const flags = (draft.isSnapshot ? snapshotFlag : 0) | (draft.extra === undefined ? 0 : extraFlag);
  view.setUint32(at + 4, body.length, true);
  view.setUint32(at + 8, crc32(body), true);
  view.setUint16(at + 12, name.length, true);
  view.setUint8(at + 14, draft.kind);
  view.setUint8(at + 15, flags);
  view.setFloat64(at + 16, draft.position, true);
  view.setFloat64(at + 24, draft.previous, true);
  view.setFloat64(at + 32, draft.extra ?? 0, true);
  buffer.set(name, at + recordHeaderBytes);
  buffer.set(body, bodyAt);
  buffer.fill(0, bodyAt + body.length, at + recordBytes(name.length, body.length));
  const headerCrc = crc32(buffer.subarray(at + 4, bodyAt), salt);
  view.setUint32(at, headerCrc, true);
  return headerCrc;
}

/** The record header at `at`, or nothing when its checksum, or its size, is not right. */
export function decodeRecord(source: Bytes, at: number, salt: number): RecordHeader | undefined {
  const { buffer, view } = source;
  if (at + recordHeaderBytes > buffer.length) return undefined;
  const nameLength = view.getUint16(at + 12, true);
  const bodyAt = at + recordHeaderBytes + nameLength;
  if (nameLength > nameBytesMax || bodyAt > buffer.length) return undefined;
  const headerCrc = view.getUint32(at, true);
  if (crc32(buffer.subarray(at + 4, bodyAt), salt) !== headerCrc) return undefined;
  const bodyLength = view.getUint32(at + 4, true);
  const flags = view.getUint8(at + 15);
  return {
    position: view.getFloat64(at + 16, true),
    previous: view.getFloat64(at + 24, true),
    kind: view.getUint8(at + 14),
    isSnapshot: (flags & snapshotFlag) !== 0,
    extra: (flags & extraFlag) === 0 ? undefined : view.getFloat64(at + 32, true),
    nameLength,
    bodyLength,
    bodyCrc: view.getUint32(at + 8, true),
    headerCrc,
    byteLength: recordBytes(nameLength, bodyLength),
  };
}

/** The body of a decoded record that lies whole in `source`, or nothing when it is damaged. */
export function bodyOf(source: Bytes, at: number, header: RecordHeader): Uint8Array | undefined {
  const start = at + recordHeaderBytes + header.nameLength;
  const { buffer } = source;
  const { bodyLength } = header;
  if (start + bodyLength > buffer.length) return undefined;
  // Not a Buffer, whose `slice` does not copy.
  const body = new Uint8Array(buffer.buffer, buffer.byteOffset + start, bodyLength);
  return crc32(body) === header.bodyCrc ? body : undefined;
}

/** Writes a commit's header at `at`; what follows it must be in place. */
export function encodeCommit(target: Bytes, at: number, header: CommitHeader, salt: number): void {
  const { buffer, view } = target;
  view.setUint32(at, commitMagic, true);
  view.setFloat64(at + 8, header.position, true);
  view.setFloat64(at + 16, header.highWater, true);
  view.setUint32(at + 24, header.byteLength, true);
  view.setUint32(at + 28, header.recordCount, true);
  view.setUint32(at + 32, header.recordsCrc, true);
  view.setUint32(at + 36, 0, true);
  view.setUint32(at + 4, crc32(buffer.subarray(at + 8, at + commitHeaderBytes), salt), true);
}

/** The commit header at `at`, or nothing when magic or checksum is not right. */
export function decodeCommit(source: Bytes, at: number, salt: number): CommitHeader | undefined {
  const { buffer, view } = source;
  if (at + commitHeaderBytes > buffer.length) return undefined;
  if (view.getUint32(at, true) !== commitMagic) return undefined;
  const crc = crc32(buffer.subarray(at + 8, at + commitHeaderBytes), salt);
  if (crc !== view.getUint32(at + 4, true)) return undefined;
  return {
    position: view.getFloat64(at + 8, true),
    highWater: view.getFloat64(at + 16, true),
    byteLength: view.getUint32(at + 24, true),
    recordCount: view.getUint32(at + 28, true),
    recordsCrc: view.getUint32(at + 32, true),
  };
}
