/**
 * The simulated disk: what a flush promises, what a loss of power takes, and a model of both.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DiskFile } from '../../../src/ports/disk.ts';
import { bytes, contentAfterPowerLoss, text, withFile } from '../../helpers/durable-file.ts';
import { type SimBench, simBench } from '../../helpers/sim-bench.ts';

describe('SimDisk', () => {
  it('writes, reads, truncates, and tells the size', async () => {
    const { bench, file } = await withFile('hello');
    await bench.until(file.write(7, bytes('world')));
    expect(text(await bench.until(file.read(0, 100)))).toBe('hello\0\0world');
    expect(text(await bench.until(file.read(1, 3)))).toBe('ell');
    expect(await bench.until(file.size())).toBe(12);
    await bench.until(file.truncate(4));
    await bench.until(file.truncate(6));
    expect(text(await bench.until(file.read(0, 100)))).toBe('hell\0\0');
    expect(text(await bench.until(file.read(50, 5)))).toBe('');
  });

  it('copies what is written and what is read', async () => {
    const { bench, file } = await withFile('hello');
    const buffer = bytes('AAAAA');
    const written = file.write(0, buffer);
    buffer.fill(0);
    await bench.until(written);
    const read = await bench.until(file.read(0, 5));
    expect(text(read)).toBe('AAAAA');
    read.fill(0);
    expect(text(await bench.until(file.read(0, 5)))).toBe('AAAAA');
  });

  it('refuses missing files, closed files, files open for reading and paths outside', async () => {
    const { bench, disk, file } = await withFile('x');
    await expect(bench.until(disk.open('none', 'read'))).rejects.toThrow('ENGINE_FAILED');
    await expect(bench.until(disk.open('none', 'write'))).rejects.toThrow('ENGINE_FAILED');
    await expect(bench.until(disk.open('no/where', 'create'))).rejects.toThrow('ENGINE_FAILED');
    await expect(bench.until(disk.open('../etc', 'create'))).rejects.toThrow('ENGINE_FAILED');
    await expect(bench.until(disk.rename('none', 'other'))).rejects.toThrow('ENGINE_FAILED');
    const reader = await bench.until(disk.open('log', 'read'));
    await expect(bench.until(reader.write(0, bytes('y')))).rejects.toThrow('ENGINE_FAILED');
    await bench.until(file.close());
    await expect(bench.until(file.write(0, bytes('y')))).rejects.toThrow('ENGINE_FAILED');
    await expect(bench.until(file.flush())).rejects.toThrow('ENGINE_FAILED');
    expect(text(await bench.until(reader.read(0, 9)))).toBe('x');
  });

  it('lists, makes, renames and removes', async () => {
    const { bench, disk } = await withFile('x');
    await bench.until(disk.makeDirectory('a/b/'));
    await bench.until(disk.open('a/./b/file', 'create'));
    expect(await bench.until(disk.list(''))).toEqual(['a', 'log']);
    expect(await bench.until(disk.list('a/b'))).toEqual(['file']);
    expect(await bench.until(disk.list('nowhere'))).toEqual([]);
    expect(await bench.until(disk.exists('a/b'))).toBe(true);
    await bench.until(disk.rename('log', 'a/b/file'));
    const file = await bench.until(disk.open('a/b/file', 'read'));
    expect(text(await bench.until(file.read(0, 9)))).toBe('x');
    await bench.until(disk.remove('a/b/file'));
    await bench.until(disk.remove('a/b/file'));
    expect(text(await bench.until(file.read(0, 9)))).toBe('x');
    await expect(bench.until(disk.remove('a'))).rejects.toThrow('ENGINE_FAILED');
    await expect(bench.until(disk.makeDirectory('a'))).resolves.toBeUndefined();
  });

  it('takes virtual time for everything, more on a slow disk', async () => {
    const { bench, file } = await withFile('x');
    const costOf = async (count: number) => {
      const startMs = bench.scheduler.nowMs;
      for (let done = 0; done < count; done++) await bench.until(file.flush());
      return (bench.scheduler.nowMs - startMs) / count;
    };
    const usual = await costOf(300);
    expect(usual).toBeGreaterThan(0.05);
    expect(usual).toBeLessThan(1);
    bench.device.slowness = 100;
    expect(await costOf(300)).toBeGreaterThan(usual * 30);
  });
});

describe('a loss of power', () => {
  it('never takes what was flushed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.nat(40), async (seed, extra) => {
        const { bench, file } = await withFile('durable content', seed);
        await bench.until(file.write(15, bytes('+'.repeat(extra))));
        const content = await contentAfterPowerLoss(bench);
        expect(content?.slice(0, 15)).toBe('durable content');
        expect(content?.slice(15)).toMatch(/^[+\0]*$/);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps all, none or parts of what was not flushed, in any combination', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const { bench, file } = await withFile('', `s${seed}`);
      for (const [place, letter] of ['a', 'b', 'c'].entries()) {
        await bench.until(file.write(place * 3, bytes(letter.repeat(3))));
      }
      seen.add((await contentAfterPowerLoss(bench)) ?? 'missing');
    }
    // Everything, nothing, the first alone, the last without the first, and a torn one.
    for (const content of ['aaabbbccc', '', 'aaa', '\0\0\0\0\0\0ccc', 'aaabbbc', '\0\0\0bbb']) {
      expect(seen).toContain(content);
    }
  });

  it('counts what it took', async () => {
    const { bench, file } = await withFile('', 'count');
    bench.device.keptProbability = 0;
    await bench.until(file.write(0, bytes('x')));
    bench.device.losePower();
    expect(bench.faults).toEqual(['lost-write']);
    await expect(bench.until(bench.live('node#2').disk.lock('log'))).resolves.toBeDefined();
  });

  it('tears by sectors too: later ones may be there without earlier ones', async () => {
    let isFound = false;
    for (let seed = 0; seed < 200 && !isFound; seed++) {
      const { bench, file } = await withFile('', `t${seed}`);
      bench.device.keptProbability = 1;
      await bench.until(file.write(0, new Uint8Array(2_048).fill(65)));
      const content = (await contentAfterPowerLoss(bench)) ?? '';
      isFound = /^\0{512}/.test(content) && content.includes('A') && content.length === 2_048;
    }
    expect(isFound).toBe(true);
  });

  it('leaves old bytes, not zeros, where an overwrite was torn', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const { bench, file } = await withFile('o'.repeat(2_000), `o${seed}`);
      bench.device.keptProbability = 1;
      await bench.until(file.write(0, bytes('n'.repeat(2_000))));
      expect(await contentAfterPowerLoss(bench)).toMatch(/^[on]{2000}$/);
    }
  });

  it('covers by a flush only what was done when the flush began', async () => {
    const { bench, file } = await withFile('');
    bench.device.keptProbability = 0;
    bench.device.slowness = 1;
    await bench.until(file.write(0, bytes('first')));
    const flushed = file.flush();
    const late = file.write(5, bytes('second'));
    await bench.until(Promise.all([flushed, late]));
    expect(await contentAfterPowerLoss(bench)).toBe('first');
  });

  it('takes names that were not flushed, and their files with them', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const { bench, disk, file } = await withFile('old', `n${seed}`);
      const next = await bench.until(disk.open('next', 'create'));
      await bench.until(next.write(0, bytes('new')));
      await bench.until(next.flush());
      await bench.until(disk.rename('next', 'log'));
      await bench.until(file.close());
      outcomes.add((await contentAfterPowerLoss(bench)) ?? 'missing');
    }
    expect([...outcomes].sort()).toEqual(['new', 'old']);
  });

  it('keeps a rename whose directory was flushed, in whichever of the two', async () => {
    for (const directory of ['a', 'b']) {
      const bench = simBench();
      const { disk } = bench.live();
      for (const each of ['a', 'b']) await bench.until(disk.makeDirectory(each));
      await bench.until(disk.flushDirectory(''));
      await bench.until(disk.open('a/x', 'create'));
      await bench.until(disk.rename('a/x', 'b/y'));
      await bench.until(disk.flushDirectory(directory));
      bench.device.losePower();
      const after = bench.live('node#2').disk;
      expect(await bench.until(after.list('a'))).toEqual([]);
      expect(await bench.until(after.list('b'))).toEqual(['y']);
    }
  });

  it('takes what lies in a directory that was not flushed into its parent', async () => {
    const found = new Set<number>();
    for (let seed = 0; seed < 30; seed++) {
      const bench = simBench(`d${seed}`);
      const { disk } = bench.live();
      await bench.until(disk.makeDirectory('a'));
      const file = await bench.until(disk.open('a/x', 'create'));
      await bench.until(file.flush());
      await bench.until(disk.flushDirectory('a'));
      bench.device.losePower();
      found.add((await bench.until(bench.live('node#2').disk.list('a'))).length);
    }
    expect([...found].sort()).toEqual([0, 1]);
  });

  it('leaves nothing of the life before it running', async () => {
    const { bench, owner, file, disk } = await withFile('x');
    const write = file.write(0, bytes('y'));
    owner.isAlive = false;
    bench.device.losePower();
    expect(await bench.isOpen(write)).toBe(true);
    expect(await bench.isOpen(file.read(0, 1))).toBe(true);
    expect(await bench.isOpen(disk.exists('log'))).toBe(true);
    expect(await bench.isOpen(file.write(0, bytes('z')))).toBe(true);
  });
});

describe('the death of a process alone', () => {
  it('takes no write that was done, flushed or not', async () => {
    const { bench, owner, file } = await withFile('flushed');
    await bench.until(file.write(7, bytes(' written')));
    owner.isAlive = false;
    bench.device.ownerDied(owner);
    const after = await bench.until(bench.live('node#2').disk.open('log', 'read'));
    expect(text(await bench.until(after.read(0, 99)))).toBe('flushed written');
  });

  it('does, tears or drops what was on its way', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const { bench, owner, file } = await withFile('', `k${seed}`);
      void file.write(0, bytes('abc'));
      owner.isAlive = false;
      bench.device.ownerDied(owner);
      const after = await bench.until(bench.live('node#2').disk.open('log', 'read'));
      seen.add(text(await bench.until(after.read(0, 99))));
    }
    for (const content of ['', 'abc', 'ab']) expect(seen).toContain(content);
  });

  it('frees its locks, and only its own', async () => {
    const { bench, owner, disk } = await withFile('x');
    const other = bench.live('other#1');
    const lock = await bench.until(disk.lock('data.lock'));
    await bench.until(other.disk.lock('other.lock'));
    await expect(bench.until(other.disk.lock('./data.lock'))).rejects.toThrow('DATA_LOCKED');
    await expect(bench.until(disk.lock('data.lock'))).rejects.toThrow('DATA_LOCKED');
    await bench.until(lock.release());
    await bench.until(lock.release());
    await bench.until(disk.lock('data.lock'));
    owner.isAlive = false;
    bench.device.ownerDied(owner);
    await bench.until(other.disk.lock('data.lock'));
    await expect(bench.until(bench.live('third#1').disk.lock('other.lock'))).rejects.toThrow(
      'DATA_LOCKED',
    );
  });
});

describe('the disk as a model', () => {
  it('shows what was written, flushed or not, until power is lost', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('write' as const), offset: fc.nat(60), size: fc.nat(20) }),
      fc.record({ do: fc.constant('truncate' as const), offset: fc.nat(60), size: fc.constant(0) }),
      fc.record({
        do: fc.constant('flush' as const),
        offset: fc.constant(0),
        size: fc.constant(0),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), fc.string(), async (steps, seed) => {
        const { bench, file } = await withFile('', seed);
        let current = Buffer.alloc(0);
        let flushed = current;
        for (const [place, each] of steps.entries()) {
          current = await apply(bench, file, { ...each, fill: place + 1 }, current);
          if (each.do === 'flush') flushed = current;
          expect(Buffer.from(await bench.until(file.read(0, 1_000)))).toEqual(current);
        }
        bench.device.keptProbability = 0;
        expect(Buffer.from((await contentAfterPowerLoss(bench)) ?? '')).toEqual(flushed);
      }),
      { numRuns: 40 },
    );
  });
});

async function apply(
  bench: SimBench,
  file: DiskFile,
  step: { do: 'write' | 'truncate' | 'flush'; offset: number; size: number; fill: number },
  before: Buffer<ArrayBuffer>,
): Promise<Buffer<ArrayBuffer>> {
  if (step.do === 'flush') {
    await bench.until(file.flush());
    return before;
  }
  if (step.do === 'truncate') {
    await bench.until(file.truncate(step.offset));
    return Buffer.concat([before, Buffer.alloc(60)]).subarray(0, step.offset);
  }
  await bench.until(file.write(step.offset, new Uint8Array(step.size).fill(step.fill)));
  const size = Math.max(before.length, step.offset + step.size);
  const after = Buffer.concat([before, Buffer.alloc(100)]).subarray(0, size);
  after.fill(step.fill, step.offset, step.offset + step.size);
  return after;
}
