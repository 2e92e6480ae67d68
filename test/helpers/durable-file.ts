/** A simulated disk with one durable file, and what a loss of power leaves of it. */
import type { Disk, DiskFile } from '../../src/ports/disk.ts';
import type { SimOwner } from '../../src/testing/sim-event-heap.ts';
import { type SimBench, simBench } from './sim-bench.ts';

/** The text of bytes. */
export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** The bytes of a text. */
export const bytes = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));

/** A file with durable content, and everything needed to go on. */
export interface DurableFile {
  readonly bench: SimBench;
  readonly file: DiskFile;
  readonly disk: Disk;
  readonly owner: SimOwner;
}

/** Makes the file `log` with durable content. */
export async function withFile(content: string, seed?: string): Promise<DurableFile> {
  const bench = simBench(seed);
  const life = bench.live();
  const file = await bench.until(life.disk.open('log', 'create'));
  await bench.until(file.write(0, bytes(content)));
  await bench.until(file.flush());
  await bench.until(life.disk.flushDirectory(''));
  return { bench, file, ...life };
}

/** What `log` holds after a loss of power; `undefined` when it is gone. */
export async function contentAfterPowerLoss(bench: SimBench): Promise<string | undefined> {
  bench.device.losePower();
  const { disk } = bench.live('node#2');
  if (!(await bench.until(disk.exists('log')))) return undefined;
  const file = await bench.until(disk.open('log', 'read'));
  return text(await bench.until(file.read(0, 1_000_000)));
}
