/**
 * Which agents run next. Arrivals only put an agent on the list; the list is worked off in a microtask
 * of its own, in rounds, so that nothing runs on its sender's stack and input and output keep moving.
 */
import type { Clock } from '../ports/clock.ts';

/** Something that has items to handle. */
export interface Runnable {
  /** Handles up to `itemsMax` items; returns how many. */
  run(itemsMax: number): number;
  /** Whether it is on the list. Kept by the dispatcher. */
  isReady: boolean;
}

/** No agent handles more items before others get their turn. */
const itemsPerAgentMax = 64;

/** No more items are handled before input and output get their turn. */
const itemsPerRoundMax = 1_024;

/** Runs agents that have work. */
export class Dispatcher {
  readonly #clock: Clock;
  #ready: Runnable[] = [];
  #isScheduled = false;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts an agent on the list. */
  add(runnable: Runnable): void {
    if (runnable.isReady || this.#isClosed) return;
    runnable.isReady = true;
    this.#ready.push(runnable);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(this.#round);
  }

  /** Runs nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#ready = [];
  }

  readonly #round = (): void => {
    let budget = itemsPerRoundMax;
    let index = 0;
    const ready = this.#ready;
    while (index < ready.length && budget > 0 && !this.#isClosed) {
      const runnable = ready[index] as Runnable;
      index += 1;
      runnable.isReady = false;
      budget -= Math.max(1, runnable.run(Math.min(itemsPerAgentMax, budget)));
    }
    this.#ready = ready.slice(index);
    this.#isScheduled = this.#ready.length > 0;
    if (this.#isScheduled) this.#clock.defer(this.#round);
  };
}
