/**
 * The clocks of a simulated machine and the `Clock` port of one process life on it. A machine's
 * clock runs at its own rate, its wall clock has an offset and may jump; the monotonic clock begins
 * anywhere. Timers of a life that ended never run; those of a paused one run when it resumes.
 */
import { invariant } from '../core/errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { SimOwner } from './sim-event-heap.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimScheduler } from './sim-scheduler.ts';

/** The wall-clock time at which every run begins: 2030-01-01, UTC. */
export const simEpochMs: number = 1_893_456_000_000;

const lateMsMax = 1;

/** How a machine's clocks differ from true time. */
export interface SimMachineClockOptions {
  /** Parts per million by which both clocks run too fast, or, below 0, too slow (default 0). */
  readonly driftPpm?: number | undefined;
  /** How far the wall clock is ahead of true time at the start (default 0). */
  readonly wallOffsetMs?: number | undefined;
}

/** The clocks of one machine. They survive its processes. */
export class SimMachineClock {
  readonly rate: number;
  #wallOffsetMs: number;
  #wallOffsetMsMax: number;

  constructor(options: SimMachineClockOptions = {}) {
    this.rate = 1 + (options.driftPpm ?? 0) / 1_000_000;
    this.#wallOffsetMs = options.wallOffsetMs ?? 0;
    this.#wallOffsetMsMax = this.#wallOffsetMs;
  }

  /** How far the wall clock is ahead of what its rate alone would show. */
  get wallOffsetMs(): number {
    return this.#wallOffsetMs;
  }

  /** Sets the wall clock forward, or, below 0, back. The monotonic clock does not notice. */
  jump(deltaMs: number): void {
    this.#wallOffsetMs += deltaMs;
    this.#wallOffsetMsMax = Math.max(this.#wallOffsetMsMax, this.#wallOffsetMs);
  }

  /** Sets the wall clock so far forward that no time it ever showed lies in its future. */
  settle(): void {
    this.#wallOffsetMs = this.#wallOffsetMsMax;
  }
}

/** What a {@link SimClock} is made of. */
export interface SimClockOptions {
  readonly scheduler: SimScheduler;
  readonly machine: SimMachineClock;
  readonly owner: SimOwner;
  /** Decides how late timers are, and where the monotonic clock begins. */
  readonly random: SimRandom;
}

/** The clock of one life of a process. */
export class SimClock implements Clock {
  readonly #options: SimClockOptions;
  readonly #zeroMs: number;
  readonly #deferred: (() => void)[] = [];
  #shownMs = 0;

  constructor(options: SimClockOptions) {
    this.#options = options;
    this.#zeroMs = options.random.between(0, 1_000_000) - this.#machineMs();
  }

  now(): number {
    return Math.floor(simEpochMs + this.#machineMs() + this.#options.machine.wallOffsetMs);
  }

  monotonic(): number {
    this.#shownMs = Math.max(this.#shownMs, this.#machineMs() + this.#zeroMs);
    return this.#shownMs;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    invariant(!Number.isNaN(delayMs), 'the delay of a timer is a number');
    const { scheduler, owner, machine, random } = this.#options;
    if (!owner.isAlive || delayMs === Number.POSITIVE_INFINITY) return { cancel: () => undefined };
    const dueMs = this.monotonic() + Math.max(0, delayMs);
    const event = scheduler.schedule({
      delayMs: Math.max(0, delayMs) / machine.rate + random.between(0, lateMsMax),
      kind: 'timer',
      owner,
      task: () => {
        // Rounding must not let a timer see a time before the one that it waited for.
        this.#shownMs = Math.max(this.#shownMs, dueMs);
        task();
      },
    });
    return { cancel: () => scheduler.cancel(event) };
  }

  defer(task: () => void): void {
    const { scheduler, owner } = this.#options;
    if (!owner.isAlive) return;
    // Among themselves these keep their order, as on the real event loop; among all else they do
    // not.
    this.#deferred.push(task);
    scheduler.schedule({
      delayMs: 0,
      kind: 'defer',
      owner,
      task: () => this.#deferred.shift()?.(),
    });
  }

  #machineMs(): number {
    return this.#options.scheduler.nowMs * this.#options.machine.rate;
  }
}
