/**
 * The events that are still to come, as a binary heap on (time, tie-break, number). The tie-break
 * is random, so that events due at the same time come in an order that the seed decides; the number
 * makes the order total. Who runs them is the scheduler's business.
 */

/** Something that will happen at a virtual time. */
export interface SimEvent {
  timeMs: number;
  tie: number;
  number: number;
  readonly kind: string;
  readonly owner: SimOwner | undefined;
  /** Absent once the event was cancelled. */
  task: (() => void) | undefined;
}

/** One life of a simulated process. Its events run only while it lives and is not paused. */
export interface SimOwner {
  /** Name and incarnation, for people and for the trace. */
  readonly label: string;
  isAlive: boolean;
  isPaused: boolean;
  /** What came due while the owner was paused, oldest first. */
  readonly held: SimEvent[];
}

/** Events in the order in which they are due. */
export class SimEventHeap {
  #events: SimEvent[] = [];

  get size(): number {
    return this.#events.length;
  }

  peek(): SimEvent | undefined {
    return this.#events[0];
  }

  push(event: SimEvent): void {
    const events = this.#events;
    let place = events.length;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = events[parentPlace] as SimEvent;
      if (!isBefore(event, parent)) break;
      events[place] = parent;
      place = parentPlace;
    }
    events[place] = event;
  }

  pop(): SimEvent | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (last !== undefined && events.length > 0) this.#sink(last, 0);
    return first;
  }

  /** Keeps only events for which `isKept` holds. */
  filter(isKept: (event: SimEvent) => boolean): void {
    const kept = this.#events.filter(isKept);
    this.#events = [];
    for (const event of kept) this.push(event);
  }

  #sink(event: SimEvent, start: number): void {
    const events = this.#events;
    const size = events.length;
    let place = start;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= size) break;
      // Places below `size` hold events.
      if (child + 1 < size && isBefore(events[child + 1] as SimEvent, events[child] as SimEvent)) {
        child++;
      }
      const next = events[child] as SimEvent;
      if (!isBefore(next, event)) break;
      events[place] = next;
      place = child;
    }
    events[place] = event;
  }
}

function isBefore(left: SimEvent, right: SimEvent): boolean {
  if (left.timeMs !== right.timeMs) return left.timeMs < right.timeMs;
  if (left.tie !== right.tie) return left.tie < right.tie;
  return left.number < right.number;
}
