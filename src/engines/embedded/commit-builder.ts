/** Collects the records of one commit in one buffer, which is written to the disk as it is. */
import { crc32 } from 'node:zlib';
import {
  type Bytes,
  bytesOf,
  commitHeaderBytes,
  encodeCommit,
  encodeRecord,
  type RecordDraft,
  recordBytes,
} from './frame.ts';

const bufferBytesKept = 8 << 20;
const bufferBytesMin = 64 << 10;

/** A commit that is being put together. */
export class CommitBuilder {
  readonly #salt: number;
  #target: Bytes = bytesOf(new Uint8Array(bufferBytesMin));
  #headerCrcs: Bytes = bytesOf(new Uint8Array(1_024));
  #position = 0;
  #length = 0;
  #recordCount = 0;

  constructor(salt: number) {
    this.#salt = salt;
  }

  /** Begins a commit at a place; `bytes` is how much it will take at most, without its header. */
  start(position: number, bytes: number): void {
    const needed = bytes + commitHeaderBytes;
    const isTooLarge = this.#target.buffer.length > bufferBytesKept && needed <= bufferBytesKept;
    if (needed > this.#target.buffer.length || isTooLarge) {
      this.#target = bytesOf(new Uint8Array(Math.max(needed * 1.5, bufferBytesMin) & ~7));
    }
    this.#position = position;
    this.#length = commitHeaderBytes;
    this.#recordCount = 0;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** The place that the next record gets. */
  get nextPosition(): number {
    return this.#position + this.#length;
  }

  /** Adds a record, whose position must be {@link CommitBuilder.nextPosition}. */
  add(draft: RecordDraft): void {
    const crc = encodeRecord(this.#target, this.#length, draft, this.#salt);
    this.#length += recordBytes(draft.name.length, draft.body.length);
    this.#noteCrc(crc);
    this.#recordCount += 1;
  }

  /** Completes the commit and returns its bytes, which are valid until the next start. */
  finish(highWater: number): Uint8Array {
    const recordsCrc = crc32(this.#headerCrcs.buffer.subarray(0, this.#recordCount * 4));
    const header = {
      position: this.#position,
      highWater,
      byteLength: this.#length,
      recordCount: this.#recordCount,
      recordsCrc,
    };
    encodeCommit(this.#target, 0, header, this.#salt);
    return this.#target.buffer.subarray(0, this.#length);
  }

  #noteCrc(crc: number): void {
    const at = this.#recordCount * 4;
    if (at + 4 > this.#headerCrcs.buffer.length) {
      const grown = bytesOf(new Uint8Array(this.#headerCrcs.buffer.length * 2));
      grown.buffer.set(this.#headerCrcs.buffer);
      this.#headerCrcs = grown;
    }
    this.#headerCrcs.view.setUint32(at, crc, true);
  }
}
