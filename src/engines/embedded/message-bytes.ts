/**
 * Writes and reads the messages between a thread and its storage worker: numbers and bytes one
 * behind the other, because one buffer handed over costs far less than an object copied.
 */
import { invariant } from '../../core/errors.ts';

const roomMin = 64 << 10;
const roomKept = 4 << 20;
/** Names of agents are mostly shorter. */
const shortLengthMax = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Puts a message together. */
export class MessageWriter {
  #bytes = new Uint8Array(roomMin);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** The bytes written so far. */
  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#view.setUint8(this.#length, value);
    this.#length += 1;
  }

  integer(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  number(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  bytes(value: Uint8Array): void {
    this.integer(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  text(value: string): void {
    if (value.length <= shortLengthMax && this.#shortAscii(value)) return;
    const bytesMax = value.length * 3;
    this.#reserve(4 + bytesMax);
    const target = this.#bytes.subarray(this.#length + 4, this.#length + 4 + bytesMax);
    const { written } = encoder.encodeInto(value, target);
    this.integer(written);
    this.#length += written;
  }

  /** Writes a short text if it is ASCII, which costs less than a call to the encoder. */
  #shortAscii(value: string): boolean {
    this.#reserve(4 + value.length);
    const start = this.#length + 4;
    for (let at = 0; at < value.length; at += 1) {
      const unit = value.charCodeAt(at);
      if (unit >= 0x80) return false;
      this.#bytes[start + at] = unit;
    }
    this.integer(value.length);
    this.#length += value.length;
    return true;
  }

  /** Writes an integer again that was written at `at`. */
  setInteger(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** Forgets what was written behind `length`. */
  rewind(length: number): void {
    this.#length = length;
  }

  /** The message; the writer is empty again. */
  take(): ArrayBuffer {
    const message = this.#bytes.buffer.slice(0, this.#length);
    this.#length = 0;
    if (this.#bytes.length > roomKept) this.#resize(roomMin);
    return message;
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, this.#bytes.length * 2));
  }

  #resize(room: number): void {
    const resized = new Uint8Array(room);
    resized.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = resized;
    this.#view = new DataView(resized.buffer);
  }
}

/** Takes a message apart, in the order in which it was written. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(message: ArrayBuffer) {
    this.#bytes = new Uint8Array(message);
    this.#view = new DataView(message);
  }

  /** Whether anything is left. */
  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  byte(): number {
    this.#at += 1;
    return this.#view.getUint8(this.#at - 1);
  }

  integer(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  number(): number {
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }

  /** Bytes that share memory with the message. */
  bytes(): Uint8Array {
    const length = this.integer();
    this.#at += length;
    invariant(this.#at <= this.#bytes.length, 'a message of the storage worker is whole');
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return decoder.decode(this.bytes());
  }
}
