/**
 * A port whose engine lives outside of the simulated process, as a server would: requests and
 * answers travel for a while, in order, and both are lost when the process dies. What had been
 * asked before the crash may still be done after it, which is what makes an outcome unknown.
 */
import type { SimOwner } from './sim-event-heap.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimScheduler } from './sim-scheduler.ts';

const meanMsDefault = 0.2;
// Two messages of one direction never arrive at once, because then the seed would order them.
const gapMs = 1e-6;

/** How a process reaches an engine outside. */
export interface SimRemoteOptions {
  readonly scheduler: SimScheduler;
  readonly owner: SimOwner;
  /** Decides how long messages travel. */
  readonly random: SimRandom;
  /** Mean time of travel, one way (default 0.2 ms). */
  readonly meanMs?: number | undefined;
}

/** Which methods of a port answer at once; all others must return promises. */
export type SynchronousNames<Port> = readonly (keyof Port & string)[];

/** The port as the process sees it. */
export function remotePort<Port extends object>(
  target: Port,
  options: SimRemoteOptions,
  synchronous: SynchronousNames<Port> = [],
): Port {
  const line = new RemoteLine(options);
  return new Proxy(target, {
    get(_target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      const call = (values: readonly unknown[]): unknown => Reflect.apply(member, target, values);
      if (typeof name === 'symbol' || synchronous.includes(name as keyof Port & string)) {
        return (...values: unknown[]) => (options.owner.isAlive ? call(values) : undefined);
      }
      return (...values: unknown[]) => line.ask(name, async () => call(values));
    },
  });
}

class RemoteLine {
  readonly #options: SimRemoteOptions;
  #lastArrivalMs = 0;
  #lastAnswerMs = 0;

  constructor(options: SimRemoteOptions) {
    this.#options = options;
  }

  /** Takes a request there and its answer back. */
  ask(name: string, task: () => Promise<unknown>): Promise<unknown> {
    const { scheduler, owner } = this.#options;
    if (!owner.isAlive) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      this.#lastArrivalMs = this.#arrivalMs(this.#lastArrivalMs);
      scheduler.schedule({
        delayMs: this.#lastArrivalMs - scheduler.nowMs,
        // Whoever asked may be dead by then: the request is on its way all the same.
        kind: `remote-${name}`,
        task: () => {
          task().then(
            result => this.#answer(name, () => resolve(result)),
            (error: unknown) => this.#answer(name, () => reject(error)),
          );
        },
      });
    });
  }

  #answer(name: string, settle: () => void): void {
    const { scheduler, owner } = this.#options;
    this.#lastAnswerMs = this.#arrivalMs(this.#lastAnswerMs);
    const delayMs = this.#lastAnswerMs - scheduler.nowMs;
    scheduler.schedule({ delayMs, kind: `remote-${name}-answer`, owner, task: settle });
  }

  #arrivalMs(lastMs: number): number {
    const { scheduler, random, meanMs } = this.#options;
    const travelMs = (meanMs ?? meanMsDefault) * (0.5 + random.exponential(0.5));
    return Math.max(lastMs + gapMs, scheduler.nowMs + travelMs);
  }
}
