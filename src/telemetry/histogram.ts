/**
 * A distribution in constant space: four buckets for each doubling, so a quantile is at most an
 * eighth off. The bucket is read from the bits of the number, which keeps recording within a few
 * nanoseconds.
 */
import { invariant } from '../core/errors.ts';

/** Buckets for each doubling of the value: 2 to the power of the mantissa bits that are used. */
const bucketsPerOctave = 4;
const mantissaBitsDropped = 18;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
// The order of the halves of a number in memory is the machine's.
float[0] = 1;
const highWord = words[1] === 0 ? 0 : 1;
const lowWord = 1 - highWord;

/** From where to where a histogram tells values apart: powers of two. */
export interface HistogramRange {
  readonly min: number;
  readonly max: number;
}

/** Up to a bound, inclusive, so many values were recorded. */
export interface CumulativeBucket {
  readonly bound: number;
  readonly count: number;
}

/** A log-bucketed histogram. Values beyond its range count at its ends. */
export class Histogram {
  readonly range: HistogramRange;
  readonly #first: number;
  readonly #last: number;
  readonly #counts: Float64Array;
  #sum = 0;
  #count = 0;

  constructor(range: HistogramRange) {
    const octaves = Math.log2(range.max / range.min);
    invariant(
      Number.isInteger(Math.log2(range.min)) && Number.isInteger(octaves) && octaves > 0,
      `a histogram ranges over powers of two, not ${range.min} to ${range.max}`,
    );
    this.range = range;
    // Bucket 0 takes all up to `min`, the last one all above `max`.
    this.#first = bucketOf(range.min);
    this.#last = octaves * bucketsPerOctave + 1;
    this.#counts = new Float64Array(this.#last + 1);
  }

  /** How many values were recorded. */
  get count(): number {
    return this.#count;
  }

  /** The sum of all recorded values. */
  get sum(): number {
    return this.#sum;
  }

  /** Records a value. Negative values count as 0; what is not a finite number is left out. */
  record(value: number): void {
    // Also false for NaN. One infinite value would spoil the sum for ever.
    if (!(value < Number.POSITIVE_INFINITY)) return;
    const recorded = value > 0 ? value : 0;
    float[0] = recorded;
    const low = words[lowWord] as number;
    const high = words[highWord] as number;
    // Bounds are inclusive above: a value takes the bucket of the next smaller number.
    const bucket = ((low === 0 ? high - 1 : high) >> mantissaBitsDropped) - this.#first;
    const index = bucket < 0 ? 0 : bucket > this.#last ? this.#last : bucket;
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#sum += recorded;
    this.#count++;
  }

  /**
   * The value below which a share of the values lies: the middle of its bucket, so at most an
   * eighth off within the range; `NaN` when nothing was recorded.
   */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    let index = 0;
    while (index < this.#last) {
      seen += this.#counts[index] as number;
      if (seen >= rank) break;
      index++;
    }
    if (index === this.#last) return this.range.max;
    return index === 0 ? this.range.min : (this.#boundOf(index - 1) + this.#boundOf(index)) / 2;
  }

  /** The counts at each doubling of the range, cumulative; all values above it are in `count`. */
  buckets(): CumulativeBucket[] {
    const buckets: CumulativeBucket[] = [];
    let count = 0;
    this.#counts.forEach((added, index) => {
      count += added;
      if (index < this.#last && index % bucketsPerOctave === 0) {
        buckets.push({ bound: this.#boundOf(index), count });
      }
    });
    return buckets;
  }

  /** The largest value of a bucket. */
  #boundOf(index: number): number {
    const octave = Math.floor(index / bucketsPerOctave);
    const within = index % bucketsPerOctave;
    return this.range.min * 2 ** octave * (1 + within / bucketsPerOctave);
  }
}

/**
 * The bucket, counted from the smallest number there is, whose inclusive upper bound a value is.
 */
function bucketOf(value: number): number {
  float[0] = value;
  return ((words[highWord] as number) - 1) >> mantissaBitsDropped;
}
