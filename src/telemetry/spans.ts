/**
 * Who called whom, and how long it took, for a sample of all traces: the last spans of a node, in a
 * ring. Whether a trace is sampled follows from its id, so that all nodes decide alike; ids are
 * drawn from a prefix and a scrambled counter, because every message needs one.
 */
import type { TraceContext } from '../core/envelope.ts';
import { invariant } from '../core/errors.ts';

/** A piece of work that ended. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** What was done, such as `turn account.move`. */
  readonly name: string;
  /** Wall-clock milliseconds. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** The code of the failure, if it failed. */
  readonly errorCode?: string | undefined;
  /** Particulars: addresses, versions, counts. Never payloads. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** How a {@link Tracer} works. */
export interface TracerOptions {
  /** Sixteen random bytes as 32 hexadecimal digits: tells this tracer's ids from all others. */
  readonly seed: string;
  /** The share of traces that are sampled, from 0 to 1 (default 0.01). */
  readonly sampleShare?: number | undefined;
  /** The number of spans that are kept (default 2,000). */
  readonly spansMax?: number | undefined;
}

/** Which spans to look at. */
export interface SpansOptions {
  readonly traceId?: string | undefined;
  /** At most so many (default 100). */
  readonly limit?: number | undefined;
}

/** What a {@link Tracer} uses where an option is left out. */
export const tracerDefaults = { sampleShare: 0.01, spansMax: 2_000 } as const;

/** Gives out trace contexts and keeps the last sampled spans. */
export class Tracer {
  readonly #traceStart: string;
  readonly #spanStart: string;
  readonly #scramble: number;
  /** A trace is sampled when the last 32 bits of its id lie below. */
  readonly #sampledBelow: number;
  readonly #ring: Span[] = [];
  readonly #spansMax: number;
  #next = 0;
  #traces = 0;
  #spans = 0;

  constructor({ seed, sampleShare, spansMax }: TracerOptions) {
    invariant(/^[0-9a-f]{32}$/.test(seed), 'the seed of a tracer is 32 hexadecimal digits');
    // Ids of zeros alone mean "none" in the recommendation.
    this.#traceStart = `${seed.slice(0, 15)}1`;
    this.#spanStart = `${seed.slice(16, 23)}1`;
    this.#scramble = Number.parseInt(seed.slice(24), 16) | 0;
    this.#sampledBelow = (sampleShare ?? tracerDefaults.sampleShare) * 2 ** 32;
    this.#spansMax = spansMax ?? tracerDefaults.spansMax;
  }

  /**
   * The context of a message: below `parent` in its trace, or the start of a new one; nothing when
   * the new one is outside the sample, so that most messages carry and record no trace at all.
   */
  contextIfSampled(parent?: TraceContext | undefined): TraceContext | undefined {
    if (parent !== undefined) return this.context(parent);
    const next = scrambled(((this.#traces + 1) | 0) ^ this.#scramble);
    if (next < this.#sampledBelow) return this.context();
    this.#traces += 1;
    return undefined;
  }

  /** The context of a message: below `parent` in its trace, or the start of a new one. */
  context(parent?: TraceContext | undefined): TraceContext {
    const spanId = this.#spanStart + hexOf(scrambled(++this.#spans ^ this.#scramble));
    if (parent !== undefined) {
      return { traceId: parent.traceId, spanId, isSampled: parent.isSampled };
    }
    const count = ++this.#traces;
    const last = scrambled((count | 0) ^ this.#scramble);
    // The scrambled counter repeats after 2^32 traces; the digits before it count the rounds.
    const round = hexOf(Math.floor(count / 2 ** 32));
    const traceId = this.#traceStart + round + hexOf(last);
    return { traceId, spanId, isSampled: last < this.#sampledBelow };
  }

  /** Whether a trace from elsewhere, which does not say so itself, belongs to the sample. */
  isSampled(traceId: string): boolean {
    return Number.parseInt(traceId.slice(-8), 16) < this.#sampledBelow;
  }

  /** Keeps a span; the oldest one gives way. Callers ask `isSampled` of the context first. */
  record(span: Span): void {
    if (this.#spansMax <= 0) return;
    this.#ring[this.#next] = span;
    this.#next = (this.#next + 1) % this.#spansMax;
  }

  /** The spans that are kept, newest first. */
  spans({ traceId, limit = 100 }: SpansOptions = {}): Span[] {
    const newestFirst = [
      ...this.#ring.slice(0, this.#next).reverse(),
      ...this.#ring.slice(this.#next).reverse(),
    ];
    return newestFirst
      .filter(span => traceId === undefined || span.traceId === traceId)
      .slice(0, limit);
  }
}

/** Scatters 32 bits over 32 bits, each value onto another: the final mix of MurmurHash3. */
function scrambled(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hexOf(value: number): string {
  return (
    (hexOfByte[value >>> 24] as string) +
    hexOfByte[(value >>> 16) & 255] +
    hexOfByte[(value >>> 8) & 255] +
    hexOfByte[value & 255]
  );
}
