/** Large values in memory, by the SHA-256 of their content. */
import { createHash } from 'node:crypto';
import { TroupeError } from '../../core/errors.ts';
import type { Blob } from '../../ports/blob.ts';
import type { Clock } from '../../ports/clock.ts';

interface Stored {
  readonly bytes: Uint8Array;
  readonly storedAt: number;
}

/** Makes a store of blobs in memory. The clock says how old they are. */
export function memoryBlobs(clock: Clock): MemoryBlobs {
  return new MemoryBlobs(clock);
}

/** A store of blobs in memory, with its switch. */
export class MemoryBlobs {
  readonly #clock: Clock;
  readonly #blobs = new Map<string, Stored>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A handle on the store. Closing it leaves the store as it is. */
  open(): Blob {
    return new MemoryBlob(this);
  }

  /** Damages a blob by one bit. */
  damage(id: string): void {
    const stored = this.#blobs.get(id);
    if (stored !== undefined) stored.bytes[0] = (stored.bytes[0] ?? 0) ^ 1;
  }

  /** Stores bytes; the same bytes again count as new, and mend what was damaged. For handles. */
  put(bytes: Uint8Array): string {
    const id = hashOf(bytes);
    this.#blobs.set(id, { bytes: new Uint8Array(bytes), storedAt: this.#clock.now() });
    return id;
  }

  /** Reads bytes and checks them. For handles. */
  get(id: string): Uint8Array | undefined {
    const stored = this.#blobs.get(id);
    if (stored === undefined) return undefined;
    if (hashOf(stored.bytes) !== id) {
      throw new TroupeError('LOG_CORRUPT', { detail: `blob ${id} does not fit its hash` });
    }
    return new Uint8Array(stored.bytes);
  }

  /** Removes what is old and not kept. For handles. */
  sweep(keep: ReadonlySet<string>, olderThanMs: number): number {
    const limit = this.#clock.now() - olderThanMs;
    const swept = [...this.#blobs].filter(
      ([id, stored]) => stored.storedAt < limit && !keep.has(id),
    );
    for (const [id] of swept) this.#blobs.delete(id);
    return swept.length;
  }
}

class MemoryBlob implements Blob {
  readonly #store: MemoryBlobs;
  #isClosed = false;

  constructor(store: MemoryBlobs) {
    this.#store = store;
  }

  async put(bytes: Uint8Array): Promise<string> {
    this.#refuseClosed();
    return this.#store.put(bytes);
  }

  async get(id: string): Promise<Uint8Array | undefined> {
    this.#refuseClosed();
    return this.#store.get(id);
  }

  async sweep(keep: ReadonlySet<string>, olderThanMs: number): Promise<number> {
    this.#refuseClosed();
    return this.#store.sweep(keep, olderThanMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new TroupeError('NOT_STARTED', { detail: 'the blobs are closed' });
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
