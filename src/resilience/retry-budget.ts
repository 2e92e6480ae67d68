/**
 * Keeps retries from multiplying an overload: they are paid from a budget that calls and time fill,
 * so that in the long run retries are a bounded share of all traffic. After an idea in Twitter's
 * Finagle.
 */

/** How a budget fills. */
export interface RetryBudgetOptions {
  /** Retries that each call pays in for (default 0.2). */
  readonly retriesPerCall?: number | undefined;
  /** Retries that each second pays in for, so that rare calls may be retried too (default 10). */
  readonly retriesPerSecond?: number | undefined;
  /** What can be saved up at most, and what there is at the start (default 100). */
  readonly retriesMax?: number | undefined;
}

/** What a {@link RetryBudget} uses where an option is left out. */
export const retryBudgetDefaults = {
  retriesPerCall: 0.2,
  retriesPerSecond: 10,
  retriesMax: 100,
} as const;

/**
 * A budget for the retries of one caller, or to one destination. Times are monotonic milliseconds.
 */
export class RetryBudget {
  readonly #perCall: number;
  readonly #perMs: number;
  readonly #max: number;
  #saved: number;
  #filledAt: number;

  constructor(nowMs: number, options: RetryBudgetOptions = {}) {
    this.#perCall = options.retriesPerCall ?? retryBudgetDefaults.retriesPerCall;
    this.#perMs = (options.retriesPerSecond ?? retryBudgetDefaults.retriesPerSecond) / 1_000;
    this.#max = options.retriesMax ?? retryBudgetDefaults.retriesMax;
    this.#saved = this.#max;
    this.#filledAt = nowMs;
  }

  /** A call was made for the first time. */
  recordCall(nowMs: number): void {
    this.#fill(nowMs);
    this.#saved = Math.min(this.#max, this.#saved + this.#perCall);
  }

  /** Pays for one retry; `false` when it must not be made. */
  tryRetry(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }

  /** How many retries are paid for. */
  retriesLeft(nowMs: number): number {
    this.#fill(nowMs);
    return Math.floor(this.#saved);
  }

  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledAt;
    if (elapsedMs <= 0) return;
    this.#saved = Math.min(this.#max, this.#saved + elapsedMs * this.#perMs);
    this.#filledAt = nowMs;
  }
}
