/** The simulated device: every fault on demand, and what it leaves behind. */
import { describe, expect, it } from 'vitest';
import { bytes, contentAfterPowerLoss, text, withFile } from '../../helpers/durable-file.ts';

describe('faults on demand', () => {
  it('a full disk lets nothing grow, harms nothing, and recovers', async () => {
    const { bench, disk, file } = await withFile('content');
    bench.device.isFull = true;
    const attempts: (() => Promise<unknown>)[] = [
      () => file.write(7, bytes('more')),
      () => file.truncate(100),
      () => disk.open('new', 'create'),
      () => disk.rename('log', 'other'),
      () => disk.makeDirectory('new'),
    ];
    for (const attempt of attempts) {
      await expect(bench.until(attempt())).rejects.toThrow('DISK_FULL');
    }
    expect(bench.faults).toEqual(['disk-full']);
    expect(text(await bench.until(file.read(0, 7)))).toBe('content');
    await bench.until(file.write(0, bytes('CONTENT')));
    await bench.until(disk.open('log', 'create'));
    bench.device.isFull = false;
    await bench.until(file.write(7, bytes('!!')));
    expect(text(await bench.until(file.read(0, 9)))).toBe('CONTENT!!');
  });

  it('a full disk may take the beginning of an append', async () => {
    const sizes = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const { bench, file } = await withFile('', `f${seed}`);
      bench.device.isFull = true;
      await expect(bench.until(file.write(0, bytes('abcd')))).rejects.toThrow('DISK_FULL');
      sizes.add(await bench.until(file.size()));
    }
    expect([...sizes].sort()).toEqual([0, 1, 2, 3]);
  });

  it('a failed flush loses what it covered, though a second one succeeds', async () => {
    const [afterwards, readable] = [new Set<string>(), new Set<string>()];
    for (let seed = 0; seed < 60; seed++) {
      const { bench, file } = await withFile('old', `ff${seed}`);
      await bench.until(file.write(3, bytes('new')));
      bench.device.failNext.flush = 1;
      await expect(bench.until(file.flush())).rejects.toThrow('ENGINE_FAILED');
      await bench.until(file.flush());
      expect(bench.faults).toEqual(['failed-flush']);
      readable.add(text(await bench.until(file.read(0, 9))));
      afterwards.add((await contentAfterPowerLoss(bench)) ?? '');
    }
    expect([...readable].sort()).toEqual(['old', 'oldnew']);
    expect([...afterwards].sort()).toEqual(['old', 'oldnew']);
  });

  it('fails writes and reads when told, once each', async () => {
    const { bench, file } = await withFile('old');
    const attempts: [keyof typeof bench.device.failNext, () => Promise<unknown>][] = [
      ['write', () => file.write(0, bytes('new'))],
      ['read', () => file.read(0, 3)],
    ];
    for (const [operation, attempt] of attempts) {
      bench.device.failNext[operation] = 1;
      await expect(bench.until(attempt())).rejects.toMatchObject({
        code: 'ENGINE_FAILED',
        outcome: 'unknown',
      });
    }
    expect(text(await bench.until(file.read(0, 3)))).toBe('old');
    expect(bench.faults).toEqual(['failed-write', 'failed-read']);
  });

  it('flips exactly one bit, at rest and in what was not flushed', async () => {
    for (const isFlushed of [true, false]) {
      const { bench, file } = await withFile('');
      bench.device.keptProbability = 1;
      await bench.until(file.write(0, new Uint8Array(64)));
      if (isFlushed) await bench.until(file.flush());
      const damage = bench.device.flipBit();
      const after = await bench.until(file.read(0, 64));
      expect(bitsOf(after)).toBe(1);
      expect(after[damage?.offset ?? -1]).not.toBe(0);
      expect(damage).toMatchObject({ kind: 'bit-flip', path: 'log' });
      if (isFlushed) bench.device.losePower();
      else await bench.until(file.flush());
      const reopened = await bench.until(bench.live('node#2').disk.open('log', 'read'));
      expect(bitsOf(await bench.until(reopened.read(0, 64)))).toBe(1);
    }
    const { bench } = await withFile('x');
    expect(bench.device.flipBit(path => path === 'none')).toBeUndefined();
  });

  it('lets a write land in a wrong place', async () => {
    const { bench, disk, file } = await withFile('o'.repeat(1_024));
    const other = await bench.until(disk.open('other', 'create'));
    bench.device.misdirectNext = 1;
    await bench.until(other.write(0, bytes('WRITTEN')));
    expect(await bench.until(other.size())).toBe(0);
    const [damage] = bench.device.damage;
    expect(damage).toMatchObject({ kind: 'misdirected-write', path: 'log', bytes: 7 });
    const landed = text(await bench.until(file.read(damage?.offset ?? 0, 7)));
    expect(landed).toBe('WRITTEN');
    await bench.until(other.write(0, bytes('right')));
    expect(text(await bench.until(other.read(0, 9)))).toBe('right');
  });
});

function bitsOf(content: Uint8Array): number {
  let bits = 0;
  for (const byte of content) for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1;
  return bits;
}
