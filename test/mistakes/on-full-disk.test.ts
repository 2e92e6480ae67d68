/**
 * A disk without space: writes are refused and say so, reads go on, and writes resume by themselves
 * when there is space again. On a small disk of its own where the system lets us make one.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTroupe, defineAgent, implement, read, TroupeError, turn } from '../../src/index.ts';
import { folderOf } from '../helpers/folder-of.ts';

const diskBytes = 8 << 20;

const shelf = defineAgent('shelf', {
  state: z.object({ count: z.number().default(0), text: z.string().default('') }),
  actions: {
    put: turn({ input: z.string(), output: z.number() }),
    count: read({ output: z.number() }),
  },
});
const shelfAgent = implement(shelf, {
  put(ctx, text) {
    ctx.state.text = text;
    ctx.state.count += 1;
    return ctx.state.count;
  },
  count: ctx => ctx.state.count,
});

/** A small disk, or nothing where only root may make one. */
function smallDisk(path: string): Disposable | undefined {
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', path];
    execFileSync('mount', options, { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { [Symbol.dispose]: () => execFileSync('umount', [path]) };
}

describe('a full disk', () => {
  it('refuses writes, lets reads go on, and resumes writing without a restart', async context => {
    using folder = folderOf({ 'disk/': '' });
    const data = join(folder.path, 'disk');
    using disk = smallDisk(data);
    // The same, without a disk of its own, is checked on the simulated disk.
    if (disk === undefined) return context.skip('only root can mount a small disk');
    const troupe = createTroupe({ agents: [shelfAgent], data });
    await troupe.start();
    const one = troupe.agents.get(shelf, 'one');
    await one.execute('put', 'begin');
    const filler = join(data, 'filler');
    const { bavail, bsize } = statfsSync(data);
    writeFileSync(filler, new Uint8Array(bavail * bsize));

    const answers: number[] = [];
    let refused: unknown;
    while (refused === undefined) {
      try {
        answers.push(await one.execute('put', `${answers.length}${'x'.repeat(100_000)}`));
      } catch (error) {
        refused = error;
      }
    }
    expect(refused).toMatchObject({ code: 'DISK_FULL', outcome: 'not-executed' });
    if (!TroupeError.is(refused)) return;
    expect(refused.detail).toMatch(/space/);
    const written = answers.at(-1) ?? 1;
    expect(await one.execute('count')).toBe(written);
    expect(await troupe.agents.get(shelf, 'other').execute('count')).toBe(0);
    await expect(one.execute('put', 'x'.repeat(100_000))).rejects.toMatchObject({
      code: 'DISK_FULL',
    });

    rmSync(filler);
    expect(await one.execute('put', 'again')).toBe(written + 1);
    await troupe.stop();

    const again = createTroupe({ agents: [shelfAgent], data });
    await again.start();
    expect(await again.agents.get(shelf, 'one').execute('count')).toBe(written + 1);
    await again.stop();
  });
});
