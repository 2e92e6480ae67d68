/**
 * Deadlines of many calls at the cost of few timers: calls that end in the same slice of time share
 * one, and leaving early costs nothing. Hashed timing wheel, after Varghese and Lauck (1987).
 */
import type { Clock, Timer } from '../ports/clock.ts';

/** Something with a deadline. The links belong to the wheel. */
export interface Timed {
  /** On the monotonic clock. */
  readonly dueAt: number;
  slot: Slot | undefined;
  previousTimed: Timed | undefined;
  nextTimed: Timed | undefined;
  onDeadline(): void;
}

interface Slot {
  readonly tick: number;
  readonly timer: Timer;
  first: Timed | undefined;
}

/** How exact deadlines are. */
const tickMs = 20;

/** Deadlines, grouped. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #slots = new Map<number, Slot>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `onDeadline` when the time has come: never before, at most a tick later. */
  add(timed: Timed): void {
    const tick = Math.ceil(timed.dueAt / tickMs);
    const slot = this.#slots.get(tick) ?? this.#open(tick);
    timed.slot = slot;
    timed.nextTimed = slot.first;
    timed.previousTimed = undefined;
    if (slot.first !== undefined) slot.first.previousTimed = timed;
    slot.first = timed;
  }

  /** Takes a deadline back. Harmless when there is none. */
  remove(timed: Timed): void {
    const { slot, previousTimed, nextTimed } = timed;
    if (slot === undefined) return;
    if (previousTimed === undefined) slot.first = nextTimed;
    else previousTimed.nextTimed = nextTimed;
    if (nextTimed !== undefined) nextTimed.previousTimed = previousTimed;
    timed.slot = undefined;
    timed.previousTimed = undefined;
    timed.nextTimed = undefined;
  }

  /** All that have a deadline. */
  *all(): Generator<Timed> {
    for (const slot of this.#slots.values()) {
      for (let timed = slot.first; timed !== undefined; timed = timed.nextTimed) yield timed;
    }
  }

  /** Takes all back. */
  close(): void {
    for (const slot of this.#slots.values()) slot.timer.cancel();
    this.#slots.clear();
  }

  #open(tick: number): Slot {
    const delay = Math.max(0, tick * tickMs - this.#clock.monotonic());
    const slot: Slot = {
      tick,
      first: undefined,
      timer: this.#clock.setTimer(delay, () => this.#expire(slot)),
    };
    this.#slots.set(tick, slot);
    return slot;
  }

  #expire(slot: Slot): void {
    this.#slots.delete(slot.tick);
    while (slot.first !== undefined) {
      const timed = slot.first;
      this.remove(timed);
      timed.onDeadline();
    }
  }
}
