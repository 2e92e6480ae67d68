/**
 * Values to bytes. One buffer is written at a time: its position lives in this module while a value
 * is being written, which makes a byte cost one store. The format is in `codec-format.ts`.
 */
import { TroupeError } from '../core/errors.ts';
import { refusalOf } from '../core/value-refusal.ts';
import { encodedDepthMax, extension } from './codec-format.ts';

/** What writes a list part by part, where building it first would cost more than writing it. */
export interface PartWriter {
  /** Begins a list; so many parts follow. */
  list(length: number): void;
  value(value: unknown): void;
  /** Bytes that are held as a string of one byte a character. */
  latin1(text: string): void;
}

/** Thrown within a walk, and replaced by an error that names the path. */
const refused: TroupeError = new TroupeError('NOT_SERIALIZABLE', { detail: 'not plain data' });

const sharedBytesKept = 1 << 20;
/** What fits the shortest header; a loop over so few units costs less than a call into Node. */
const shortLengthMax = 31;
const headerBytesMax = 6;

const scratch: DataView = new DataView(new ArrayBuffer(8));
const scratchBytes: Uint8Array = new Uint8Array(scratch.buffer);

let target: Buffer = Buffer.allocUnsafeSlow(1 << 14);
let position = 0;

const slabBytes = 1 << 16;
/** What is larger mostly gets memory of its own. */
const slabRoomMin = 1 << 13;
let slab: Buffer = Buffer.allocUnsafeSlow(slabBytes);
let slabUsed = 0;

/**
 * The bytes of a value, in memory of their own.
 *
 * @throws `NOT_SERIALIZABLE` when the value is not plain data.
 */
export function encodeValue(value: unknown): Uint8Array {
  // A getter within the value may encode another one: that is written behind this one's start.
  const start = position;
  try {
    writeRoot(value);
    return new Uint8Array(target.subarray(start, position));
  } finally {
    rewind(start);
  }
}

/**
 * The bytes of what `write` writes of `subject`, in memory shared with others that were made so:
 * one slab holds hundreds, as a buffer for each costs more than its bytes.
 *
 * @throws `NOT_SERIALIZABLE` when a value is not plain data.
 */
export function encodeParts<Subject>(
  write: (writer: PartWriter, subject: Subject) => void,
  subject: Subject,
): Uint8Array {
  if (slab.length - slabUsed < slabRoomMin) {
    slab = Buffer.allocUnsafeSlow(slabBytes);
    slabUsed = 0;
  }
  const outerTarget = target;
  const outerPosition = position;
  const start = slabUsed;
  target = slab;
  position = start;
  try {
    write(partWriter, subject);
    // What did not fit has moved to memory of its own, and the slab is as it was.
    if (target === slab) slabUsed = position;
    return new Uint8Array(target.buffer, start, position - start);
  } catch (thrown) {
    throw explained(thrown, subject);
  } finally {
    target = outerTarget;
    position = outerPosition;
  }
}

/**
 * The bytes of what `write` writes of `subject`, as a string of one byte a character.
 *
 * @throws `NOT_SERIALIZABLE` when a value is not plain data.
 */
export function encodePartsAsText<Subject>(
  write: (writer: PartWriter, subject: Subject) => void,
  subject: Subject,
): string {
  const start = position;
  try {
    write(partWriter, subject);
    return target.toString('latin1', start, position);
  } catch (thrown) {
    throw explained(thrown, subject);
  } finally {
    rewind(start);
  }
}

const partWriter: PartWriter = {
  list: writeArrayHeader,
  value: value => writeAny(value, 0),
  latin1: writeLatin1,
};

function writeRoot(value: unknown): void {
  try {
    writeAny(value, 0);
  } catch (thrown) {
    throw explained(thrown, value);
  }
}

function rewind(start: number): void {
  position = start;
  if (start === 0 && target.length > sharedBytesKept) target = Buffer.allocUnsafeSlow(1 << 14);
}

function explained(thrown: unknown, value: unknown): TroupeError {
  if (TroupeError.is(thrown) && thrown !== refused) return thrown;
  return refusalOf(value, 'value', thrown === refused ? undefined : thrown);
}

function reserve(bytes: number): void {
  if (position + bytes <= target.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(target.length * 2, position + bytes));
  target.copy(larger, 0, 0, position);
  target = larger;
}

function writeAny(value: unknown, depth: number): void {
  if (typeof value === 'string') writeString(value);
  else if (typeof value === 'number') writeNumber(value);
  else if (typeof value === 'object' && value !== null) writeObject(value, depth);
  else if (value === null) writeByte(0xc0);
  else if (typeof value === 'boolean') writeByte(value ? 0xc3 : 0xc2);
  else if (value === undefined) writeMarker(extension.undefined);
  else if (typeof value === 'bigint') writeBigint(value);
  else throw refused;
}

function writeByte(byte: number): void {
  reserve(1);
  target[position++] = byte;
}

/** A fixext 1 without content: its type says all. */
function writeMarker(type: number): void {
  reserve(3);
  target[position++] = 0xd4;
  target[position++] = type;
  target[position++] = 0;
}

function writeNumber(value: number): void {
  reserve(9);
  if (value === (value | 0) && !Object.is(value, -0)) {
    writeInt(value);
  } else if (value > 0x7fffffff && value <= 0xffffffff && Number.isInteger(value)) {
    target[position++] = 0xce;
    writeUint32(value);
  } else {
    target[position++] = 0xcb;
    writeFloat(value);
  }
}

/** A whole number of 32 bits with sign. */
function writeInt(value: number): void {
  if (value >= -32 && value < 0x80) {
    target[position++] = value & 0xff;
  } else if (value >= 0 && value < 0x10000) {
    if (value >= 0x100) {
      target[position++] = 0xcd;
      target[position++] = value >> 8;
    } else target[position++] = 0xcc;
    target[position++] = value & 0xff;
  } else {
    target[position++] = value < 0 ? 0xd2 : 0xce;
    writeUint32(value);
  }
}

function writeUint32(value: number): void {
  target[position++] = (value >>> 24) & 0xff;
  target[position++] = (value >>> 16) & 0xff;
  target[position++] = (value >>> 8) & 0xff;
  target[position++] = value & 0xff;
}

function writeFloat(value: number): void {
  scratch.setFloat64(0, value);
  const bytes = target;
  const start = position;
  for (let index = 0; index < 8; index++) bytes[start + index] = scratchBytes[index] as number;
  position = start + 8;
}

function writeString(value: string): void {
  if (value.length > shortLengthMax || !writeShortAscii(value)) writeText(value);
}

/** Writes a short string if it is ASCII; writes nothing if it is not. */
function writeShortAscii(value: string): boolean {
  reserve(1 + value.length);
  const bytes = target;
  let index = position;
  bytes[index++] = 0xa0 | value.length;
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    if (unit >= 0x80) return false;
    bytes[index++] = unit;
  }
  position = index;
  return true;
}

function writeText(value: string): void {
  const length = Buffer.byteLength(value);
  // What takes a byte for each unit is ASCII; only other text can be ill-formed.
  if (length !== value.length && !value.isWellFormed()) {
    writeIllFormedString(value);
    return;
  }
  reserve(headerBytesMax + length);
  writeLength(length, 0xd9);
  target.write(value, position, 'utf8');
  position += length;
}

function writeIllFormedString(value: string): void {
  reserve(headerBytesMax + value.length * 2);
  writeExtensionHeader(value.length * 2, extension.illFormedString);
  target.write(value, position, 'utf16le');
  position += value.length * 2;
}

/** A length of 1, 2 or 4 bytes behind the code for that width: `code8`, or one or two above it. */
function writeLength(length: number, code8: number): void {
  if (length < 0x100) {
    target[position++] = code8;
  } else if (length < 0x10000) {
    target[position++] = code8 + 1;
    target[position++] = length >> 8;
  } else {
    target[position++] = code8 + 2;
    target[position++] = (length >>> 24) & 0xff;
    target[position++] = (length >>> 16) & 0xff;
    target[position++] = (length >>> 8) & 0xff;
  }
  target[position++] = length & 0xff;
}

function writeExtensionHeader(length: number, type: number): void {
  writeLength(length, 0xc7);
  target[position++] = type;
}

function writeBigint(value: bigint): void {
  const magnitude = value < 0n ? -value - 1n : value;
  // One hexadecimal digit more than needed leaves room for the sign.
  const length = (magnitude.toString(16).length >> 1) + 1;
  const digits = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, '0');
  reserve(headerBytesMax + length);
  writeExtensionHeader(length, extension.bigint);
  target.write(digits, position, 'hex');
  position += length;
}

function writeObject(value: object, depth: number): void {
  if (depth >= encodedDepthMax) throw refused;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) writeRecord(value, depth);
  else if (Array.isArray(value)) writeArray(value, depth);
  else if (value instanceof Map) writeMap(value, depth);
  else if (value instanceof Set) writeSet(value, depth);
  else if (value instanceof Uint8Array) writeBytes(value);
  else if (value instanceof Date) writeDate(value);
  else throw refused;
}

function writeArrayHeader(length: number): void {
  reserve(5);
  if (length < 16) {
    target[position++] = 0x90 | length;
  } else writeLength16(length, 0xdc);
}

/** A length of 2 or 4 bytes behind `code16` or the code above it. */
function writeLength16(length: number, code16: number): void {
  if (length < 0x10000) {
    target[position++] = code16;
    target[position++] = length >> 8;
    target[position++] = length & 0xff;
  } else {
    target[position++] = code16 + 1;
    writeUint32(length);
  }
}

function writeArray(value: readonly unknown[], depth: number): void {
  writeArrayHeader(value.length);
  for (let index = 0; index < value.length; index++) writeAny(value[index], depth + 1);
}

function writeRecord(value: object, depth: number): void {
  const keys = Object.keys(value);
  reserve(5);
  if (keys.length < 16) target[position++] = 0x80 | keys.length;
  else writeLength16(keys.length, 0xde);
  const record = value as Record<string, unknown>;
  for (const key of keys) {
    if (key === '__proto__') throw refused;
    writeString(key);
    writeAny(record[key], depth + 1);
  }
}

function writeMap(value: ReadonlyMap<unknown, unknown>, depth: number): void {
  writeMarker(extension.map);
  writeArrayHeader(value.size * 2);
  for (const [key, item] of value) {
    writeAny(key, depth + 1);
    writeAny(item, depth + 1);
  }
}

function writeSet(value: ReadonlySet<unknown>, depth: number): void {
  writeMarker(extension.set);
  writeArrayHeader(value.size);
  for (const item of value) writeAny(item, depth + 1);
}

function writeBytes(value: Uint8Array): void {
  reserve(headerBytesMax + value.length);
  writeLength(value.length, 0xc4);
  target.set(value, position);
  position += value.length;
}

function writeLatin1(text: string): void {
  reserve(headerBytesMax + text.length);
  writeLength(text.length, 0xc4);
  for (let at = 0; at < text.length; at++) target[position++] = text.charCodeAt(at);
}

function writeDate(value: Date): void {
  reserve(10);
  target[position++] = 0xd7;
  target[position++] = extension.date;
  writeFloat(value.getTime());
}
