/**
 * Cuts a stream of bytes into frames: four bytes of length, big-endian, then as many bytes. Pure,
 * so that every way a stream can be cut into chunks is cheap to test. A frame that lies in one
 * chunk is a view of it; nothing is set aside for a length that is only announced.
 */

/** How many bytes of length stand before each frame. */
export const headerBytes = 4;

/** What is left over between two chunks. */
export class FrameReader {
  readonly #frameBytesMax: number;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #needed = headerBytes;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Whether the stream stands between two frames. */
  get isAtBoundary(): boolean {
    return this.#length === 0;
  }

  /** The frames that `chunk` completes, or `undefined` when one is announced that is too large. */
  push(chunk: Uint8Array): Uint8Array[] | undefined {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed) return [];

    const bytes = this.#join();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const frames: Uint8Array[] = [];
    let offset = 0;
    this.#needed = headerBytes;
    while (bytes.length - offset >= headerBytes) {
      const frameBytes = view.getUint32(offset);
      if (frameBytes > this.#frameBytesMax) return undefined;
      const end = offset + headerBytes + frameBytes;
      this.#needed = end - offset;
      if (end > bytes.length) break;
      frames.push(bytes.subarray(offset + headerBytes, end));
      offset = end;
      this.#needed = headerBytes;
    }
    this.#keep(bytes.subarray(offset));
    return frames;
  }

  #join(): Uint8Array {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
  }

  #keep(rest: Uint8Array): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
  }
}

/** A frame with its length before it: a copy, so that the sender may go on with its bytes. */
export function encodeFrame(frame: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(headerBytes + frame.length);
  bytes.writeUInt32BE(frame.length, 0);
  bytes.set(frame, headerBytes);
  return bytes;
}
