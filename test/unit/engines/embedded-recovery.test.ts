/** What opening does with torn, damaged, missing and newer bytes. */
import { describe, expect, it } from 'vitest';
import { type EmbeddedLog, openEmbeddedLog } from '../../../src/engines/embedded/log.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import { put, putEach, textsOf } from '../../helpers/log-steps.ts';
import { MemoryDisk } from '../../helpers/memory-disk.ts';

const random = systemRandom();
const firstSegment = 'log/00000000000000.log';

function open(disk: MemoryDisk, more = {}): Promise<EmbeddedLog> {
  return openEmbeddedLog({ disk, random, limits: { reserveBytes: 0 }, ...more });
}

/** Where a text lies in a file. */
function offsetOf(disk: MemoryDisk, path: string, text: string): number {
  const offset = Buffer.from(disk.bytes(path)).indexOf(text);
  if (offset < 0) throw new Error(`no ${text} in ${path}`);
  return offset;
}

/** The offset of the header of the record whose body is a text: 40 bytes and the name before it. */
function headerOf(disk: MemoryDisk, path: string, name: string, text: string): number {
  return offsetOf(disk, path, text) - name.length - 40;
}

describe('a torn tail', () => {
  it('is cut and reported, and no place is given twice', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const [first = 0] = await putEach(log, 'a/1', ['one', 'two']);
    const torn = disk.afterCrash();
    torn.flip(firstSegment, offsetOf(torn, firstSegment, 'two'));
    const again = await open(torn);
    expect(again.recovery.cut).toMatchObject({ path: firstSegment, isPossiblyAcknowledged: true });
    expect(textsOf(await again.read('a/1', { after: 0 }))).toEqual(['one']);
    const seq = await put(again, 'a/1', first, 'three');
    expect(seq).toBeGreaterThan(torn.bytes(firstSegment).length);
    await again.close();
    const last = await open(torn);
    expect(last.recovery.cut).toBeUndefined();
    expect(textsOf(await last.read('a/1', { after: 0 }))).toEqual(['one', 'three']);
  });

  it('takes a batch whole or not at all', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await put(log, 'a/0', 0, 'before');
    await Promise.all(['a/1', 'a/2', 'a/3'].map(name => put(log, name, 0, `text of ${name}`)));
    const torn = disk.afterCrash();
    torn.flip(firstSegment, offsetOf(torn, firstSegment, 'text of a/3'));
    const again = await open(torn);
    expect((await again.heads({})).heads.map(head => head.name)).toEqual(['a/0']);
  });

  it('is only the reserve when all of it is zero', async () => {
    const disk = new MemoryDisk();
    const log = await openEmbeddedLog({ disk, random });
    await put(log, 'a/1', 0, 'one');
    const again = await openEmbeddedLog({ disk: disk.afterCrash(), random });
    expect(again.recovery.cut).toBeUndefined();
    expect(textsOf(await again.read('a/1', { after: 0 }))).toEqual(['one']);
  });
});

describe('damage below the high-water mark', () => {
  async function closedStore(): Promise<MemoryDisk> {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await put(log, 'a/2', 0, 'other');
    await putEach(log, 'a/1', ['one', 'two', 'three']);
    await put(log, 'b/1', 0, 'last');
    await log.close();
    return disk;
  }

  it('in a body stops that log on read and append, with the place, and no other', async () => {
    const disk = await closedStore();
    const offset = headerOf(disk, firstSegment, 'a/1', 'two');
    disk.flip(firstSegment, offsetOf(disk, firstSegment, 'two'));
    const log = await open(disk);
    const damage = { code: 'LOG_CORRUPT', data: { path: firstSegment, offset } };
    const { heads } = await log.heads({ prefix: 'a/1' });
    await expect(log.read('a/1', { after: 0 })).rejects.toMatchObject(damage);
    const append = log.append('a/1', heads[0]?.tail ?? 0, [{ bytes: new Uint8Array() }]);
    await expect(append).rejects.toMatchObject(damage);
    expect(textsOf(await log.read('a/2', { after: 0 }))).toEqual(['other']);
    await put(log, 'a/3', 0, 'new');
  });

  it('in a header that a later record names stops that log at once', async () => {
    const disk = await closedStore();
    disk.flip(firstSegment, headerOf(disk, firstSegment, 'a/1', 'two') + 5);
    const log = await open(disk);
    expect(log.recovery.damagedNames).toEqual(['a/1']);
    await expect(log.readLatest('a/1')).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    expect(textsOf(await log.read('a/2', { after: 0 }))).toEqual(['other']);
  });

  it('in the header of the last record refuses to open unless the loss is accepted', async () => {
    const disk = await closedStore();
    const offset = headerOf(disk, firstSegment, 'a/1', 'three');
    disk.flip(firstSegment, offset + 5);
    const refused = { code: 'LOG_CORRUPT', data: { path: firstSegment, offset } };
    await expect(open(disk)).rejects.toMatchObject(refused);
    const before = await open(await closedStore());
    const log = await open(disk, { acceptLoss: true });
    expect(log.recovery.losses).toMatchObject([{ path: firstSegment, recordCount: 1 }]);
    expect(log.lineage).not.toBe(before.lineage);
    expect(textsOf(await log.read('a/1', { after: 0 }))).toEqual(['one', 'two']);
    await log.close();
    const again = await open(disk);
    expect(again.recovery.losses).toEqual([]);
    expect(textsOf(await again.read('a/1', { after: 0 }))).toEqual(['one', 'two']);
  });

  it('in a commit header loses nothing and is reported as repaired', async () => {
    const disk = await closedStore();
    disk.flip(firstSegment, headerOf(disk, firstSegment, 'a/1', 'two') - 20);
    const log = await open(disk);
    expect(log.recovery.repairs).toHaveLength(1);
    expect(textsOf(await log.read('a/1', { after: 0 }))).toEqual(['one', 'two', 'three']);
  });

  it('in the header of a segment, or a missing segment, refuses to open', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk, { limits: { segmentBytes: 200, reserveBytes: 0 } });
    await putEach(log, 'a/1', ['x'.repeat(150), 'y'.repeat(150), 'z'.repeat(150)]);
    await log.close();
    const paths = [...disk.files.keys()].filter(path => path.startsWith('log/')).sort();
    expect(paths.length).toBeGreaterThan(2);
    for (const path of paths.slice(0, -1)) {
      const flipped = disk.fork();
      flipped.flip(path, 20);
      await expect(open(flipped)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
      const missing = disk.fork();
      missing.files.delete(path);
      await expect(open(missing)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    }
  });
});

describe('the meta file', () => {
  it('survives damage of one copy, and refuses when both are damaged or it is gone', async () => {
    const disk = new MemoryDisk();
    await (await open(disk)).close();
    const one = disk.fork();
    one.flip('meta', 20);
    expect((await open(one)).recovery.repairs).toHaveLength(1);
    const both = disk.fork();
    both.flip('meta', 20);
    both.flip('meta', 4_096 + 20);
    await expect(open(both)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    const gone = disk.fork();
    gone.files.delete('meta');
    await expect(open(gone)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });
});

describe('the checkpoint', () => {
  async function storeWithCheckpoint(): Promise<MemoryDisk> {
    const disk = new MemoryDisk();
    const log = await open(disk, { limits: { checkpointBytesMin: 1_000 } });
    for (let n = 0; n < 30; n += 1) await put(log, `a/${n}`, 0, 'x'.repeat(100));
    await log.close();
    expect(disk.files.has('index')).toBe(true);
    return disk;
  }

  it('spares the scan of what it covers', async () => {
    const disk = await storeWithCheckpoint();
    const size = disk.bytes(firstSegment).length;
    const log = await open(disk);
    expect(log.recovery.scannedBytes).toBeLessThan(size / 2);
    expect((await log.heads({})).heads).toHaveLength(30);
  });

  it('is rebuilt and reported when it is damaged, wherever', async () => {
    const disk = await storeWithCheckpoint();
    const size = disk.bytes('index').length;
    for (const offset of [0, 9, 40, 64, 80, Math.floor(size / 2), size - 1]) {
      const flipped = disk.fork();
      flipped.flip('index', offset);
      const log = await open(flipped);
      expect(log.recovery.repairs).toEqual([expect.stringContaining('index')]);
      expect((await log.heads({})).heads).toHaveLength(30);
    }
  });

  it('shows that the log was shortened behind its back', async () => {
    const disk = await storeWithCheckpoint();
    const file = disk.files.get(firstSegment);
    if (file !== undefined) file.size = 500;
    await expect(open(disk)).rejects.toMatchObject({
      code: expect.stringMatching(/LOG_CORRUPT|LOG_REGRESSED/),
    });
  });
});

describe('data of a newer format', () => {
  it('is refused with both versions and left as it is', async () => {
    const { crc32 } = await import('node:zlib');
    const disk = new MemoryDisk();
    await (await open(disk)).close();
    for (const at of [0, 4_096]) {
      const slot = Buffer.from(disk.bytes('meta').buffer, at, 64);
      slot.writeUInt16LE(2, 4);
      slot.writeUInt32LE(crc32(slot.subarray(0, 60)), 60);
    }
    const before = Buffer.from(disk.bytes('meta'));
    await expect(open(disk)).rejects.toMatchObject({
      code: 'ENGINE_UNSUPPORTED',
      data: { found: 2, supported: 1 },
    });
    expect(Buffer.from(disk.bytes('meta')).equals(before)).toBe(true);
  });
});
