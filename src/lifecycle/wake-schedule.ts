/**
 * Which agents have work of their own, and when: a heap of what this life of the node was told, and
 * from time to time a look into the log for what earlier lives left.
 */

import { textOf } from '../core/errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { noticedAt } from '../state/image.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What a wake schedule needs. */
export interface WakeScheduleOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly logger: Logger;
  /** Brings an agent into memory, if it is not, and tells it to do what is due. */
  wake(address: string): void;
}

interface Entry {
  readonly address: string;
  readonly at: number;
}

/** How far the look into the log reaches ahead, and how often it is made. */
const horizonMs = 60_000;

/** How soon it is made again when it failed. */
const afterFailureMs = 2_000;

/** So many agents are woken before input and output get their turn. */
const wakesPerRoundMax = 64;

const headsPerPage = 1_000;

/** Wakes agents when they have work. */
export class WakeSchedule {
  readonly #options: WakeScheduleOptions;
  readonly #times = new Map<string, number>();
  #heap: Entry[] = [];
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #looking: Timer | undefined;
  #isClosed = false;

  constructor(options: WakeScheduleOptions) {
    this.#options = options;
  }

  /** Looks for what earlier lives left, now and from time to time. */
  async start(): Promise<void> {
    const { clock } = this.#options;
    let pauseMs = afterFailureMs;
    try {
      await this.#look();
      pauseMs = horizonMs / 2;
    } finally {
      if (!this.#isClosed) {
        this.#looking?.cancel();
        this.#looking = clock.setTimer(pauseMs, () => this.#lookSoon());
      }
    }
  }

  /** Looks now, because agents may have been woken in vain. */
  lookAgain(): void {
    if (this.#isClosed) return;
    this.#looking?.cancel();
    this.#lookSoon();
  }

  /** Sets when an agent is to be woken, instead of what was set before; `Infinity` for never. */
  set(address: string, at: number): void {
    if (at >= noticedAt) {
      this.#times.delete(address);
      return;
    }
    if (this.#times.get(address) === at) return;
    this.#times.set(address, at);
    push(this.#heap, { address, at });
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#times.size) this.#tidy();
    this.#arm();
  }

  /** Wakes nobody any more. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#looking?.cancel();
    this.#heap = [];
    this.#times.clear();
  }

  #lookSoon(): void {
    this.start().catch(error =>
      this.#options.logger.warn('due work could not be looked for; it is tried again', {
        error: textOf(error),
      }),
    );
  }

  async #look(): Promise<void> {
    const { clock, log } = this.#options;
    let cursor: string | undefined;
    do {
      const page = await log.heads({ dueAt: clock.now() + horizonMs, limit: headsPerPage, cursor });
      cursor = page.cursor;
      for (const { name, wakeAt } of page.heads) {
        const known = this.#times.get(name);
        if (known === undefined || wakeAt < known) this.set(name, wakeAt);
      }
    } while (cursor !== undefined && !this.#isClosed);
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || this.#isClosed || first.at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = first.at;
    // No longer than that, because the wall clock may be set forward meanwhile.
    const delay = Math.min(horizonMs, Math.max(0, first.at - this.#options.clock.now()));
    this.#timer = this.#options.clock.setTimer(delay, () => this.#fire());
  }

  #fire(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#options.clock.now();
    let count = 0;
    while (count < wakesPerRoundMax) {
      const first = this.#heap[0];
      if (first === undefined || first.at > now) break;
      pop(this.#heap);
      if (this.#times.get(first.address) !== first.at) continue;
      this.#times.delete(first.address);
      count += 1;
      this.#options.wake(first.address);
    }
    this.#arm();
  }

  /** Drops entries that were replaced. */
  #tidy(): void {
    const entries = [...this.#times].map(([address, at]) => ({ address, at }));
    this.#heap = [];
    for (const entry of entries) push(this.#heap, entry);
  }
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length;
  heap.push(entry);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if ((heap[parent] as Entry).at <= entry.at) break;
    heap[index] = heap[parent] as Entry;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  while (true) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as Entry).at < (heap[child] as Entry).at)
      child += 1;
    if ((heap[child] as Entry).at >= last.at) break;
    heap[index] = heap[child] as Entry;
    index = child;
  }
  heap[index] = last;
}
