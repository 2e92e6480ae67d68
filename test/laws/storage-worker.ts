/** The storage worker of the laws: the embedded engine on this machine's disk. */
import { parentPort, workerData } from 'node:worker_threads';
import { runStorageWorker } from '../../src/engines/embedded/worker.ts';
import { systemDisk } from '../../src/engines/system/disk.ts';
import { systemRandom } from '../../src/engines/system/random.ts';

if (parentPort === null) throw new Error('this module is to be run as a worker');
await runStorageWorker({
  port: parentPort,
  data: workerData,
  random: systemRandom(),
  diskOf: directory => systemDisk(directory, { isBlocking: true }),
});
