/** Backups that are made of records from elsewhere, and backups that are read where they lie. */
import { describe, expect, it } from 'vitest';
import { restore } from '../../../src/engines/embedded/backup.ts';
import { type BackupReader, openBackup } from '../../../src/engines/embedded/backup-reader.ts';
import { writeBackup } from '../../../src/engines/embedded/backup-writer.ts';
import { openEmbeddedLog } from '../../../src/engines/embedded/log.ts';
import type { Disk } from '../../../src/ports/disk.ts';
import type { Log } from '../../../src/ports/log.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { MemoryDisk } from '../../helpers/memory-disk.ts';

const random = new SimRandom('backup');
const what = { random, shardCount: 8, epoch: 41, lineage: 'abcdef0123456789', behind: 5_000_001 };
const names = ['a/1', 'a/2', 'b/1'];

async function appendSome(log: Log, count = 50): Promise<void> {
  for (const name of names) {
    let tail = 0;
    for (let number = 1; number <= count; number += 1) {
      const bytes = Buffer.from(`${name} ${number} ${'x'.repeat(100)}`);
      const record = { bytes, isSnapshot: number % 20 === 0 };
      const result = await log.append(name, tail, [record], { wakeAt: number });
      if (result.status === 'conflict') throw new Error(`${name} is in conflict`);
      if (result.status !== 'accepted') throw result.cause;
      tail = result.seq;
    }
  }
}

async function contentOf(source: Pick<BackupReader, 'heads' | 'read'>) {
  const content = [];
  const { heads } = await source.heads({ limit: 10 });
  for (const { name, wakeAt } of heads) {
    const { records } = await source.read(name, { after: 0 });
    const texts = records.map(({ bytes, isSnapshot }) => [
      Buffer.from(bytes).toString(),
      isSnapshot,
    ]);
    content.push({ name, wakeAt, texts });
  }
  return content;
}

async function opened(disk: Disk) {
  return openEmbeddedLog({ disk, random, shardCount: 8 });
}

describe('a backup made of records', () => {
  it('is one like any other: it is read, restored and goes on', async () => {
    const [disk, target, original] = [new MemoryDisk(), new MemoryDisk(), new MemoryDisk()];
    await writeBackup({ disk, ...what }, appendSome);
    await using log = await opened(original);
    await appendSome(log);
    await using backup = await openBackup(disk, random);
    expect(backup).toMatchObject({ epoch: 41, shardCount: 8, blobCount: 0 });
    expect(backup.lineage.startsWith(what.lineage)).toBe(true);
    expect(await contentOf(backup)).toEqual(await contentOf(log));
    const { records } = await backup.read('a/1', { after: 0 });
    expect(records[0]?.seq).toBeGreaterThan(what.behind);
    expect(records.at(-1)?.seq).toBeLessThan(backup.end);
    const report = await restore({ source: disk, target, random });
    expect(report).toMatchObject({ epoch: 42 });
    await using restored = await opened(target);
    expect(restored.recovery).toMatchObject({ cut: undefined, damagedNames: [] });
    expect(await contentOf(restored)).toEqual(await contentOf(log));
  });

  it('is none when it was cut off, wherever that was', async () => {
    for (const count of [0, 1, 30]) {
      const disk = new MemoryDisk();
      const filling = writeBackup({ disk, ...what }, async log => {
        await appendSome(log, count);
        throw new Error('the process ends');
      });
      await expect(filling).rejects.toThrow('the process ends');
      for (const kept of ['all', 'flushed'] as const) await expectNothing(disk.afterCrash(kept));
    }
  });

  it('is none when the disk is full', async () => {
    const disk = new MemoryDisk();
    const filling = writeBackup({ disk, ...what }, async log => {
      await appendSome(log, 1);
      disk.isFull = true;
      const bytes = new Uint8Array(2 << 20);
      const result = await log.append('big/1', 0, [{ bytes }]);
      if (result.status === 'unavailable') throw result.cause;
    });
    expect(await failureOf(filling)).toMatchObject({ code: 'DISK_FULL' });
    disk.isFull = false;
    await expectNothing(disk);
  });

  it('is not made where something is', async () => {
    const disk = new MemoryDisk();
    await writeBackup({ disk, ...what }, appendSome);
    const again = writeBackup({ disk, ...what }, appendSome);
    expect(await failureOf(again)).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

/** Neither a node nor a restore nor another backup takes it for anything. */
async function expectNothing(disk: MemoryDisk): Promise<void> {
  expect(await failureOf(openBackup(disk, random))).toMatchObject({
    code: 'CONFIG_INVALID',
    detail: expect.stringMatching(/no finished backup.*make a new one in an empty directory/),
  });
  const target = new MemoryDisk();
  expect(await failureOf(restore({ source: disk, target, random }))).toMatchObject({
    code: 'CONFIG_INVALID',
  });
  expect(await failureOf(opened(disk.afterCrash()))).toMatchObject({ code: 'LOG_CORRUPT' });
  const again = writeBackup({ disk, ...what }, appendSome);
  expect(await failureOf(again)).toMatchObject({
    code: 'CONFIG_INVALID',
    detail: expect.stringMatching(/remove it, or name an empty directory|part of one/),
  });
}

describe('a backup that is read', () => {
  it('stays as it is, and tells of damage and of a missing end', async () => {
    const disk = new MemoryDisk();
    await writeBackup({ disk, ...what }, appendSome);
    const before = imageOf(disk);
    await using backup = await openBackup(disk, random);
    await contentOf(backup);
    expect(imageOf(disk)).toEqual(before);

    const segment = [...disk.files.keys()].find(path => path.startsWith('log/')) ?? '';
    const [short, bent] = [disk.afterCrash(), disk.afterCrash()];
    const file = await short.open(segment, 'write');
    await file.truncate(Math.floor(before[segment] ?? 0) / 2);
    expect(await failureOf(read(short))).toMatchObject({ code: 'LOG_CORRUPT' });
    bent.flip(segment, 9_000, 3);
    expect(await failureOf(read(bent))).toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('is one that an embedded store has made', async () => {
    const [disk, target] = [new MemoryDisk(), new MemoryDisk()];
    const log = await openEmbeddedLog({ disk, random, diskOf: () => target });
    await appendSome(log);
    await log.backUp('there');
    await using backup = await openBackup(target, random);
    expect(await contentOf(backup)).toEqual(await contentOf(log));
    await log.close();
    expect(await failureOf(openBackup(disk, random))).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

async function read(disk: Disk): Promise<unknown> {
  await using backup = await openBackup(disk, random);
  return await contentOf(backup);
}

/** The length of each file. */
function imageOf(disk: MemoryDisk): Record<string, number> {
  const files = [...disk.files.keys()].filter(path => path !== 'lock').sort();
  return Object.fromEntries(files.map(path => [path, disk.bytes(path).length]));
}
