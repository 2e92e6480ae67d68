/** The embedded log on a disk in memory: appends, reads, reopening, failing devices. */
import { describe, expect, it } from 'vitest';
import { type EmbeddedLog, openEmbeddedLog } from '../../../src/engines/embedded/log.ts';
import type { StoreOptions } from '../../../src/engines/embedded/options.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import type { AppendResult, LogSlice } from '../../../src/ports/log.ts';
import { MemoryDisk } from '../../helpers/memory-disk.ts';

const random = systemRandom();
const open = (disk: MemoryDisk, more: Partial<StoreOptions> = {}): Promise<EmbeddedLog> =>
  openEmbeddedLog({ disk, random, ...more });

const bytes = (text: string) => new TextEncoder().encode(text);
const texts = (slice: LogSlice) =>
  slice.records.map(record => Buffer.from(record.bytes).toString());
const seqOf = (result: AppendResult): number => {
  if (result.status !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(result)}`);
  return result.seq;
};

async function put(log: EmbeddedLog, name: string, expected: number, text: string) {
  return seqOf(await log.append(name, expected, [{ bytes: bytes(text) }]));
}

describe('the embedded log', () => {
  it('appends behind the expected tail and reads what it appended', async () => {
    const log = await open(new MemoryDisk());
    const first = await put(log, 'a/1', 0, 'one');
    const second = await put(log, 'a/1', first, 'two');
    expect(second).toBeGreaterThan(first);
    expect(await log.append('a/1', first, [{ bytes: bytes('lost') }])).toEqual({
      status: 'conflict',
    });
    const slice = await log.read('a/1', { after: 0 });
    expect(texts(slice)).toEqual(['one', 'two']);
    expect(slice.tail).toBe(second);
    expect(texts(await log.read('a/1', { after: first }))).toEqual(['two']);
    await log.close();
  });

  it('finds everything again after a clean close, and after a crash', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    let tail = 0;
    for (let n = 0; n < 50; n += 1) tail = await put(log, 'a/1', tail, `n${n}`);
    const crashed = await open(disk.afterCrash('flushed'));
    expect(texts(await crashed.read('a/1', { after: 0 }))).toHaveLength(50);
    expect(crashed.recovery.cut).toBeUndefined();
    expect(crashed.epoch).toBe(log.epoch + 1);
    await log.close();
    const again = await open(disk);
    expect(texts(await again.read('a/1', { after: 0 }))).toHaveLength(50);
    expect(await put(again, 'a/1', tail, 'more')).toBeGreaterThan(tail);
  });

  it('makes one flush of what is issued together', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const before = disk.flushCount;
    const all = Array.from({ length: 200 }, (_, n) => put(log, `a/${n}`, 0, 'x'));
    await Promise.all(all);
    expect(disk.flushCount - before).toBe(1);
  });

  it('starts at the newest snapshot', async () => {
    const log = await open(new MemoryDisk());
    const first = await put(log, 'a/1', 0, 'one');
    const records = [{ bytes: bytes('snap'), isSnapshot: true }, { bytes: bytes('three') }];
    const tail = seqOf(await log.append('a/1', first, records, { wakeAt: 7 }));
    const slice = await log.readLatest('a/1');
    expect(texts(slice)).toEqual(['snap', 'three']);
    expect(slice.records[0]?.isSnapshot).toBe(true);
    expect(await log.heads({})).toEqual({ heads: [{ name: 'a/1', tail, wakeAt: 7 }] });
    await log.trim('a/1', slice.records[0]?.seq ?? 0);
    expect(texts(await log.read('a/1', { after: 0 }))).toEqual(['snap', 'three']);
    await expect(log.trim('a/1', tail)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
