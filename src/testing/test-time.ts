/**
 * Time in a user's test: it stands still until the test lets it pass. What the disk and the rest
 * of the world do takes no time on this clock; it happens by itself, in an order that the seed
 * decides.
 */
import { type Duration, durationMs } from '../core/duration.ts';
import { invariant } from '../core/errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import { simEpochMs } from './sim-clock.ts';
import { SimEventHeap, type SimOwner } from './sim-event-heap.ts';
import { platform } from './sim-platform.ts';
import type { SimRandom } from './sim-random.ts';
import { SimScheduler } from './sim-scheduler.ts';
import { SimTrace } from './sim-trace.ts';

/** More than any operation of a slow disk takes. */
const roundMs = 60_000;

/** So many idle turns of the event loop, and nothing goes on any more; one between two timers. */
const quietTurns = 3;

/** How long {@link TestTime.advanceUntil} waits: no timer of a test lies further off. */
const patienceMs = 366 * 86_400_000;

/** A clock with one owner, the test, and what happens without it. */
export class TestTime {
  /** Carries what happens by itself: disk operations, messages to engines, deferred work. */
  readonly scheduler: SimScheduler;
  readonly #timers = new SimEventHeap();
  #passedMs = 0;
  #number = 0;
  #isRunning = false;
  #isDirty = false;

  constructor(random: SimRandom) {
    this.scheduler = new SimScheduler({
      random,
      trace: new SimTrace(),
      onSchedule: () => this.#run(),
    });
  }

  /** Wall-clock milliseconds. */
  get nowMs(): number {
    return simEpochMs + this.#passedMs;
  }

  /** The clock of one life of a node. */
  clockFor(owner: SimOwner): Clock {
    const deferred: (() => void)[] = [];
    return {
      now: () => this.nowMs,
      monotonic: () => this.#passedMs,
      setTimer: (delayMs, task) => this.#setTimer(owner, delayMs, task),
      defer: task => {
        deferred.push(task);
        const next = () => deferred.shift()?.();
        this.scheduler.schedule({ delayMs: 0, kind: 'defer', owner, task: next });
      },
    };
  }

  /** Lets time pass; timers that come due run at their time, in order. */
  async advance(span: Duration): Promise<void> {
    const untilMs = this.#passedMs + durationMs(span, 'advance');
    await this.settled();
    while (this.#fireNext(untilMs)) await this.settled(1);
    this.#passedMs = untilMs;
    await this.settled();
  }

  /** Lets time pass, timer by timer, until a promise settles. */
  async advanceUntil<T>(promise: PromiseLike<T>): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    const untilMs = this.#passedMs + patienceMs;
    await this.settled();
    while (!isSettled && this.#fireNext(untilMs)) await this.settled();
    return promise;
  }

  /** Waits until nothing goes on any more that does not wait for time, or for the real world. */
  async settled(turns?: number): Promise<void> {
    const enough = turns ?? quietTurns;
    for (let turn = 0; turn < enough; turn++) {
      await platform.nextLoop();
      if (this.#isRunning) turn = -1;
    }
  }

  #setTimer(owner: SimOwner, delayMs: number, task: () => void): Timer {
    invariant(!Number.isNaN(delayMs), 'the delay of a timer is a number');
    if (!owner.isAlive || delayMs === Number.POSITIVE_INFINITY) return { cancel: () => undefined };
    const timeMs = this.#passedMs + Math.max(0, delayMs);
    const number = this.#number++;
    const timer = { timeMs, tie: 0, number, kind: 'timer', owner, task };
    const event: Parameters<SimEventHeap['push']>[0] = timer;
    this.#timers.push(event);
    return {
      cancel: () => {
        event.task = undefined;
      },
    };
  }

  #fireNext(untilMs: number): boolean {
    for (;;) {
      const event = this.#timers.peek();
      if (event === undefined || event.timeMs > untilMs) return false;
      this.#timers.pop();
      const { task, owner } = event;
      if (task === undefined || owner?.isAlive === false) continue;
      this.#passedMs = Math.max(this.#passedMs, event.timeMs);
      event.task = undefined;
      task();
      return true;
    }
  }

  /** Runs what was scheduled, a moment later, until nothing is left. */
  #run(): void {
    this.#isDirty = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#runAll();
  }

  async #runAll(): Promise<void> {
    await platform.nextLoop();
    while (this.#isDirty) {
      this.#isDirty = false;
      await this.scheduler.run({ untilMs: this.scheduler.nowMs + roundMs });
    }
    this.#isRunning = false;
  }
}
