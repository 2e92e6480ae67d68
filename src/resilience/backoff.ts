/**
 * How long to wait before the next attempt: exponential, capped, spread by jitter. A pure function.
 */

/** How waiting grows. */
export interface BackoffOptions {
  /** The wait after the first attempt, before jitter (default 50). */
  readonly baseMs?: number | undefined;
  /** By how much each wait is longer than the one before (default 2). */
  readonly factor?: number | undefined;
  /** No wait is longer (default 10,000). */
  readonly delayMaxMs?: number | undefined;
  /**
   * The share of the wait that is drawn at random, from 0 to 1 (default 0.5): callers that failed
   * together must not return together.
   */
  readonly jitter?: number | undefined;
}

/** What {@link backoffMs} uses where an option is left out. */
export const backoffDefaults = { baseMs: 50, factor: 2, delayMaxMs: 10_000, jitter: 0.5 } as const;

/**
 * Milliseconds to wait after an attempt that failed.
 *
 * @remarks The result lies between `(1 - jitter)` and 1 times the capped exponential wait.
 * @param attempt - The number of the attempt that failed, counted from 1.
 * @param random - Uniform in [0, 1).
 */
export function backoffMs(attempt: number, random: number, options: BackoffOptions = {}): number {
  const { baseMs, factor, delayMaxMs, jitter } = backoffDefaults;
  const base = options.baseMs ?? baseMs;
  const growth = (options.factor ?? factor) ** Math.max(0, attempt - 1);
  // 0 × Infinity is not a number: without a base there is no wait, however often it is doubled.
  const delay = base === 0 ? 0 : Math.min(base * growth, options.delayMaxMs ?? delayMaxMs);
  const drawn = options.jitter ?? jitter;
  return delay * (1 - drawn + drawn * random);
}
