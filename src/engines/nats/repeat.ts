/**
 * Trying again what a server could not do at the moment, while its streams elect a leader for
 * example: with growing pauses, for a bounded time. Only for attempts that surely did nothing.
 */
import type { TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { backoffMs } from '../../resilience/backoff.ts';

/** What repeating needs. */
export interface RepeatParts {
  readonly clock: Clock;
  readonly random: Random;
}

/** What one attempt came to. */
export type Attempted<Value> =
  | { readonly value: Value }
  /** It did nothing, for this reason, and may do better later. */
  | { readonly passing: TroupeError };

const pauses = { baseMs: 10, factor: 2, delayMaxMs: 500 } as const;

/**
 * Attempts until there is a value, or so much time has passed: then the last reason is thrown.
 *
 * @throws what an attempt throws, and the reason of the last one.
 */
export async function repeat<Value>(
  { clock, random }: RepeatParts,
  forMs: number,
  attempt: () => Promise<Attempted<Value>>,
): Promise<Value> {
  const endsAt = clock.monotonic() + forMs;
  for (let count = 1; ; count += 1) {
    const attempted = await attempt();
    if ('value' in attempted) return attempted.value;
    const pauseMs = backoffMs(count, random.next(), pauses);
    if (clock.monotonic() + pauseMs >= endsAt) throw attempted.passing;
    await pause(clock, pauseMs);
  }
}

/** Resolves after so long. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise(resolve => {
    clock.setTimer(delayMs, resolve);
  });
}
