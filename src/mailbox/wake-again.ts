/**
 * When an agent is woken after its activation has lost its log: timers, promises and runs go on
 * although nobody calls, but not as fast as an engine may fail. Pure.
 */

/** The pause after the first end; it doubles while nothing is accepted. */
const pauseMsMin = 1_000;

/** A look into the log wakes the agent no later than that. */
const pauseMsMax = 30_000;

/**
 * When to wake an agent whose work is due at `wakeAt`, after so many ends of activations without
 * an accepted append between them.
 */
export function wakeAgainAt(wakeAt: number, now: number, endings: number): number {
  return wakeAt > now ? wakeAt : now + Math.min(pauseMsMin * 2 ** endings, pauseMsMax);
}
