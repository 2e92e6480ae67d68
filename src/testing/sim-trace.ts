/**
 * What a run did, as a rolling hash and as the last few lines. Two runs of one seed must have the
 * same hash: this is how the simulator shows that it is deterministic. Who prints the lines is left
 * to the runner.
 */
import { hashText } from './sim-random.ts';

const linesMax = 200;

/** One thing that happened. */
export interface SimTraceLine {
  readonly timeMs: number;
  readonly kind: string;
  /** The process it happened in, with its incarnation; empty for the world itself. */
  readonly owner: string;
}

/** A rolling hash over all that happened, and the newest lines. */
export class SimTrace {
  readonly #recent: SimTraceLine[] = [];
  readonly #wordHashes = new Map<string, number>();
  readonly #time = new Float64Array(1);
  readonly #timeWords = new Uint32Array(this.#time.buffer);
  readonly #onLine: ((line: SimTraceLine) => void) | undefined;
  #low = 0x811c9dc5;
  #high = 0x01000193;
  #count = 0;

  /** Calls `onLine` with everything, when given. */
  constructor(onLine?: (line: SimTraceLine) => void) {
    this.#onLine = onLine;
  }

  /** How many lines there were. */
  get count(): number {
    return this.#count;
  }

  /** 16 hexadecimal digits that stand for everything so far. */
  get hash(): string {
    return digits(this.#low) + digits(this.#high);
  }

  /** Notes that something happened. */
  add(timeMs: number, kind: string, owner: string): void {
    this.#time[0] = timeMs;
    this.#mix(this.#timeWords[0] ?? 0);
    this.#mix(this.#timeWords[1] ?? 0);
    this.#mix(this.#wordHash(kind));
    this.#mix(this.#wordHash(owner));
    const line = { timeMs, kind, owner };
    this.#recent[this.#count % linesMax] = line;
    this.#count++;
    this.#onLine?.(line);
  }

  /** The newest lines (at most 200), oldest first. */
  recent(): SimTraceLine[] {
    const start = this.#count % linesMax;
    if (this.#count <= linesMax) return [...this.#recent];
    return [...this.#recent.slice(start), ...this.#recent.slice(0, start)];
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#low ^= this.#low >>> 15;
    this.#high = Math.imul(this.#high ^ word ^ (this.#low >>> 3), 0x85ebca6b);
    this.#high ^= this.#high >>> 13;
  }

  #wordHash(word: string): number {
    const known = this.#wordHashes.get(word);
    if (known !== undefined) return known;
    const hash = hashText(word, 0x51ed270b);
    // Kinds and owners are few; a run that invents them without end must not fill the memory.
    if (this.#wordHashes.size < 100_000) this.#wordHashes.set(word, hash);
    return hash;
  }
}

/** A line as text. */
export function formatTraceLine(line: SimTraceLine): string {
  const owner = line.owner === '' ? 'world' : line.owner;
  return `${(line.timeMs / 1_000).toFixed(6).padStart(14)} s  ${owner.padEnd(14)} ${line.kind}`;
}

function digits(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
