/**
 * A simulated machine that runs as fast as it can while a law, which is no simulated process, waits
 * for what its ports do. A heartbeat keeps virtual time from running away while the law computes.
 */
import { SimClock, SimMachineClock } from '../../src/testing/sim-clock.ts';
import { SimDevice } from '../../src/testing/sim-device.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import type { SimOwner } from '../../src/testing/sim-event-heap.ts';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { SimScheduler } from '../../src/testing/sim-scheduler.ts';
import { SimTrace } from '../../src/testing/sim-trace.ts';

/** Ports of a simulated machine. */
export interface SimMachine {
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly scheduler: SimScheduler;
  readonly owner: SimOwner;
  /** A view of the machine's one disk, as one process has it. */
  openDisk(): SimDisk;
  /** Flips a bit of a text wherever it lies on the disk. */
  flip(text: string): void;
  stop(): Promise<void>;
}

/** Starts a machine. It runs until it is stopped. */
export function openSimMachine(): SimMachine {
  const random = new SimRandom('laws');
  const scheduler = new SimScheduler({
    random: random.fork('schedule'),
    trace: new SimTrace(),
    eventsPerYield: 50,
  });
  const device = new SimDevice({
    name: 'disk',
    latency: random.fork('latency'),
    faults: random.fork('faults'),
    onFault: () => undefined,
  });
  let isStopped = false;
  const beat = () => scheduler.schedule({ delayMs: 1, kind: 'beat', task: beat });
  beat();
  const running = scheduler.run({ untilMs: Number.MAX_SAFE_INTEGER, isDone: () => isStopped });
  const options = { scheduler, owner: newOwner() };
  return {
    ...options,
    clock: new SimClock({
      ...options,
      machine: new SimMachineClock(),
      random: random.fork('clock'),
    }),
    random: random.fork('process'),
    openDisk: () => new SimDisk({ ...options, owner: newOwner(), device }),
    flip(text) {
      for (const inode of device.tree.files.values()) {
        const content = Buffer.from(inode.current.read(0, inode.current.size));
        if (content.includes(text)) inode.flip(content.indexOf(text), 0);
      }
    },
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

function newOwner(): SimOwner {
  return { label: 'law', isAlive: true, isPaused: false, held: [] };
}
