/** The real machine and the simulated one: disks, clocks, randomness, links. */
import { systemClock } from '../../src/engines/system/clock.ts';
import { systemDisk } from '../../src/engines/system/disk.ts';
import { systemLink } from '../../src/engines/system/link.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import type { ClockSubject } from '../../src/testing/clock-laws.ts';
import type { DiskSubject } from '../../src/testing/disk-law-steps.ts';
import type { LinkSubject } from '../../src/testing/link-subject.ts';
import type { RandomSubject } from '../../src/testing/random-laws.ts';
import { openFolder } from './folder.ts';
import { openSimMachine } from './sim-machine.ts';

/** A directory of this machine, with calls that block or do not. */
export async function openSystemDisk(isBlocking: boolean): Promise<DiskSubject & AsyncDisposable> {
  const { path, remove } = await openFolder();
  const open = () => systemDisk(path, { isBlocking });
  return { disk: open(), reopen: async () => open(), [Symbol.asyncDispose]: remove };
}

/** The disk of the simulator. */
export async function openSimDisk(): Promise<DiskSubject & AsyncDisposable> {
  const { openDisk, stop } = openSimMachine();
  return { disk: openDisk(), reopen: async () => openDisk(), [Symbol.asyncDispose]: stop };
}

/** The clock of this machine. */
export async function openSystemClock(): Promise<ClockSubject & AsyncDisposable> {
  return { clock: systemClock(), [Symbol.asyncDispose]: async () => undefined };
}

/** The clock of the simulator. */
export async function openSimClock(): Promise<ClockSubject & AsyncDisposable> {
  const { clock, stop } = openSimMachine();
  return { clock, [Symbol.asyncDispose]: stop };
}

/** The randomness of this machine. */
export async function openSystemRandom(): Promise<RandomSubject & AsyncDisposable> {
  return { random: systemRandom(), [Symbol.asyncDispose]: async () => undefined };
}

/** The randomness of the simulator. */
export async function openSimRandom(): Promise<RandomSubject & AsyncDisposable> {
  const { random, stop } = openSimMachine();
  return { random, [Symbol.asyncDispose]: stop };
}

/** Links over TCP on loopback. */
export async function openSystemLink(): Promise<LinkSubject & AsyncDisposable> {
  const [link, other] = [systemLink(), systemLink()];
  return {
    link,
    other,
    address: '127.0.0.1:0',
    clock: systemClock(),
    async [Symbol.asyncDispose]() {
      await Promise.all([link.close(), other.close()]);
    },
  };
}
