/** The embedded engine: in this thread, in its worker, and on the disk of the simulator. */
import { openEmbeddedLog } from '../../src/engines/embedded/log.ts';
import { openEmbeddedLogInWorker } from '../../src/engines/embedded/worker-log.ts';
import { systemDisk } from '../../src/engines/system/disk.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import type { LogSubject } from '../../src/testing/log-law-steps.ts';
import { flipIn } from './flip-in.ts';
import { openFolder } from './folder.ts';
import { reopenable } from './reopenable.ts';
import { openSimMachine } from './sim-machine.ts';

/** Logs on a real directory, in this thread. */
export async function openEmbeddedHere(): Promise<LogSubject & AsyncDisposable> {
  const folder = await openFolder();
  const open = () => openEmbeddedLog({ disk: systemDisk(folder.path), random: systemRandom() });
  const { first, ...rest } = await reopenable(open, folder.remove);
  return { log: first, damage: async (_, text) => flipIn(folder.path, text), ...rest };
}

/** Logs on a real directory, in a storage worker. */
export async function openEmbeddedInWorker(): Promise<LogSubject & AsyncDisposable> {
  const folder = await openFolder();
  const entry = new URL('../../src/node/storage-worker.ts', import.meta.url);
  const open = () => openEmbeddedLogInWorker({ entry, directory: folder.path });
  const { first, ...rest } = await reopenable(open, folder.remove);
  return { log: first, damage: async (_, text) => flipIn(folder.path, text), ...rest };
}

/** Logs on a simulated disk. */
export async function openEmbeddedSimulated(): Promise<LogSubject & AsyncDisposable> {
  const machine = openSimMachine();
  const open = () => openEmbeddedLog({ disk: machine.openDisk(), random: machine.random });
  const { first, ...rest } = await reopenable(open, machine.stop);
  return { log: first, damage: async (_, text) => machine.flip(text), ...rest };
}
