/**
 * Randomness of the simulator: one seed, many named streams that do not disturb each other. Whoever
 * draws more from one stream leaves all others as they were, so that a failing run can be shrunk
 * without being reshuffled. The generator is sfc32 of Chris Doty-Humphrey's PractRand; seeds are
 * spread with the finalizer of MurmurHash3 (Austin Appleby).
 */
import type { Random } from '../ports/random.ts';

const unit = 2 ** -32;
const unit53 = 2 ** -53;

/** A seeded source of random values that can be forked by name. */
export class SimRandom implements Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Two sources of the same seed draw the same values. */
  constructor(seed: string) {
    this.#seed = seed;
    this.#a = hashText(seed, 0x9e3779b9);
    this.#b = hashText(seed, 0x243f6a88);
    this.#c = hashText(seed, 0xb7e15162);
    // The first outputs of sfc32 still show the seed; its author discards twelve.
    for (let round = 0; round < 12; round++) this.uint32();
  }

  /** Uniform among the integers from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  next(): number {
    return ((this.uint32() >>> 11) * 2 ** 32 + this.uint32()) * unit53;
  }

  hex(bytes: number): string {
    let digits = '';
    while (digits.length < bytes * 2) digits += this.uint32().toString(16).padStart(8, '0');
    return digits.slice(0, bytes * 2);
  }

  /** Uniform among the integers from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.uint32() * unit * limit);
  }

  /** Uniform in [`low`, `high`). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** True with this probability. Always draws once, so that a probability of 0 shifts nothing. */
  chance(probability: number): boolean {
    return this.uint32() * unit < probability;
  }

  /** Exponentially distributed around `mean`: the waiting time of independent events. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** One of the items; `undefined` when there is none. */
  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.below(items.length)];
  }

  /** The items in random order, as a new array. */
  shuffle<Item>(items: readonly Item[]): Item[] {
    // Inside-out Fisher-Yates: each item takes a random place, whoever was there moves to the end.
    const shuffled: Item[] = [];
    for (const item of items) {
      const place = this.below(shuffled.length + 1);
      shuffled.push(item);
      [shuffled[shuffled.length - 1], shuffled[place]] = [shuffled[place] as Item, item];
    }
    return shuffled;
  }

  /**
   * A source of its own, decided by this source's seed and `name`, not by what was drawn so far.
   */
  fork(name: string): SimRandom {
    return new SimRandom(`${this.#seed}/${name}`);
  }
}

/** The streams of one run, each for one purpose. */
export interface SimStreams {
  /** Delays, losses and duplicates of messages. */
  readonly network: SimRandom;
  /** Latencies of disk operations. */
  readonly disk: SimRandom;
  /** Which faults happen, when, and what they destroy. */
  readonly faults: SimRandom;
  /** What callers do. */
  readonly workload: SimRandom;
  /** The order of events that are due at the same time, and how late timers are. */
  readonly schedule: SimRandom;
  /** What simulated processes draw through their own port. */
  readonly process: SimRandom;
}

/** The streams that a seed decides. */
export function createStreams(seed: number): SimStreams {
  const root = new SimRandom(`troupe-sim-1/${seed}`);
  return {
    network: root.fork('network'),
    disk: root.fork('disk'),
    faults: root.fork('faults'),
    workload: root.fork('workload'),
    schedule: root.fork('schedule'),
    process: root.fork('process'),
  };
}

/** A well mixed 32-bit hash of a text. */
export function hashText(text: string, seed: number): number {
  let hash = seed ^ text.length;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0xcc9e2d51);
    hash = (hash << 13) | (hash >>> 19);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
