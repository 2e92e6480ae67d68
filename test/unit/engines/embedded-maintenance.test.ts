/** Compaction, repair of damaged logs, backup and restore. */
import { describe, expect, it } from 'vitest';
import { restore } from '../../../src/engines/embedded/backup.ts';
import { blobPath, openEmbeddedBlob } from '../../../src/engines/embedded/blob.ts';
import { type EmbeddedLog, openEmbeddedLog } from '../../../src/engines/embedded/log.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import { put, putEach, textsOf } from '../../helpers/log-steps.ts';
import { MemoryDisk } from '../../helpers/memory-disk.ts';

const random = systemRandom();
const firstSegment = 'log/00000000000000.log';
const limits = { segmentBytes: 4_000, reserveBytes: 0 };

function open(disk: MemoryDisk, more = {}): Promise<EmbeddedLog> {
  return openEmbeddedLog({ disk, random, limits, ...more });
}

function logBytes(disk: MemoryDisk): number {
  const files = [...disk.files].filter(([path]) => path.startsWith('log/'));
  return files.reduce((sum, [, { size }]) => sum + size, 0);
}

/** Writes many snapshots of one log, each trimming what was before it. */
async function churn(log: EmbeddedLog, name: string, rounds: number): Promise<number> {
  let tail = (await log.read(name, { after: 0 })).tail;
  for (let round = 0; round < rounds; round += 1) {
    tail = await put(log, name, tail, `!${round} ${'x'.repeat(200)}`);
    await log.trim(name, tail);
  }
  return tail;
}

describe('compaction', () => {
  it('wins back the space of what was trimmed and keeps the rest', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const kept = await putEach(log, 'kept/1', ['one', 'two', 'three']);
    await log.append('sleeper', 0, [{ bytes: Buffer.from('old') }], { wakeAt: 99 });
    const written = 400 * 280;
    await churn(log, 'busy/1', 400);
    await log.close();
    expect(logBytes(disk)).toBeLessThan(written / 5);
    for (const path of ['index', 'nothing']) {
      const copy = disk.fork();
      copy.files.delete(path);
      const again = await open(copy);
      const slice = await again.read('kept/1', { after: 0 });
      expect(textsOf(slice)).toEqual(['one', 'two', 'three']);
      expect(slice.records.map(record => record.seq)).toEqual(kept);
      expect((await again.read('busy/1', { after: 0 })).records).toHaveLength(1);
      const { heads } = await again.heads({ prefix: 'sleeper' });
      expect(heads[0]?.wakeAt).toBe(99);
    }
  });

  it('keeps when to wake although the record that said so is gone', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const first = await log.append('busy/1', 0, [{ bytes: Buffer.from('first') }], { wakeAt: 7 });
    expect(first.status).toBe('accepted');
    await churn(log, 'busy/1', 200);
    await log.close();
    disk.files.delete('index');
    const { heads } = await (await open(disk)).heads({});
    expect(heads[0]?.wakeAt).toBe(7);
  });

  it('reads on while segments are replaced', async () => {
    const log = await open(new MemoryDisk());
    await putEach(log, 'kept/1', ['one', 'two', 'three']);
    const reading = (async () => {
      for (let round = 0; round < 300; round += 1) {
        expect(textsOf(await log.read('kept/1', { after: 0 }))).toEqual(['one', 'two', 'three']);
      }
    })();
    await churn(log, 'busy/1', 200);
    await reading;
  });

  it('leaves a damaged segment as it is', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await put(log, 'kept/1', 0, 'precious');
    disk.flip(firstSegment, Buffer.from(disk.bytes(firstSegment)).indexOf('precious'));
    await churn(log, 'busy/1', 100);
    await expect(log.read('kept/1', { after: 0 })).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    expect(Buffer.from(disk.bytes(firstSegment)).subarray(6, 7)[0]).toBe(0);
  });

  it('finds its way without the table of a compacted segment', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const texts = Array.from({ length: 5 }, (_, n) => `kept ${n}`);
    for (const text of texts) {
      await put(log, `kept/${text}`, 0, text);
      await churn(log, 'busy/1', 4);
    }
    await churn(log, 'busy/1', 100);
    await log.close();
    const header = Buffer.from(disk.bytes(firstSegment));
    expect(header[6]).toBe(1);
    disk.flip(firstSegment, header.readDoubleLE(40) + 3);
    const again = await open(disk);
    for (const text of texts) {
      expect(textsOf(await again.read(`kept/${text}`, { after: 0 }))).toEqual([text]);
    }
  });
});

describe('repair', () => {
  async function damaged(texts: string[], text: string): Promise<EmbeddedLog> {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await putEach(log, 'a/1', texts);
    await put(log, 'a/2', 0, 'other');
    await log.close();
    disk.flip(firstSegment, Buffer.from(disk.bytes(firstSegment)).indexOf(text));
    const again = await open(disk);
    await expect(again.read('a/1', { after: 0 })).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    return again;
  }

  it('cuts a log back to what can be read, after showing what that is', async () => {
    const log = await damaged(['one', 'two', 'three', 'four'], 'three');
    const survey = await log.survey('a/1');
    expect(survey).toMatchObject({ remedy: 'cut', readableCount: 3, keptCount: 2 });
    expect(survey.damage).toContain(firstSegment);
    expect(textsOf({ records: await log.exportReadable('a/1') })).toEqual(['one', 'two', 'four']);
    await log.repair('a/1');
    const slice = await log.read('a/1', { after: 0 });
    expect(textsOf(slice)).toEqual(['one', 'two']);
    expect(slice.tail).toBeGreaterThan(slice.records[1]?.seq ?? 0);
    await put(log, 'a/1', slice.tail, 'new');
    expect(textsOf(await log.read('a/1', { after: 0 }))).toEqual(['one', 'two', 'new']);
    expect(await log.survey('a/1')).toMatchObject({ remedy: 'none', damage: undefined });
  });

  it('lets history go when the newest snapshot and all behind it can be read', async () => {
    const log = await damaged(['one', 'two', '!three', 'four'], 'two');
    expect(await log.repair('a/1')).toMatchObject({ remedy: 'trim', keptCount: 2 });
    expect(textsOf(await log.read('a/1', { after: 0 }))).toEqual(['!three', 'four']);
  });

  it('leaves an empty log when nothing can be read, and it goes on', async () => {
    const log = await damaged(['one', 'two'], 'one');
    expect(await log.repair('a/1')).toMatchObject({ remedy: 'cut', keptCount: 0 });
    const slice = await log.readLatest('a/1');
    expect(slice.records).toEqual([]);
    await put(log, 'a/1', slice.tail, 'new');
    expect(textsOf(await log.readLatest('a/1'))).toEqual(['new']);
  });

  it('holds after a restart, with and without the index', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await putEach(log, 'a/1', ['one', '!two', 'three']);
    await put(log, 'a/2', 0, 'other');
    const header = Buffer.from(disk.bytes(firstSegment)).indexOf('three') - 43;
    disk.flip(firstSegment, header + 20);
    await expect(log.read('a/1', { after: 0 })).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await log.repair('a/1');
    const { tail } = await log.readLatest('a/1');
    await put(log, 'a/1', tail, 'four');
    await log.close();
    for (const path of ['nothing', 'index']) {
      const copy = disk.fork();
      copy.files.delete(path);
      const again = await open(copy);
      expect(again.recovery.losses).toEqual([]);
      expect(textsOf(await again.readLatest('a/1'))).toEqual(['!two', 'four']);
    }
  });

  it('changes nothing in a log that is whole, and refuses one there is not', async () => {
    const log = await open(new MemoryDisk());
    await put(log, 'a/1', 0, 'one');
    expect(await log.repair('a/1')).toMatchObject({ remedy: 'none' });
    await expect(log.repair('a/2')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('backup and restore', () => {
  async function backedUp() {
    const disk = new MemoryDisk();
    const target = new MemoryDisk();
    const blob = await openEmbeddedBlob({ disk, clock: systemClock() });
    const id = await blob.put(Buffer.from('large'));
    const log = await open(disk, { diskOf: () => target });
    let tail = 0;
    for (let n = 0; n < 50; n += 1) tail = await put(log, 'a/1', tail, `${n} ${'x'.repeat(100)}`);
    const backingUp = log.backUp('elsewhere');
    for (let n = 50; n < 80; n += 1) tail = await put(log, 'a/1', tail, `${n}`);
    return { report: await backingUp, log, target, id };
  }

  it('copies one moment of the store while appends go on', async () => {
    const { log, target, id, report } = await backedUp();
    await expect(open(target)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const restored = new MemoryDisk();
    const back = await restore({ source: target, target: restored, random });
    const again = await open(restored);
    const { records } = await again.read('a/1', { after: 0 });
    expect(records.length).toBeGreaterThanOrEqual(50);
    expect(report).toMatchObject({ blobCount: 1, lineage: log.lineage });
    expect(again.lineage).toBe(back.lineage);
    expect(again.lineage).not.toBe(log.lineage);
    expect(again.epoch).toBeGreaterThan(log.epoch);
    expect(restored.files.has(blobPath(id))).toBe(true);
    const all = await log.read('a/1', { after: 0 });
    expect(all.records.slice(0, records.length)).toEqual(records);
  });

  it('shows damage of the backup, its end included', async () => {
    const { target } = await backedUp();
    const path = [...target.files.keys()]
      .filter(name => name.startsWith('log/'))
      .sort()
      .at(-1);
    const bytes = target.bytes(path ?? '');
    target.flip(path ?? '', bytes.length - 60);
    const restored = new MemoryDisk();
    await restore({ source: target, target: restored, random });
    const read = open(restored).then(log => log.read('a/1', { after: 0 }));
    await expect(read).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('refuses a target that is in use, and a source that is no finished backup', async () => {
    const { log, target } = await backedUp();
    await expect(log.backUp('elsewhere')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const half = target.fork();
    half.files.delete('meta');
    const unfit = { code: 'CONFIG_INVALID' };
    const into = (source: MemoryDisk, disk: MemoryDisk) =>
      restore({ source, target: disk, random });
    await expect(into(half, new MemoryDisk())).rejects.toMatchObject(unfit);
    await expect(into(target, target)).rejects.toMatchObject(unfit);
  });

  it('starts above the epoch that it is told', async () => {
    const { target } = await backedUp();
    const restored = new MemoryDisk();
    await restore({ source: target, target: restored, random, epochAtLeast: 500 });
    expect((await open(restored)).epoch).toBeGreaterThan(500);
  });
});
