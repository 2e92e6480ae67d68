/**
 * What one flush of the disk costs: a record is written behind the last one, and flushed before the
 * next. Nothing durable can answer faster. The preallocated variant spares the change of file size.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { answerAsProbe, latenciesUs, quantile, type Sample } from './measure.ts';
import { withFolder } from './workspace.ts';

const recordBytes = 300;
const preallocatedBytes = 64 * 1024 * 1024;

async function appendAndFlush(id: string, isPreallocated: boolean): Promise<Sample> {
  return withFolder(async folder => {
    const file = openSync(join(folder, 'log'), 'w');
    if (isPreallocated) fillWithZeros(file);
    const record = Buffer.alloc(recordBytes, 7);
    let offset = 0;
    const latencies = await latenciesUs(async () => {
      writeSync(file, record, 0, recordBytes, offset % (preallocatedBytes - recordBytes));
      offset += recordBytes;
      fdatasyncSync(file);
    });
    closeSync(file);
    return { [id]: quantile(latencies, 0.5), [`${id}-p99`]: quantile(latencies, 0.99) };
  });
}

function fillWithZeros(file: number): void {
  const zeros = Buffer.alloc(1024 * 1024);
  for (let offset = 0; offset < preallocatedBytes; offset += zeros.length) {
    writeSync(file, zeros, 0, zeros.length, offset);
  }
  fsyncSync(file);
}

if (import.meta.main) {
  await answerAsProbe({
    fdatasync: () => appendAndFlush('fdatasync', false),
    'fdatasync-preallocated': () => appendAndFlush('fdatasync-preallocated', true),
  });
}
