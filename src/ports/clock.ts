/**
 * Time, as a port: the simulator owns it. Nothing in Troupe reads a clock or sets a timer
 * otherwise.
 */

/** A timer that has not fired yet. */
export interface Timer {
  /** Takes the timer back. Harmless when it fired already. */
  cancel(): void;
}

/** The clocks and timers of one process. */
export interface Clock {
  /** Wall-clock milliseconds since 1970, UTC. May jump. */
  now(): number;
  /** Milliseconds on a clock that never goes backwards; its zero means nothing. */
  monotonic(): number;
  /**
   * Runs `task` once, after at least `delayMs` on the monotonic clock. A delay may be of any
   * length; engines split what their timers cannot hold.
   */
  setTimer(delayMs: number, task: () => void): Timer;
  /**
   * Runs `task` soon, after what is running now and after input that is ready: the end of a tick.
   */
  defer(task: () => void): void;
}
