/**
 * In which order the embedded engine asks the disk for things: what a loss of power may take must
 * not be built upon, and bytes that lie in a wrong place must not be believed.
 */
import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import { type EmbeddedLog, openEmbeddedLog } from '../../../src/engines/embedded/log.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import type { DiskFile } from '../../../src/ports/disk.ts';
import { put, putEach, textsOf } from '../../helpers/log-steps.ts';
import { MemoryDisk } from '../../helpers/memory-disk.ts';

const random = systemRandom();
const firstSegment = 'log/00000000000000.log';

function open(disk: MemoryDisk, segmentBytes = 4_000): Promise<EmbeddedLog> {
  return openEmbeddedLog({ disk, random, limits: { reserveBytes: 0, segmentBytes } });
}

/** A disk that writes down what is done to names, and which texts are written. */
class NotedDisk extends MemoryDisk {
  readonly notes: string[] = [];

  override async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    const file = await super.open(path, mode);
    return {
      ...file,
      write: (offset, bytes) => {
        this.notes.push(`write ${path} ${Buffer.from(bytes).toString('latin1')}`);
        return file.write(offset, bytes);
      },
      flush: () => {
        this.notes.push(`flush ${path}`);
        return file.flush();
      },
    };
  }

  override async rename(source: string, target: string): Promise<void> {
    this.notes.push(`rename ${target}`);
    await super.rename(source, target);
  }

  override async remove(path: string): Promise<void> {
    this.notes.push(`remove ${path}`);
    await super.remove(path);
  }

  override async flushDirectory(path = ''): Promise<void> {
    this.notes.push(`names of ${path}`);
  }
}

describe('names', () => {
  it('of compacted segments are durable before old segments are removed', async () => {
    const disk = new NotedDisk();
    const log = await open(disk);
    let tail = 0;
    for (let round = 0; round < 200; round += 1) {
      tail = await put(log, 'busy/1', tail, `!${round} ${'x'.repeat(200)}`);
      await log.trim('busy/1', tail);
    }
    await log.close();
    const removals = disk.notes.flatMap((note, at) => (/^remove .*\.log$/.test(note) ? [at] : []));
    for (const removal of removals) {
      const renamed = disk.notes.slice(0, removal).findLastIndex(note => /^rename /.test(note));
      expect(disk.notes.slice(renamed, removal)).toContain('names of log');
    }
    expect(removals.length).toBeGreaterThan(0);
  });

  it('of new segments are durable before anything is written into them', async () => {
    const disk = new NotedDisk();
    const log = await open(disk, 300);
    await putEach(log, 'a/1', ['x'.repeat(200), 'y'.repeat(200), 'z'.repeat(200)]);
    const written = disk.notes.findIndex(note => note.includes('zzz'));
    const path = disk.notes[written]?.split(' ')[1] ?? '';
    const made = disk.notes.findIndex(note => note.startsWith(`write ${path}`));
    expect(disk.notes.slice(made, written)).toContain('names of log');
  });
});

describe('a tail that no commit proves to be flushed', () => {
  it('is written again and flushed before it is shown', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const tail = await put(log, 'a/1', 0, 'one');
    disk.flushFailures = 1;
    await log.append('a/1', tail, [{ bytes: Buffer.from('two') }]);
    const found = new NotedDisk();
    for (const [path, content] of disk.files) found.files.set(path, { ...content });
    const again = await open(found);
    expect(textsOf(await again.read('a/1', { after: 0 }))).toEqual(['one', 'two']);
    const written = found.notes.findIndex(note => note.includes('two'));
    expect(written).toBeGreaterThanOrEqual(0);
    expect(found.notes.slice(written)).toContain(`flush ${firstSegment}`);
  });

  it('is cut when it is torn, and its places are not given again', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    const [first = 0] = await putEach(log, 'a/1', ['one', `two ${'x'.repeat(1_000)}`]);
    const torn = disk.afterCrash();
    const end = torn.bytes(firstSegment).length;
    torn.flip(firstSegment, Buffer.from(torn.bytes(firstSegment)).indexOf('two'));
    const again = await open(torn);
    expect(await put(again, 'a/1', first, 'three')).toBeGreaterThanOrEqual(end);
  });
});

describe('an append that finds the disk full only when it is flushed', () => {
  it('is not stored, and is not found after a crash', async () => {
    const disk = new FullAtFlush();
    const log = await open(disk);
    const tail = await put(log, 'a/1', 0, 'one');
    disk.isFullAtFlush = true;
    const refused = await log.append('a/1', tail, [{ bytes: Buffer.from('two') }]);
    expect(refused).toMatchObject({ status: 'unavailable', cause: { code: 'DISK_FULL' } });
    const again = await open(disk.afterCrash('all'));
    expect(textsOf(await again.read('a/1', { after: 0 }))).toEqual(['one']);
  });
});

/** A disk that promises space when it is written to, and notices later that there is none. */
class FullAtFlush extends MemoryDisk {
  isFullAtFlush = false;

  override async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    const file = await super.open(path, mode);
    return {
      ...file,
      flush: async () => {
        if (!this.isFullAtFlush) return file.flush();
        this.isFullAtFlush = false;
        throw new TroupeError('DISK_FULL', { detail: path });
      },
    };
  }
}

it('compaction keeps the snapshot at which a log was cut', async () => {
  const disk = new MemoryDisk();
  const log = await open(disk);
  const first = await put(log, 'kept/1', 0, 'gone');
  await log.trim('kept/1', await put(log, 'kept/1', first, '!kept'));
  let tail = 0;
  for (let round = 0; round < 200; round += 1) {
    tail = await put(log, 'busy/1', tail, `!${round} ${'x'.repeat(200)}`);
    await log.trim('busy/1', tail);
  }
  await log.close();
  expect(Buffer.from(disk.bytes(firstSegment)).includes('gone')).toBe(false);
  const again = await open(disk);
  expect(textsOf(await again.readLatest('kept/1'))).toEqual(['!kept']);
});

describe('a record that the disk wrote into a wrong place', () => {
  it('is not read there, although it is whole', async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await putEach(log, 'a/1', ['record 1', 'record 2', 'record 3']);
    const bytes = disk.bytes(firstSegment);
    const source = headerOf(bytes, 'record 1');
    bytes.set(bytes.slice(source, source + recordLength), headerOf(bytes, 'record 2'));
    await expect(log.read('a/1', { after: 0 })).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });
});

/** The bytes of a record: a header of 40, a name of three and a text of eight. */
const recordLength = 40 + 3 + 8;

/** Where the record of a text begins: 40 bytes and a name of three before it. */
function headerOf(bytes: Uint8Array, text: string): number {
  return Buffer.from(bytes).indexOf(text) - 43;
}
