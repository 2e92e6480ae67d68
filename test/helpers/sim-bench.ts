/** A scheduler with one device and one life on it, and a way to await virtual time from a test. */
import type { Disk } from '../../src/ports/disk.ts';
import { SimDevice } from '../../src/testing/sim-device.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import type { SimOwner } from '../../src/testing/sim-event-heap.ts';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { SimScheduler } from '../../src/testing/sim-scheduler.ts';
import { SimTrace } from '../../src/testing/sim-trace.ts';

/** What a test of simulated parts works with. */
export interface SimBench {
  readonly scheduler: SimScheduler;
  readonly device: SimDevice;
  readonly faults: string[];
  /** Begins a life and gives its disk. */
  live(name?: string): { owner: SimOwner; disk: Disk };
  /** Runs virtual time until the promise has settled, and passes it on. */
  until<Result>(promise: Promise<Result>): Promise<Result>;
  /** Whether the promise is still open after all events have run. */
  isOpen(promise: Promise<unknown>): Promise<boolean>;
}

/** Builds one from a seed. */
export function simBench(seed = 'bench'): SimBench {
  const random = new SimRandom(seed);
  const scheduler = new SimScheduler({ random: random.fork('schedule'), trace: new SimTrace() });
  const faults: string[] = [];
  const device = new SimDevice({
    name: 'device',
    latency: random.fork('latency'),
    faults: random.fork('faults'),
    onFault: fault => faults.push(fault),
  });
  const settle = async (promise: Promise<unknown>) => {
    let isSettled = false;
    const mark = () => {
      isSettled = true;
    };
    promise.then(mark, mark);
    await scheduler.run({ untilMs: scheduler.nowMs + 100_000, isDone: () => isSettled });
    return isSettled;
  };
  return {
    scheduler,
    device,
    faults,
    live(name = 'node#1') {
      const owner: SimOwner = { label: name, isAlive: true, isPaused: false, held: [] };
      return { owner, disk: new SimDisk({ device, scheduler, owner }) };
    },
    async until(promise) {
      await settle(promise);
      return promise;
    },
    isOpen: async promise => !(await settle(promise)),
  };
}
