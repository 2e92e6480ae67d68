/** A process or thread that takes the lock of a directory, says so, and lives on. */
import { parentPort } from 'node:worker_threads';
import { systemDisk } from '../../../src/engines/system/disk.ts';

await systemDisk(process.argv[2] ?? '').lock('lock');
setInterval(() => undefined, 1_000);
if (parentPort === null) process.stdout.write('held\n');
else parentPort.postMessage('held');
