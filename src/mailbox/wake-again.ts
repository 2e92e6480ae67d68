/**
 * When an agent is woken after its activation has lost its log: timers, promises and runs go on
 * although nobody calls, but not as fast as an engine may fail. Pure.
 */

/** The pause after the first end; it doubles while nothing is accepted. */
const pauseMsMin = 1_000;

/** The pause before what waits has the agent loaded again, from its second end on. */
const loadPauseMsMin = 10;
const loadPauseMsMax = 1_000;

/** A look into the log wakes the agent no later than that. */
const pauseMsMax = 30_000;

/**
 * When to wake an agent whose work is due at `wakeAt`, after so many ends of activations without
 * an accepted append between them.
 */
export function wakeAgainAt(wakeAt: number, now: number, endings: number): number {
  return wakeAt > now ? wakeAt : now + Math.min(pauseMsMin * 2 ** endings, pauseMsMax);
}

/**
 * How long what waits is kept waiting after an activation has ended, and so many others before it:
 * an engine that refuses appends for a while is not asked as fast as it can refuse.
 */
export function loadPauseMs(endings: number): number {
  return endings === 0 ? 0 : Math.min(loadPauseMsMin * 2 ** (endings - 1), loadPauseMsMax);
}
