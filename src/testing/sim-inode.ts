/**
 * One simulated file, apart from its name: what its readers see, what is on the device, and the
 * changes in between. A flush moves changes to the device; the loss of power keeps some of them.
 */
import { SimBytes } from './sim-bytes.ts';
import type { SimOwner } from './sim-event-heap.ts';
import type { SimRandom } from './sim-random.ts';

/** Bytes that a device writes as a whole or not at all. */
export const sectorBytes = 512;

/** A change of a file's content. */
export type SimChange =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number };

/** What the loss of power did to one file. */
export interface SimLoss {
  lost: number;
  torn: number;
}

/** The content of a file. */
export class SimInode {
  /** What readers see. */
  readonly current: SimBytes = new SimBytes();
  /** What is surely on the device. */
  readonly durable: SimBytes = new SimBytes();
  /** Changes that readers see and the device may not have. */
  #pending: SimChange[] = [];
  /** Changes that were asked for and are not done yet, with who asked. */
  readonly #inFlight = new Map<SimChange, SimOwner>();
  /** Whether readers may see what was never flushed although nothing waits to be. */
  #isAhead = false;

  /** How many changes a loss of power could take. */
  get unflushed(): number {
    return this.#pending.length + this.#inFlight.size;
  }

  /** A change is on its way. */
  begin(change: SimChange, owner: SimOwner): void {
    this.#inFlight.set(change, owner);
  }

  /** A change is done: readers see it. */
  complete(change: SimChange): void {
    this.#inFlight.delete(change);
    applyChange(this.current, change);
    this.#pending.push(change);
  }

  /** A change came to nothing. */
  abandon(change: SimChange): void {
    this.#inFlight.delete(change);
  }

  /** What a flush that begins now will put on the device: changes that are done. */
  flushable(): ReadonlySet<SimChange> {
    return new Set(this.#pending);
  }

  /** The flush is done. */
  flush(changes: ReadonlySet<SimChange>): void {
    for (const change of this.#takePending(changes)) applyChange(this.durable, change);
  }

  /**
   * The flush failed: the device has some of the changes at most, and nobody will ask it again, so
   * a second flush succeeds and proves nothing. Readers go on seeing the changes (as on ext4 and
   * XFS), or see what the device has (as on btrfs).
   */
  failFlush(changes: ReadonlySet<SimChange>, random: SimRandom): void {
    for (const change of this.#takePending(changes)) {
      if (random.chance(0.3)) applyChange(this.durable, change);
    }
    if (random.chance(0.5)) {
      this.#isAhead = true;
      return;
    }
    this.current.copyFrom(this.durable);
    for (const change of this.#pending) applyChange(this.current, change);
  }

  /**
   * The owner died, the machine lives on: each change on its way is done, cut short, or not done.
   */
  dropInFlight(owner: SimOwner, random: SimRandom): void {
    for (const [change, asker] of this.#inFlight) {
      if (asker !== owner) continue;
      this.abandon(change);
      if (random.chance(0.5)) continue;
      for (const part of random.chance(0.5) ? [change] : tear(change, random)) this.complete(part);
    }
  }

  /**
   * Power is lost: each change that was not flushed is kept with probability `kept`, in any order.
   */
  losePower(kept: number, random: SimRandom): SimLoss {
    // Most files have nothing to lose, and copying them all takes long.
    const isEven = this.unflushed === 0 && !this.#isAhead;
    const loss = isEven ? { lost: 0, torn: 0 } : this.#loseSome(kept, random);
    this.#isAhead = false;
    return loss;
  }

  #loseSome(kept: number, random: SimRandom): SimLoss {
    const loss: SimLoss = { lost: 0, torn: 0 };
    const changes = random.shuffle([...this.#pending, ...this.#inFlight.keys()]);
    const survivors = changes.filter(() => random.chance(kept));
    loss.lost = changes.length - survivors.length;
    for (const [place, change] of survivors.entries()) {
      const isTorn = place === survivors.length - 1 ? random.chance(0.7) : random.chance(0.05);
      if (isTorn && change.kind === 'write') loss.torn++;
      for (const part of isTorn ? tear(change, random) : [change]) applyChange(this.durable, part);
    }
    this.#pending = [];
    this.#inFlight.clear();
    this.current.copyFrom(this.durable);
    return loss;
  }

  /** Turns one bit over, wherever the byte at that place is kept. */
  flip(offset: number, bit: number): void {
    this.current.flip(offset, bit);
    this.durable.flip(offset, bit);
    for (const change of this.#pending) {
      if (change.kind !== 'write') continue;
      const place = offset - change.offset;
      const byte = change.bytes[place];
      if (byte !== undefined) change.bytes[place] = byte ^ (1 << bit);
    }
  }

  #takePending(changes: ReadonlySet<SimChange>): SimChange[] {
    const taken = this.#pending.filter(change => changes.has(change));
    this.#pending = this.#pending.filter(change => !changes.has(change));
    return taken;
  }
}

function applyChange(content: SimBytes, change: SimChange): void {
  if (change.kind === 'truncate') content.resize(change.size);
  else content.write(change.offset, change.bytes);
}

/** Parts of a write: all up to a random byte, some of its sectors, or only the new length. */
function tear(change: SimChange, random: SimRandom): SimChange[] {
  if (change.kind === 'truncate') return [change];
  const { offset, bytes } = change;
  const way = random.below(4);
  if (way <= 1) return [{ ...change, bytes: bytes.slice(0, random.below(bytes.length + 1)) }];
  if (way === 3) return someSectors(offset, bytes, random);
  // The length reached the device, the content did not: the end of the file reads as zeros.
  return [{ ...change, offset: offset + bytes.length, bytes: new Uint8Array(0) }];
}

function someSectors(offset: number, bytes: Uint8Array, random: SimRandom): SimChange[] {
  const parts: SimChange[] = [];
  let place = 0;
  while (place < bytes.length) {
    const end = Math.min(bytes.length, place + sectorBytes - ((offset + place) % sectorBytes));
    if (random.chance(0.5)) {
      parts.push({ kind: 'write', offset: offset + place, bytes: bytes.slice(place, end) });
    }
    place = end;
  }
  return parts;
}
