/**
 * The embedded log on a disk in memory: what the laws do not ask, because only this engine has it.
 */
import { describe, expect, it } from 'vitest';
import { type EmbeddedLog, openEmbeddedLog } from '../../../src/engines/embedded/log.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import { put, putEach, seqOf, textsOf } from '../../helpers/log-steps.ts';
import { MemoryDisk } from '../../helpers/memory-disk.ts';

const random = systemRandom();
const reserveBytes = 0;

function open(disk: MemoryDisk, limits = {}): Promise<EmbeddedLog> {
  return openEmbeddedLog({ disk, random, limits: { reserveBytes, ...limits } });
}

describe('the embedded log', () => {
  it('makes one flush of what is issued together', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const before = disk.flushCount;
    await Promise.all(Array.from({ length: 200 }, (_, n) => put(log, `a/${n}`, 0, 'x')));
    expect(disk.flushCount - before).toBe(1);
  });

  it('has what it acknowledged after a loss of power', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await putEach(log, 'a/1', ['one', 'two', 'three']);
    const again = await open(disk.afterCrash('flushed'));
    expect(textsOf(await again.read('a/1', { after: 0 }))).toEqual(['one', 'two', 'three']);
    expect(again.recovery).toMatchObject({ cut: undefined, repairs: [], losses: [] });
  });

  it('raises the epoch by one at each opening and keeps lineage and shards', async () => {
    const disk = new MemoryDisk();
    const first = await openEmbeddedLog({ disk, random, shardCount: 64 });
    await first.close();
    const second = await open(disk);
    expect(second).toMatchObject({ epoch: first.epoch + 1, lineage: first.lineage });
    expect(second.shardCount).toBe(64);
    expect(first.epoch).toBe(1);
  });

  it('is opened by one at a time', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await expect(open(disk)).rejects.toMatchObject({ code: 'DATA_LOCKED' });
    await log.close();
    await (await open(disk)).close();
  });

  it('refuses bad names, empty appends and foreign cursors', async () => {
    const log = await open(new MemoryDisk());
    const bad = { code: 'INVALID_INPUT' };
    await expect(log.append('', 0, [{ bytes: new Uint8Array() }])).rejects.toMatchObject(bad);
    await expect(log.read('x'.repeat(3_000), { after: 0 })).rejects.toMatchObject(bad);
    await expect(log.append('a/1', 0, [])).rejects.toMatchObject(bad);
    await expect(log.heads({ cursor: 'odd' })).rejects.toMatchObject(bad);
  });

  it('refuses an append whose records together are too large', async () => {
    const log = await open(new MemoryDisk(), { recordBytesMax: 100, appendBytesMax: 150 });
    const record = { bytes: new Uint8Array(100) };
    const append = log.append('a/1', 0, [record, record]);
    await expect(append).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it('refuses options that make no sense', async () => {
    for (const limits of [{ segmentBytes: 0 }, { reserveBytes: -1 }, { batchBytesMax: NaN }]) {
      await expect(open(new MemoryDisk(), limits)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
    }
  });

  it('answers appends beyond the bound of the queue with unavailable', async () => {
    const log = await open(new MemoryDisk(), { queueLengthMax: 2 });
    const appends = [1, 2, 3].map(n => log.append(`a/${n}`, 0, [{ bytes: new Uint8Array(1) }]));
    const results = await Promise.all(appends);
    expect(results.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'unavailable']);
    expect(results[2]).toMatchObject({ cause: { code: 'OVERLOADED' } });
  });

  it('holds an append that is larger than a segment', async () => {
    const log = await open(new MemoryDisk(), { segmentBytes: 1_000 });
    const tail = await put(log, 'a/1', 0, 'x'.repeat(5_000));
    await put(log, 'a/1', tail, 'small');
    const texts = textsOf(await log.read('a/1', { after: 0 }));
    expect(texts.map(text => text.length)).toEqual([5_000, 5]);
  });

  it('reads page after page of a long log, also while it grows', async () => {
    const log = await open(new MemoryDisk(), { sliceBytesMax: 2_000 });
    let tail = 0;
    for (let n = 0; n < 300; n += 1) tail = await put(log, 'a/1', tail, `record ${n}`);
    const texts: string[] = [];
    let after = 0;
    for (let isComplete = false; !isComplete; ) {
      const slice = await log.read('a/1', { after, recordsMax: 40 });
      texts.push(...textsOf(slice));
      after = slice.records.at(-1)?.seq ?? after;
      isComplete = slice.isComplete;
      if (texts.length < 100) tail = await put(log, 'a/1', tail, `late ${texts.length}`);
    }
    expect(texts.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, n) => `record ${n}`));
    expect(texts.slice(300)).toEqual(['late 40', 'late 80']);
  });
});

describe('a full disk', () => {
  it('refuses appends as not stored, reads on, and takes appends again by itself', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const tail = await put(log, 'a/1', 0, 'one');
    disk.isFull = true;
    const refused = await log.append('a/1', tail, [{ bytes: new Uint8Array(50) }]);
    expect(refused).toMatchObject({ status: 'unavailable', cause: { code: 'DISK_FULL' } });
    expect(textsOf(await log.read('a/1', { after: 0 }))).toEqual(['one']);
    disk.isFull = false;
    await put(log, 'a/1', tail, 'two');
    const again = await open(disk.afterCrash('flushed'));
    expect(textsOf(await again.read('a/1', { after: 0 }))).toEqual(['one', 'two']);
  });

  it('refuses appends that need a new segment, and makes it when there is space', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk, { segmentBytes: 300 });
    let tail = await put(log, 'a/1', 0, 'x'.repeat(200));
    disk.isFull = true;
    const refused = await log.append('a/1', tail, [{ bytes: new Uint8Array(200) }]);
    expect(refused).toMatchObject({ status: 'unavailable', cause: { code: 'DISK_FULL' } });
    disk.isFull = false;
    tail = await put(log, 'a/1', tail, 'two');
    await log.close();
    expect((await (await open(disk)).read('a/1', { after: 0 })).tail).toBe(tail);
  });

  it('goes on without a reserve when there is only space for the commit', async () => {
    const disk = new MemoryDisk();
    const log = await openEmbeddedLog({ disk, random });
    const tail = await put(log, 'a/1', 0, 'one');
    disk.isFull = true;
    // The reserve that is there takes small commits although nothing can grow.
    await put(log, 'a/1', tail, 'two');
    expect(textsOf(await log.read('a/1', { after: 0 }))).toEqual(['one', 'two']);
  });

  it('refuses a trim, which can be asked for again', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const tail = await put(log, 'a/1', 0, 'one', '!two');
    disk.isFull = true;
    await expect(log.trim('a/1', tail)).rejects.toMatchObject({ code: 'DISK_FULL' });
    disk.isFull = false;
    await log.trim('a/1', tail);
    expect(textsOf(await log.read('a/1', { after: 0 }))).toEqual(['!two']);
  });
});

describe('a failed flush', () => {
  it('leaves appends in flight unknown and ends the engine for good', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const tail = await put(log, 'a/1', 0, 'one');
    const failures: string[] = [];
    log.onFailure(error => failures.push(error.code));
    disk.flushFailures = 1;
    const inFlight = log.append('a/1', tail, [{ bytes: new Uint8Array(1) }]);
    const wrong = log.append('a/1', 7, [{ bytes: new Uint8Array(1) }]);
    expect(await inFlight).toMatchObject({ status: 'unknown', cause: { code: 'ENGINE_FAILED' } });
    expect(await wrong).toEqual({ status: 'conflict' });
    const later = await log.append('a/1', tail, [{ bytes: new Uint8Array(1) }]);
    expect(later).toMatchObject({
      status: 'unavailable',
      cause: { code: 'ENGINE_FAILED', outcome: 'not-executed' },
    });
    expect(failures).toEqual(['ENGINE_FAILED']);
    log.onFailure(error => failures.push(`late ${error.code}`));
    expect(failures.at(-1)).toBe('late ENGINE_FAILED');
    expect(textsOf(await log.read('a/1', { after: 0 }))).toEqual(['one']);
    await log.close();
  });

  it('resolves to what is found when the store is opened again', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const tail = await put(log, 'a/1', 0, 'one');
    disk.flushFailures = 1;
    await log.append('a/1', tail, [{ bytes: Buffer.from('two') }]);
    const lost = await open(disk.afterCrash('flushed'));
    expect(textsOf(await lost.read('a/1', { after: 0 }))).toEqual(['one']);
    const stored = await open(disk.afterCrash('all'));
    expect(textsOf(await stored.read('a/1', { after: 0 }))).toEqual(['one', 'two']);
    expect(seqOf(await lost.append('a/1', tail, [{ bytes: Buffer.from('2') }]))).toBeGreaterThan(0);
  });
});
