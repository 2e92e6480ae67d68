/** The module that a storage worker thread runs: the embedded store on this machine's disk. */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../core/errors.ts';
import { runStorageWorker } from '../engines/embedded/worker.ts';
import { systemDisk } from '../engines/system/disk.ts';
import { systemRandom } from '../engines/system/random.ts';

invariant(parentPort !== null, 'the storage worker runs as a worker thread');
await runStorageWorker({
  port: parentPort,
  data: workerData,
  random: systemRandom(),
  diskOf: directory => systemDisk(directory, { isBlocking: true }),
});
