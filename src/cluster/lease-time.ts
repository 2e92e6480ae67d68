/**
 * The times of a lease, all shares of its span, and the two ways to measure one. Whoever holds
 * takes the clock that ran furthest, so that it stops too early rather than too late; whoever waits
 * for the end of another's lease takes the one that a sleeping or corrected machine does not
 * advance.
 */
import type { Clock } from '../ports/clock.ts';

/** How long the parts of a lease are. */
export interface LeaseTimes {
  /** After so long without a change a lease of another is overdue. */
  readonly spanMs: number;
  /** So long after it sent its last accepted renewal, a holder stops. */
  readonly holdMs: number;
  /** From one renewal to the next. */
  readonly renewMs: number;
  /** From a failed attempt to the next. */
  readonly retryMs: number;
  /** How long an attempt is waited for. */
  readonly attemptMs: number;
}

/**
 * The span when none is given. An election of the engine takes 4 to 9 s; the holder, which stops
 * after three quarters, has to outlast one that begins right before a renewal.
 */
export const leaseSpanMsDefault = 16_000;

/** The times of a lease with this span. */
export function leaseTimes(spanMs: number = leaseSpanMsDefault): LeaseTimes {
  return {
    spanMs,
    holdMs: spanMs * 0.75,
    renewMs: spanMs / 8,
    retryMs: spanMs / 32,
    attemptMs: spanMs / 16,
  };
}

/** A moment, on both clocks. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** Now. */
export function momentOf(clock: Clock): Moment {
  return { monotonicMs: clock.monotonic(), wallMs: clock.now() };
}

/** How long ago a moment is at most: by the clock that ran furthest. */
export function elapsedAtMost(clock: Clock, moment: Moment): number {
  return Math.max(clock.monotonic() - moment.monotonicMs, clock.now() - moment.wallMs);
}

/** What a promise gives, or `late` when it takes too long. */
export function orLate<Value>(
  clock: Clock,
  promise: Promise<Value>,
  delayMs: number,
): Promise<Value | 'late'> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(delayMs, () => resolve('late'));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}

/** Lets time pass. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise(resolve => {
    clock.setTimer(delayMs, resolve);
  });
}
