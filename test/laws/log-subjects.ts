/** Logs to check, one for each engine. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../src/engines/embedded/log.ts';
import { memoryLogs } from '../../src/engines/memory/log.ts';
import { systemDisk } from '../../src/engines/system/disk.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import type { Log } from '../../src/ports/log.ts';
import type { LogSubject } from '../../src/testing/log-law-steps.ts';

/** A subject whose log can be closed and opened again on the same store. */
export function reopenable(
  open: () => Promise<Log>,
  dispose: () => Promise<void> = async () => undefined,
): Promise<LogSubject & AsyncDisposable> {
  return open().then(log => {
    let current = log;
    return {
      log,
      async reopen() {
        await current.close();
        current = await open();
        return current;
      },
      async [Symbol.asyncDispose]() {
        await current.close();
        await dispose();
      },
    };
  });
}

/** The memory engine. */
export function openMemoryLogSubject(): Promise<LogSubject & AsyncDisposable> {
  const store = memoryLogs();
  return reopenable(async () => store.open());
}

/** The embedded engine in this thread, on a directory of its own. */
export async function openEmbeddedLogSubject(): Promise<LogSubject & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'troupe-laws-'));
  const open = () => openEmbeddedLog({ disk: systemDisk(root), random: systemRandom() });
  return reopenable(open, () => rm(root, { recursive: true, force: true }));
}
