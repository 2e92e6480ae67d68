/**
 * Bytes to values. Every length is checked against what is left before anything is made of it, no
 * class but the built-in ones of `codec-format.ts` comes to life, and damaged bytes end in an
 * error. That bytes are those once written is for checksums to tell: other bytes may make another
 * value.
 */
import { TroupeError } from '../core/errors.ts';
import { encodedDepthMax, extension } from './codec-format.ts';

const scratch: DataView = new DataView(new ArrayBuffer(8));
const scratchBytes: Uint8Array = new Uint8Array(scratch.buffer);

/** Keys recur: each of these slots remembers the last key with its hash. */
const keySlots: string[] = new Array(1024).fill('');
const keyLengthMax = 31;
/** Strings up to this length are read by a loop; a call into Node costs more than that. */
const loopLengthMax = 6;

let source: Uint8Array = new Uint8Array(0);
let sourceText: Buffer | undefined;
let position = 0;
let end = 0;

/**
 * The value that the bytes encode; it shares no memory with them.
 *
 * @throws `LOG_CORRUPT` when the bytes are no encoded value, or more than one.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  source = bytes;
  sourceText = undefined;
  position = 0;
  end = bytes.length;
  try {
    const value = readAny(0);
    if (position !== end) throw corrupt(`${end - position} bytes follow the value`);
    return value;
  } finally {
    // Nothing of the caller's is kept alive.
    source = scratchBytes;
    sourceText = undefined;
  }
}

function corrupt(what: string): TroupeError {
  return new TroupeError('LOG_CORRUPT', {
    detail: `the stored value cannot be decoded at byte ${position} of ${end}: ${what}`,
  });
}

/** Checks that so many bytes are left, and gives the place where they begin. */
function take(length: number): number {
  const start = position;
  if (length > end - start) throw corrupt('it ends too early');
  position = start + length;
  return start;
}

function byteAt(index: number): number {
  return source[index] as number; // `take` has checked that it lies within.
}

function readAny(depth: number): unknown {
  const code = byteAt(take(1));
  if (code < 0x80) return code;
  if (code < 0x90) return readRecord(code & 0x0f, depth);
  if (code < 0xa0) return readArray(code & 0x0f, depth);
  if (code < 0xc0) return readString(code & 0x1f);
  if (code >= 0xe0) return code - 0x100;
  return readCoded(code, depth);
}

function readCoded(code: number, depth: number): unknown {
  switch (code) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xcb:
      return readFloat();
    case 0xcc:
    case 0xcd:
    case 0xce:
      return readUint(1 << (code - 0xcc));
    case 0xd2:
      return readUint(4) | 0;
    case 0xd4:
      return readMarked(depth);
    case 0xd7:
      return readDate();
    default:
      return readSized(code, depth);
  }
}

/** Values that begin with their length. */
function readSized(code: number, depth: number): unknown {
  switch (code) {
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return readBytes(readUint(1 << (code - 0xc4)));
    case 0xc7:
    case 0xc8:
    case 0xc9:
      return readExtension(readUint(1 << (code - 0xc7)));
    case 0xd9:
    case 0xda:
    case 0xdb:
      return readString(readUint(1 << (code - 0xd9)));
    case 0xdc:
    case 0xdd:
      return readArray(readUint(2 << (code - 0xdc)), depth);
    case 0xde:
    case 0xdf:
      return readRecord(readUint(2 << (code - 0xde)), depth);
    default:
      throw corrupt(`code ${code} has no meaning`);
  }
}

function readUint(bytes: number): number {
  let index = take(bytes);
  let value = 0;
  while (index < position) value = value * 256 + byteAt(index++);
  return value;
}

function readFloat(): number {
  const start = take(8);
  for (let index = 0; index < 8; index++) scratchBytes[index] = byteAt(start + index);
  return scratch.getFloat64(0);
}

function readDate(): Date {
  if (byteAt(take(1)) !== extension.date) throw corrupt('an extension has no meaning');
  return new Date(readFloat());
}

function readBytes(length: number): Uint8Array {
  const start = take(length);
  return new Uint8Array(source.subarray(start, position));
}

function textSource(): Buffer {
  sourceText ??= Buffer.from(source.buffer, source.byteOffset, source.length);
  return sourceText;
}

function readString(length: number): string {
  const start = take(length);
  if (length <= loopLengthMax) {
    const text = shortAscii(start, length);
    if (text !== undefined) return text;
  }
  const text = textSource().toString('utf8', start, position);
  // A replacement character is there by itself, or stands for bytes that are no text.
  if (text.includes('\ufffd') && !isTextOf(text, start)) throw corrupt('a string is not UTF-8');
  return text;
}

function isTextOf(text: string, start: number): boolean {
  return Buffer.from(text, 'utf8').equals(textSource().subarray(start, position));
}

function shortAscii(start: number, length: number): string | undefined {
  let text = '';
  for (let index = start; index < start + length; index++) {
    const unit = byteAt(index);
    if (unit >= 0x80) return undefined;
    text += String.fromCharCode(unit);
  }
  return text;
}

function readExtension(length: number): unknown {
  const type = byteAt(take(1));
  const start = take(length);
  if (type === extension.bigint && length > 0) {
    const digits = textSource().toString('hex', start, position);
    return BigInt.asIntN(length * 8, BigInt(`0x${digits}`));
  }
  if (type === extension.illFormedString && length % 2 === 0) {
    return textSource().toString('utf16le', start, position);
  }
  throw corrupt(`extension ${type} of ${length} bytes has no meaning`);
}

function readMarked(depth: number): unknown {
  const type = byteAt(take(1));
  if (byteAt(take(1)) !== 0) throw corrupt('an extension has no meaning');
  if (type === extension.undefined) return undefined;
  if (type !== extension.map && type !== extension.set) {
    throw corrupt(`extension ${type} has no meaning`);
  }
  const items = readArray(readArrayLength(), depth);
  return type === extension.set ? new Set(items) : mapOf(items);
}

function readArrayLength(): number {
  const code = byteAt(take(1));
  if (code >= 0x90 && code < 0xa0) return code & 0x0f;
  if (code === 0xdc || code === 0xdd) return readUint(2 << (code - 0xdc));
  throw corrupt('a Map or Set lacks its items');
}

function mapOf(items: readonly unknown[]): Map<unknown, unknown> {
  if (items.length % 2 !== 0) throw corrupt('a Map lacks its last value');
  const map = new Map<unknown, unknown>();
  for (let index = 0; index < items.length; index += 2) map.set(items[index], items[index + 1]);
  return map;
}

/** Checks a container before it is made: each part takes a byte at least. */
function checkContainer(partsMin: number, depth: number): void {
  if (partsMin > end - position) throw corrupt('it ends too early');
  if (depth >= encodedDepthMax) throw corrupt(`it is nested deeper than ${encodedDepthMax}`);
}

function readArray(length: number, depth: number): unknown[] {
  checkContainer(length, depth);
  // Not allocated at once: nested lengths that lie would add up.
  const items: unknown[] = [];
  for (let index = 0; index < length; index++) items.push(readAny(depth + 1));
  return items;
}

function readRecord(length: number, depth: number): Record<string, unknown> {
  checkContainer(length * 2, depth);
  const record: Record<string, unknown> = {};
  for (let index = 0; index < length; index++) {
    const key = readKey();
    record[key] = readAny(depth + 1);
  }
  return record;
}

function readKey(): string {
  const code = byteAt(take(1));
  if (code >= 0xa0 && code <= 0xa0 + keyLengthMax) return readCachedKey(code & 0x1f);
  position--;
  const key = readAny(encodedDepthMax);
  if (typeof key !== 'string') throw corrupt('a key is no string');
  return checkedKey(key);
}

function checkedKey(key: string): string {
  if (key === '__proto__') throw corrupt('a key could change a prototype');
  return key;
}

function readCachedKey(length: number): string {
  const start = take(length);
  const bytes = source;
  let hash = length;
  for (let index = start; index < start + length; index++) {
    hash = Math.imul(hash, 31) + (bytes[index] as number);
  }
  const known = keySlots[hash & 0x3ff] as string; // Every slot holds a string.
  if (known.length === length && isAsciiAt(known, start)) return known;
  position = start;
  const key = checkedKey(readString(length));
  if (key.length === length) keySlots[hash & 0x3ff] = key;
  return key;
}

function isAsciiAt(text: string, start: number): boolean {
  const bytes = source;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
