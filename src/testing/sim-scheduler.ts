/**
 * The heart of the simulator: takes the next event, moves virtual time to it, runs it, and lets
 * every promise that it settled run to its end before it takes the next. So plain asynchronous code
 * runs unchanged, and always in the same order. What the events mean is left to whoever schedules
 * them.
 */
import { TroupeError } from '../core/errors.ts';
import { type SimEvent, SimEventHeap, type SimOwner } from './sim-event-heap.ts';
import { platform } from './sim-platform.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimTrace } from './sim-trace.ts';

const eventsPerYieldDefault = 1_000;
const cancelledMin = 1_024;

/** What a scheduler is made of. */
export interface SimSchedulerOptions {
  readonly random: SimRandom;
  readonly trace: SimTrace;
  /** Events between two visits to the real event loop (default 1,000). It changes no outcome. */
  readonly eventsPerYield?: number | undefined;
  /** More events within a virtual second are a circle, and end the run (default: no limit). */
  readonly eventsPerSecondMax?: number | undefined;
  /** Called before simulated code runs, and again after: where the trap is set and taken away. */
  readonly onEnter?: (() => void) | undefined;
  readonly onLeave?: (() => void) | undefined;
  /** Called whenever something is scheduled: for whoever runs the events as they come. */
  readonly onSchedule?: (() => void) | undefined;
  /** What becomes of an event that throws (default: the run ends with that error). */
  readonly onError?: ((error: unknown, owner: SimOwner | undefined) => void) | undefined;
}

/** Something to happen. */
export interface SimEventRequest {
  /** How much later than now, in virtual milliseconds. */
  readonly delayMs: number;
  /** What it is, for the trace. */
  readonly kind: string;
  /** Whose event it is: dropped when the owner is dead by then, held while it is paused. */
  readonly owner?: SimOwner | undefined;
  readonly task: () => void;
}

/** How long to run. */
export interface SimRunOptions {
  /** The virtual time at which to stop. */
  readonly untilMs: number;
  /** Stops earlier, after the event that made this true. */
  readonly isDone?: (() => boolean) | undefined;
}

/** Runs events one at a time on a virtual clock. */
export class SimScheduler {
  readonly trace: SimTrace;
  readonly #heap = new SimEventHeap();
  readonly #options: SimSchedulerOptions;
  readonly #random: SimRandom;
  #nowMs = 0;
  #events = 0;
  #number = 0;
  #cancelled = 0;
  #secondEndsMs = 0;
  #eventsBefore = 0;
  #current: SimOwner | undefined;

  constructor(options: SimSchedulerOptions) {
    this.#options = options;
    this.#random = options.random;
    this.trace = options.trace;
  }

  /** True virtual time: milliseconds since the start of the run. No simulated process sees it. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many events have run. */
  get events(): number {
    return this.#events;
  }

  /** Whose event is running. */
  get current(): SimOwner | undefined {
    return this.#current;
  }

  /** Lets something happen later. */
  schedule(request: SimEventRequest): SimEvent {
    const event: SimEvent = {
      timeMs: this.#nowMs + Math.max(0, request.delayMs),
      tie: this.#random.uint32(),
      number: this.#number++,
      kind: request.kind,
      owner: request.owner,
      task: request.task,
    };
    this.#heap.push(event);
    this.#options.onSchedule?.();
    return event;
  }

  /** Takes an event back. Harmless when it ran already. */
  cancel(event: SimEvent): void {
    if (event.task === undefined) return;
    event.task = undefined;
    this.#cancelled++;
    // Most timers are cancelled, and lie far in the future: without this the heap would fill up.
    if (this.#cancelled > cancelledMin && this.#cancelled * 2 > this.#heap.size) {
      this.#heap.filter(each => each.task !== undefined);
      this.#cancelled = 0;
    }
  }

  /** Resolves after a virtual time; never, when the owner dies before. */
  sleep(delayMs: number, owner?: SimOwner): Promise<void> {
    return new Promise(resolve => {
      this.schedule({ delayMs, kind: 'sleep', owner, task: resolve });
    });
  }

  /** Runs, now and in their order, what was held back while the owner was paused. */
  release(owner: SimOwner): void {
    for (const event of owner.held.splice(0)) {
      if (event.task === undefined) continue;
      // A tie of 0 puts them before whatever else is due now, and the number keeps their order.
      event.timeMs = this.#nowMs;
      event.tie = 0;
      event.number = this.#number++;
      this.#heap.push(event);
    }
  }

  /**
   * Runs until a virtual time.
   *
   * @remarks Ends earlier only when `isDone` says so. Time stands at `untilMs` otherwise, also when
   * nothing was left to do.
   * @throws `INVARIANT_BROKEN` when more happens within a virtual second than is allowed.
   */
  async run(options: SimRunOptions): Promise<void> {
    const perYield = this.#options.eventsPerYield ?? eventsPerYieldDefault;
    let isOver = false;
    while (!isOver) {
      isOver = await this.#runSome(perYield, options);
      // Signals and unhandled rejections are seen only here; nothing of the run depends on it.
      await platform.nextLoop();
    }
  }

  async #runSome(limit: number, options: SimRunOptions): Promise<boolean> {
    // From a microtask on, `afterMicrotasks` comes after all others: see there.
    await undefined;
    this.#options.onEnter?.();
    try {
      for (let count = 0; count < limit; count++) {
        const event = this.#take(options.untilMs);
        if (event === undefined) {
          this.#nowMs = Math.max(this.#nowMs, options.untilMs);
          return true;
        }
        this.#run(event);
        await platform.afterMicrotasks();
        this.#current = undefined;
        if (options.isDone?.() === true) return true;
      }
      return false;
    } finally {
      this.#options.onLeave?.();
    }
  }

  #take(untilMs: number): SimEvent | undefined {
    for (;;) {
      const event = this.#heap.peek();
      if (event === undefined || event.timeMs > untilMs) return undefined;
      this.#heap.pop();
      if (event.task === undefined) this.#cancelled = Math.max(0, this.#cancelled - 1);
      else if (event.owner?.isPaused === true) event.owner.held.push(event);
      else if (event.owner?.isAlive !== false) return event;
    }
  }

  #run(event: SimEvent): void {
    this.#nowMs = event.timeMs;
    this.#events++;
    this.#refuseCircles();
    this.#current = event.owner;
    this.trace.add(event.timeMs, event.kind, event.owner?.label ?? '');
    const task = event.task;
    // Cancelling an event that ran must not count as cancelled.
    event.task = undefined;
    try {
      task?.();
    } catch (error) {
      if (this.#options.onError === undefined) throw error;
      this.#options.onError(error, event.owner);
    }
  }

  #refuseCircles(): void {
    const { eventsPerSecondMax = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#nowMs >= this.#secondEndsMs) {
      this.#secondEndsMs = this.#nowMs + 1_000;
      this.#eventsBefore = this.#events;
    } else if (this.#events - this.#eventsBefore > eventsPerSecondMax) {
      const last = this.trace.recent().slice(-4);
      const kinds = last.map(({ kind, owner }) => `${owner} ${kind}`.trim()).join(', ');
      throw new TroupeError('INVARIANT_BROKEN', {
        detail: `more than ${eventsPerSecondMax} events within a virtual second, at last ${kinds}`,
      });
    }
  }
}
