/**
 * Writes whose answer was lost and which are carried out only later, as a slow server does. Whether
 * they still may take effect then is decided by whoever hands them in, at the time they land.
 */
import { invariant } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LateLanding } from './faults.ts';

interface LateWrite {
  readonly dueAt: number;
  readonly land: () => void;
}

/** The writes that are on their way. */
export class LateWrites {
  readonly #clock: Clock | undefined;
  #operations = 0;
  #waiting: LateWrite[] = [];

  constructor(clock: Clock | undefined) {
    this.#clock = clock;
  }

  /**
   * Carries out `land` later: by time if a time is given, else after some other operations
   * (default 1).
   */
  add(when: LateLanding, land: () => void): void {
    if (when.afterMs !== undefined) {
      invariant(this.#clock !== undefined, 'a landing by time needs a clock; pass `clock`');
      this.#clock.setTimer(when.afterMs, land);
      return;
    }
    // The operation that is late is itself still to be counted.
    this.#waiting.push({ dueAt: this.#operations + 1 + (when.afterOperations ?? 1), land });
  }

  /** Counts an operation that was served, and lands what is due after it. */
  served(): void {
    this.#operations += 1;
    const due = this.#waiting.filter(write => write.dueAt <= this.#operations);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(write => write.dueAt > this.#operations);
    for (const write of due) write.land();
  }
}
