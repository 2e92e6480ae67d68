/**
 * One direction of a connection in the model: what is sent arrives in order, a little later. While
 * the line is cut nobody notices: it holds what is sent, as the buffers of a socket do, and lets it
 * go late when it heals, or loses it when an end gives the connection up.
 */
import type { SimOwner } from './sim-event-heap.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimScheduler } from './sim-scheduler.ts';

// Two messages of one line never arrive at once, because then the seed would order them.
const gapMs = 1e-6;

/** What a line is made of. */
export interface SimNatsLineOptions {
  readonly scheduler: SimScheduler;
  readonly random: SimRandom;
  /** Mean time of travel. */
  readonly meanMs: number;
  /** Whose events arrivals are, when the end is a simulated process. */
  readonly owner?: SimOwner | undefined;
}

interface Parcel {
  readonly kind: string;
  readonly task: () => void;
}

/** One direction of a connection. */
export class SimNatsLine {
  readonly #options: SimNatsLineOptions;
  #arrivalMs = 0;
  #held: Parcel[] | undefined;
  /** Rises when the line loses what it carries. */
  #era = 0;

  constructor(options: SimNatsLineOptions) {
    this.#options = options;
  }

  get isCut(): boolean {
    return this.#held !== undefined;
  }

  /** Lets something happen at the other end. */
  send(kind: string, task: () => void): void {
    if (this.#held === undefined) this.#carry({ kind, task });
    else this.#held.push({ kind, task });
  }

  /** Holds what is sent from now on. */
  cut(): void {
    this.#held ??= [];
  }

  /** Carries again, after a while: what was held first, and in order. */
  heal(delayMs: number): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#arrivalMs = Math.max(this.#arrivalMs, this.#options.scheduler.nowMs + delayMs);
    for (const parcel of held) this.#carry(parcel);
  }

  /** Loses what was sent and has not arrived. */
  lose(): void {
    this.#era++;
    if (this.#held !== undefined) this.#held = [];
    this.#arrivalMs = this.#options.scheduler.nowMs;
  }

  #carry({ kind, task }: Parcel): void {
    const { scheduler, random, meanMs, owner } = this.#options;
    const travelMs = meanMs * (0.5 + random.exponential(0.5));
    this.#arrivalMs = Math.max(this.#arrivalMs + gapMs, scheduler.nowMs + travelMs);
    const era = this.#era;
    scheduler.schedule({
      delayMs: this.#arrivalMs - scheduler.nowMs,
      kind,
      owner,
      task: () => {
        if (era === this.#era) task();
      },
    });
  }
}
