/**
 * How late the event loop is: whoever owns a timer calls {@link LagMeter.tick} every `intervalMs`,
 * and what a tick is late by is time that every agent of the node had to wait.
 */

/** How a {@link LagMeter} works. */
export interface LagMeterOptions {
  /** How often it is ticked (default 100). */
  readonly intervalMs?: number | undefined;
  /** The number of ticks that {@link LagMeter.maxMs} looks back (default 100). */
  readonly ticksMax?: number | undefined;
}

/** What a {@link LagMeter} uses where an option is left out. */
export const lagMeterDefaults = { intervalMs: 100, ticksMax: 100 } as const;

/** Measures lag from the times of its ticks, given in monotonic milliseconds. */
export class LagMeter {
  /** How often {@link LagMeter.tick} is to be called. */
  readonly intervalMs: number;
  readonly #recent: Float64Array;
  #ticks = 0;
  #tickedAt: number;

  constructor(nowMs: number, options: LagMeterOptions = {}) {
    this.intervalMs = options.intervalMs ?? lagMeterDefaults.intervalMs;
    this.#recent = new Float64Array(options.ticksMax ?? lagMeterDefaults.ticksMax);
    this.#tickedAt = nowMs;
  }

  /** Notes a tick; answers by how much it was late. */
  tick(nowMs: number): number {
    const lagMs = this.lagMs(nowMs);
    this.#recent[this.#ticks++ % this.#recent.length] = lagMs;
    this.#tickedAt = nowMs;
    return lagMs;
  }

  /** By how much the tick that is due next is late already; 0 while it is not due. */
  lagMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#tickedAt - this.intervalMs);
  }

  /** The greatest lag of the recent ticks. */
  maxMs(): number {
    return Math.max(...this.#recent);
  }

  /** The mean lag of the recent ticks. */
  meanMs(): number {
    const count = Math.min(this.#ticks, this.#recent.length);
    return count === 0 ? 0 : this.#recent.reduce((sum, lag) => sum + lag, 0) / count;
  }
}
