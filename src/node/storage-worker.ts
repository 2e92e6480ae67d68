/** The module that a storage worker runs: the embedded store on this machine's disk. */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../core/errors.ts';
import { runStorageWorker, type StorageWorkerData } from '../engines/embedded/worker.ts';
import { systemDisk } from '../engines/system/disk.ts';
import { systemRandom } from '../engines/system/random.ts';

invariant(parentPort !== null, 'the storage worker runs in a worker thread');

await runStorageWorker({
  port: parentPort,
  // The only one who starts this module is `openEmbeddedLogInWorker`, with data of this shape.
  data: workerData as StorageWorkerData,
  random: systemRandom(),
  diskOf: directory => systemDisk(directory, { isBlocking: true }),
});
