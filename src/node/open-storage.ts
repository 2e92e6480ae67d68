/** Opens the embedded log of a directory of this machine, in a storage worker. */
import type { EmbeddedLog } from '../engines/embedded/log.ts';
import type { StorageWorkerData } from '../engines/embedded/worker.ts';
import { openEmbeddedLogInWorker } from '../engines/embedded/worker-log.ts';

// The built package has .js where the sources have .ts.
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = new URL(`./storage-worker.${extension}`, import.meta.url);

/**
 * Opens the log of `directory`, which is made when it is missing.
 *
 * @throws `DATA_LOCKED`, `ENGINE_UNSUPPORTED`, `LOG_CORRUPT`, `LOG_REGRESSED`, `CONFIG_INVALID`,
 * `DISK_FULL`, `ENGINE_FAILED`.
 */
export function openStorage(options: StorageWorkerData): Promise<EmbeddedLog> {
  return openEmbeddedLogInWorker({ ...options, entry });
}
