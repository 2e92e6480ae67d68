/**
 * What the engine knows of every log without reading it: a table of flat arrays, because a million
 * objects would take ten times the memory and all be walked by the garbage collector. A row is
 * never removed; rows are found by an open-addressed table of row numbers.
 *
 * @remarks A row takes 40 bytes and its name, and 6 to 12 bytes in the table of row numbers. Pages
 * are added one at a time, so that growing copies nothing but the row numbers.
 */
import { TroupeError } from '../../core/errors.ts';

/** The rows of one page. */
export const rowsPerPage = 16_384;
/** The bytes of one page of names. */
export const namePageBytes: number = 1 << 20;

const rowShift = 14;
const rowMask = rowsPerPage - 1;
const nameShift = 20;
const nameMask = namePageBytes - 1;
const slotsMin = 1_024;
const loadMax = 0.7;
const rowsMax = 2 ** 31;
const nameBytesTotalMax = 2 ** 32 - namePageBytes;

/** The bytes of a name inside a larger buffer. */
export interface NameSpan {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The pages behind an {@link IndexTable}: four numbers and two words a row, and the names. */
export interface IndexPages {
  rowCount: number;
  nameBytes: number;
  readonly numbers: Float64Array[];
  readonly words: Uint32Array[];
  readonly names: Uint8Array[];
}

/** All logs of a store: where each one ends, begins, and when it wants to be woken. */
export class IndexTable {
  /** The pages themselves; a checkpoint copies them. */
  readonly pages: IndexPages;
  #slots = new Uint32Array(0);

  constructor(
    pages: IndexPages = { rowCount: 0, nameBytes: 0, numbers: [], words: [], names: [] },
  ) {
    this.pages = pages;
    this.#rebuildSlots();
  }

  /** How many rows there are, those of logs without records included. */
  get rowCount(): number {
    return this.pages.rowCount;
  }

  /** The place of the last record, or 0. */
  tail(row: number): number {
    return this.#number(row, 0);
  }

  /** The place of the newest snapshot, or 0. */
  snapshot(row: number): number {
    return this.#number(row, 1);
  }

  /** The first place that is kept; 0 when nothing was trimmed. */
  firstKept(row: number): number {
    return this.#number(row, 2);
  }

  /** When the log wants to be woken; `Infinity` for never. */
  wakeAt(row: number): number {
    return this.#number(row, 3);
  }

  setTail(row: number, tail: number): void {
    this.#setNumber(row, 0, tail);
  }

  setSnapshot(row: number, snapshot: number): void {
    this.#setNumber(row, 1, snapshot);
  }

  setFirstKept(row: number, firstKept: number): void {
    this.#setNumber(row, 2, firstKept);
  }

  setWakeAt(row: number, wakeAt: number): void {
    this.#setNumber(row, 3, wakeAt);
  }

  /** The row of a name, or -1. */
  find(name: NameSpan): number {
    const hash = hashOf(name);
    return (this.#slots[this.#slotOf(name, hash)] ?? 0) - 1;
  }

  /** The row of a name, which is made when there is none. */
  findOrAdd(name: NameSpan): number {
    const hash = hashOf(name);
    const slot = this.#slotOf(name, hash);
    const row = (this.#slots[slot] ?? 0) - 1;
    if (row >= 0) return row;
    const added = this.#addRow(name, hash);
    this.#slots[slot] = added + 1;
    if (this.pages.rowCount > this.#slots.length * loadMax) this.#rebuildSlots();
    return added;
  }

  /** The bytes of a row's name, not copied. */
  nameBytes(row: number): Uint8Array {
    const at = this.#word(row, 1);
    const page = this.pages.names[at >>> nameShift] as Uint8Array; // A row's name has its page.
    const start = (at & nameMask) + 2;
    return page.subarray(start, start + lengthAt(page, at & nameMask));
  }

  /** Whether a row's name begins with `prefix`. */
  startsWith(row: number, prefix: Uint8Array): boolean {
    const at = this.#word(row, 1);
    const page = this.pages.names[at >>> nameShift] as Uint8Array; // A row's name has its page.
    const start = at & nameMask;
    return lengthAt(page, start) >= prefix.length && hasAt(page, start + 2, prefix);
  }

  /** The slot that holds the row of that name, or the free one where it belongs. */
  #slotOf(name: NameSpan, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const row = (this.#slots[slot] ?? 0) - 1;
      if (row < 0 || (this.#word(row, 0) === hash && this.#hasName(row, name))) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #hasName(row: number, name: NameSpan): boolean {
    const at = this.#word(row, 1);
    const page = this.pages.names[at >>> nameShift] as Uint8Array; // A row's name has its page.
    const start = at & nameMask;
    const length = name.end - name.start;
    if (lengthAt(page, start) !== length) return false;
    for (let index = 0; index < length; index += 1) {
      if (page[start + 2 + index] !== name.bytes[name.start + index]) return false;
    }
    return true;
  }

  #addRow(name: NameSpan, hash: number): number {
    const { pages } = this;
    const row = pages.rowCount;
    if (row >= rowsMax || pages.nameBytes >= nameBytesTotalMax) {
      throw new TroupeError('OVERLOADED', { detail: `the index holds ${row} logs, its limit` });
    }
    if ((row & rowMask) === 0) addRowPage(pages);
    const at = this.#addName(name);
    pages.rowCount = row + 1;
    const words = pages.words[row >>> rowShift] as Uint32Array; // Added above, if need be.
    words[(row & rowMask) * 2] = hash;
    words[(row & rowMask) * 2 + 1] = at;
    this.setWakeAt(row, Number.POSITIVE_INFINITY);
    return row;
  }

  /** A name lies within one page; what is left of a page that is too small is not used. */
  #addName(name: NameSpan): number {
    const { pages } = this;
    const length = name.end - name.start;
    let at = pages.nameBytes;
    if ((at & nameMask) + 2 + length > namePageBytes) at = (at & ~nameMask) + namePageBytes;
    at >>>= 0;
    if (at >>> nameShift >= pages.names.length) pages.names.push(new Uint8Array(namePageBytes));
    const page = pages.names[at >>> nameShift] as Uint8Array; // Added above, if need be.
    const start = at & nameMask;
    page[start] = length & 0xff;
    page[start + 1] = length >>> 8;
    page.set(name.bytes.subarray(name.start, name.end), start + 2);
    pages.nameBytes = at + 2 + length;
    return at;
  }

  #rebuildSlots(): void {
    const { rowCount } = this.pages;
    let length = slotsMin;
    while (rowCount > length * loadMax) length *= 2;
    // Twice the room at once, so that a growing table is rebuilt seldom.
    if (this.#slots.length > 0 && length === this.#slots.length) length *= 2;
    const slots = new Uint32Array(length);
    for (let row = 0; row < rowCount; row += 1) {
      let slot = this.#word(row, 0) & (length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (length - 1);
      slots[slot] = row + 1;
    }
    this.#slots = slots;
  }

  #number(row: number, column: number): number {
    const page = this.pages.numbers[row >>> rowShift];
    return page?.[(row & rowMask) * 4 + column] ?? 0;
  }

  #setNumber(row: number, column: number, value: number): void {
    const page = this.pages.numbers[row >>> rowShift] as Float64Array; // Rows have their pages.
    page[(row & rowMask) * 4 + column] = value;
  }

  #word(row: number, column: number): number {
    return this.pages.words[row >>> rowShift]?.[(row & rowMask) * 2 + column] ?? 0;
  }
}

/** A whole buffer as the span of a name. */
export function spanOf(bytes: Uint8Array): NameSpan {
  return { bytes, start: 0, end: bytes.length };
}

function addRowPage(pages: IndexPages): void {
  pages.numbers.push(new Float64Array(rowsPerPage * 4));
  pages.words.push(new Uint32Array(rowsPerPage * 2));
}

/** FNV-1a with a final mix, because the low bits choose the slot. */
function hashOf({ bytes, start, end }: NameSpan): number {
  let hash = 0x811c_9dc5;
  for (let index = start; index < end; index += 1) {
    hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x0100_0193);
  }
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85eb_ca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function lengthAt(page: Uint8Array, at: number): number {
  return (page[at] ?? 0) | ((page[at + 1] ?? 0) << 8);
}

function hasAt(page: Uint8Array, at: number, bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index += 1) {
    if (page[at + index] !== bytes[index]) return false;
  }
  return true;
}
