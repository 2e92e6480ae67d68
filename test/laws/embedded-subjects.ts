/** The embedded engine: in this thread, in its worker, and on the disk of the simulator. */
import { blobPath, openEmbeddedBlob } from '../../src/engines/embedded/blob.ts';
import { openEmbeddedKeyValue } from '../../src/engines/embedded/key-value.ts';
import { openEmbeddedLog } from '../../src/engines/embedded/log.ts';
import { openEmbeddedLogInWorker } from '../../src/engines/embedded/worker-log.ts';
import { systemDisk } from '../../src/engines/system/disk.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import type { BlobSubject } from '../../src/testing/blob-laws.ts';
import type { KeyValueSubject } from '../../src/testing/key-value-subject.ts';
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

/** Keys and values on a log on a simulated disk. */
export async function openEmbeddedKeyValues(): Promise<KeyValueSubject & AsyncDisposable> {
  const machine = openSimMachine();
  const open = async () => {
    const log = await openEmbeddedLog({ disk: machine.openDisk(), random: machine.random });
    const keyValue = openEmbeddedKeyValue({ log });
    // Closing keys and values leaves the log open; a restart closes both.
    const close = () => keyValue.close().then(() => log.close());
    return { keyValue, close };
  };
  const { first, reopen, ...rest } = await reopenable(open, machine.stop);
  const { keyValue } = first;
  return { keyValue, clock: machine.clock, reopen: async () => (await reopen()).keyValue, ...rest };
}

/** Blobs on a simulated disk. */
export async function openEmbeddedBlobs(): Promise<BlobSubject & AsyncDisposable> {
  const machine = openSimMachine();
  const { clock } = machine;
  const open = () => openEmbeddedBlob({ disk: machine.openDisk(), clock });
  const { first, ...rest } = await reopenable(open, machine.stop);
  const damage = async (id: string) => {
    const file = await machine.openDisk().open(blobPath(id), 'write');
    const bytes = await file.read(0, await file.size());
    await file.write(bytes.length - 1, Uint8Array.of((bytes.at(-1) ?? 0) ^ 1));
  };
  return { blob: first, clock, damage, ...rest };
}

/** Logs on a simulated disk. */
export async function openEmbeddedSimulated(): Promise<LogSubject & AsyncDisposable> {
  const machine = openSimMachine();
  const open = () => openEmbeddedLog({ disk: machine.openDisk(), random: machine.random });
  const { first, ...rest } = await reopenable(open, machine.stop);
  return { log: first, damage: async (_, text) => machine.flip(text), ...rest };
}
