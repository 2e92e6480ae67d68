/**
 * Reads a file from front to back in large pieces and hands out views on them, so that a scan of
 * millions of small records costs few reads and no copies.
 */
import type { DiskFile } from '../../ports/disk.ts';
import { type Bytes, bytesOf, nameBytesMax, recordHeaderBytes } from './frame.ts';

const windowBytes = 1 << 20;
const recordReachBytes = recordHeaderBytes + nameBytesMax;

/** Bytes of a file: `bytes` from index `at` on. */
export interface Window {
  readonly bytes: Bytes;
  readonly at: number;
}

/** A file up to `end`, one window of it in memory. */
export class WindowReader {
  readonly #file: DiskFile;
  readonly #end: number;
  #start = 0;
  #bytes = bytesOf(new Uint8Array(0));

  constructor(file: DiskFile, end: number) {
    this.#file = file;
    this.#end = end;
  }

  /** The bytes if they are in memory: loops ask this first, because each `await` costs. */
  held(offset: number, length: number): Window | undefined {
    const at = offset - this.#start;
    const isHeld = at >= 0 && Math.min(offset + length, this.#end) <= this.#heldEnd;
    return isHeld ? { bytes: this.#bytes, at } : undefined;
  }

  /** At least `length` bytes from `offset` on, or as many as there are before the end. */
  async window(offset: number, length: number): Promise<Window> {
    const held = this.held(offset, length);
    if (held !== undefined) return held;
    const wanted = Math.min(Math.max(length, windowBytes), Math.max(0, this.#end - offset));
    this.#bytes = bytesOf(await this.#file.read(offset, wanted));
    this.#start = offset;
    return { bytes: this.#bytes, at: 0 };
  }

  /** The same for the header of any record, if it is in memory. */
  heldRecord(offset: number): Window | undefined {
    return this.held(offset, recordReachBytes);
  }

  /** Enough bytes from `offset` on for the header of any record with its name. */
  record(offset: number): Promise<Window> {
    return this.window(offset, recordReachBytes);
  }

  get #heldEnd(): number {
    return this.#start + this.#bytes.buffer.length;
  }
}
