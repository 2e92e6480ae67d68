/**
 * The real clocks and timers of this process. Node's timers hold at most 2^31-1 ms and may fire a
 * fraction of a millisecond before the monotonic clock says so; both are mended here, so that no
 * caller has to know.
 */
import { invariant } from '../../core/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';

/**
 * The longest delay that a timer of Node holds: 2^31-1 ms. Longer ones overflow and fire at once.
 */
const nodeDelayMsMax = 2_147_483_647;

/** The clock of this process. It has no state of its own, so any number of them agree. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    setTimer,
    defer(task) {
      setImmediate(task);
    },
  };
}

function setTimer(delayMs: number, task: () => void): Timer {
  invariant(!Number.isNaN(delayMs), 'the delay of a timer must be a number');
  if (delayMs === Number.POSITIVE_INFINITY) return { cancel: () => undefined };
  const dueAt = performance.now() + delayMs;
  let handle = setTimeout(step, nextDelay(delayMs));

  function step(): void {
    const leftMs = dueAt - performance.now();
    if (leftMs > 0) handle = setTimeout(step, nextDelay(leftMs));
    else task();
  }

  return { cancel: () => clearTimeout(handle) };
}

/** Node rounds delays down and takes what is below 1 as 1, so a fraction has to be rounded up. */
function nextDelay(leftMs: number): number {
  return Math.min(Math.max(Math.ceil(leftMs), 0), nodeDelayMsMax);
}
