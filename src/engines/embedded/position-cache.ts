/**
 * The places of the records of long logs that are being read page by page. Chains lead backwards,
 * so without it each page would walk the whole log again.
 */
import type { Seq } from '../../ports/log.ts';

const logsMax = 64;
const positionsMax = 1 << 20;

interface Walked {
  /** The lowest place that was asked for. */
  readonly from: Seq;
  /** Rising. */
  readonly positions: Float64Array;
}

/** A bounded memory of walked chains, the least recently used go first. */
export class PositionCache {
  readonly #walks = new Map<number, Walked>();
  #total = 0;

  /** Remembers the places of a log from `from` to its tail. */
  put(row: number, from: Seq, positions: readonly Seq[]): void {
    this.forget(row);
    if (positions.length > positionsMax) return;
    this.#walks.set(row, { from, positions: Float64Array.from(positions) });
    this.#total += positions.length;
    for (const oldest of this.#walks.keys()) {
      if (this.#walks.size <= logsMax && this.#total <= positionsMax) break;
      this.forget(oldest);
    }
  }

  /** The places from `from` on, rising, as far as they are known; nothing when they are not. */
  from(row: number, from: Seq): Float64Array | undefined {
    const walked = this.#walks.get(row);
    if (walked === undefined || from < walked.from) return undefined;
    const { positions } = walked;
    const at = firstAtLeast(positions, from);
    if (at === positions.length) return undefined;
    this.#walks.delete(row);
    this.#walks.set(row, walked);
    return positions.subarray(at);
  }

  /** Forgets a log. */
  forget(row: number): void {
    const walked = this.#walks.get(row);
    if (walked === undefined) return;
    this.#total -= walked.positions.length;
    this.#walks.delete(row);
  }
}

function firstAtLeast(positions: Float64Array, wanted: Seq): number {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((positions[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
