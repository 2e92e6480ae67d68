/**
 * Which agents run next. Arrivals only put an agent on the list; the list is worked off in a
 * microtask of its own, in rounds, so that nothing runs on its sender's stack and input and output
 * keep moving.
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

/** A reaction to a promise that is settled is the cheapest microtask there is. */
const soon = Promise.resolve();

/** Runs agents that have work. */
export class Dispatcher {
  readonly #clock: Clock;
  #ready: Runnable[] = [];
  #isScheduled = false;
  #isClosed = false;
  /** What may still be handled before input and output get their turn. */
  #budget = itemsPerRoundMax;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts an agent on the list. */
  add(runnable: Runnable): void {
    if (runnable.isReady || this.#isClosed) return;
    runnable.isReady = true;
    this.#ready.push(runnable);
    if (!this.#isScheduled) this.#schedule();
  }

  /** Does something small at once, or, when much was done at once already, a little later. */
  spend(task: () => void): void {
    if (this.#budget > 0) {
      this.#use(1);
      task();
    } else this.#clock.defer(task);
  }

  /** Runs nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#ready = [];
  }

  #schedule(): void {
    this.#isScheduled = true;
    if (this.#budget > 0) void soon.then(this.#round);
    else this.#clock.defer(this.#round);
  }

  /** Microtasks alone would never let the clock tick: the budget comes back with the next tick. */
  #use(count: number): void {
    if (this.#budget === itemsPerRoundMax) {
      this.#clock.defer(() => {
        this.#budget = itemsPerRoundMax;
      });
    }
    this.#budget -= count;
  }

  readonly #round = (): void => {
    let index = 0;
    const ready = this.#ready;
    while (index < ready.length && this.#budget > 0 && !this.#isClosed) {
      const runnable = ready[index] as Runnable;
      index += 1;
      runnable.isReady = false;
      this.#use(Math.max(1, runnable.run(Math.min(itemsPerAgentMax, this.#budget))));
    }
    this.#ready = ready.slice(index);
    this.#isScheduled = false;
    if (this.#ready.length > 0) this.#schedule();
  };
}
