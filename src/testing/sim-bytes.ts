/** Bytes that can grow: the content of a simulated file. */

/** A content that grows by doubling, and reads as zeros where nothing was written. */
export class SimBytes {
  #bytes = new Uint8Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** A copy of up to `length` bytes from `offset`; fewer only at the end. */
  read(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(offset, Math.min(this.#size, offset + length));
  }

  write(offset: number, bytes: Uint8Array): void {
    this.resize(Math.max(this.#size, offset + bytes.length));
    this.#bytes.set(bytes, offset);
  }

  /** Cuts the end off, or adds zeros. */
  resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, this.#bytes.length * 2, 256));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    } else if (size < this.#size) {
      this.#bytes.fill(0, size, this.#size);
    }
    this.#size = size;
  }

  /** Turns one bit over. Harmless beyond the end. */
  flip(offset: number, bit: number): void {
    if (offset >= this.#size) return;
    this.#bytes[offset] = (this.#bytes[offset] ?? 0) ^ (1 << bit);
  }

  /** Takes over the content of another. */
  copyFrom(source: SimBytes): void {
    this.#bytes = source.#bytes.slice(0, source.#size);
    this.#size = source.#size;
  }
}
