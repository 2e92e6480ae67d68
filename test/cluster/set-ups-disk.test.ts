/**
 * A disk that is full to the last byte, which no limit of the server foresaw. The server says
 * nothing then: it answers no write until it is started anew, or ends. So nothing is known of what
 * was under way, and what was acknowledged is there when there is room again.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { failureOf } from '../helpers/failure-of.ts';
import { shelf } from './shelf.ts';
import { openShop } from './shop.ts';

it('keeps what was acknowledged when the disk itself is full', {
  timeout: 120_000,
}, async context => {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) context.skip('only root can mount a small disk');
  using disk = smallDisk(4);
  const storeDirectory = join(disk.path, 'store');
  const configure = (config: object) =>
    ({ ...config, storeDirectory, storeBytesMax: 1_000_000_000 }) as never;
  await using shop = await openShop({ configure });
  const node = shop.node();
  await node.start();
  let filled = 0;
  const fill = async () => {
    for (; filled < 200; filled += 1) {
      const filler = node.agents.get(shelf, `filler-${filled}`);
      await filler.execute('write', 'x'.repeat(60_000), { timeout: '3s' });
    }
  };
  const failure = await failureOf(fill());
  expect(failure).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'unknown' });
  expect(filled).toBeGreaterThan(10);
  await shop.servers.servers[0]?.kill();
  disk.grow(64);
  await shop.servers.servers[0]?.start({ isWhole: true });
  const lengths = await Promise.all(
    Array.from({ length: filled + 1 }, async (_, index) => {
      const filler = node.agents.get(shelf, `filler-${index}`);
      return (await filler.execute('look', undefined, { timeout: '20s' })).length;
    }),
  );
  // Of the last one nothing was promised.
  expect([0, 60_000]).toContain(lengths.pop());
  expect(lengths).toEqual(Array.from({ length: filled }, () => 60_000));
  await node.stop();
  await shop.expectKept();
});

/** A disk of so many megabytes. */
function smallDisk(megabytes: number) {
  const path = mkdtempSync(join(tmpdir(), 'troupe-disk-'));
  const mount = (...options: readonly string[]) =>
    execFileSync('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', path]);
  mount(`size=${megabytes}m`);
  return {
    path,
    grow: (more: number) => mount('remount', `size=${more}m`),
    [Symbol.dispose]() {
      execFileSync('umount', ['--lazy', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
