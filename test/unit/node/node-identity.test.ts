/** Who a node is, over its starts, on its directory and on copies of it. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LeaseValue } from '../../../src/cluster/lease-value.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import { type NodeIdentity, openNodeIdentity } from '../../../src/node/node-identity.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { folderOf } from '../../helpers/folder-of.ts';

const clock = systemClock();
const random = systemRandom();

function open(directory: string | undefined, name?: string, now?: number): Promise<NodeIdentity> {
  const at = now === undefined ? clock : { ...clock, now: () => now };
  return openNodeIdentity({ directory, name, clock: at, random });
}

/** The lease that a start of a node leaves behind. */
function leaseOf({ holder, incarnation, directoryMark }: NodeIdentity): LeaseValue {
  const details = { directory: directoryMark };
  return { state: 'held', holder, incarnation, renewal: 5, details };
}

describe('the identity of a node', () => {
  it('is drawn once and kept in its directory, with a number that rises', async () => {
    using folder = folderOf({});
    const first = await open(folder.path);
    await first.release();
    // The wall clock was set back meanwhile.
    const second = await open(folder.path, undefined, 1_000);
    expect(second.id).toBe(first.id);
    expect(second.id).toMatch(/^node-[0-9a-f]{8}$/);
    expect(second.holder).not.toBe(first.holder);
    expect(second.incarnation).toBeGreaterThan(first.incarnation);
    await second.release();
  });

  it('is the name that the program gives, and no other later', async () => {
    using folder = folderOf({});
    const first = await open(folder.path, 'a');
    expect(first.id).toBe('a');
    await first.release();
    const again = await open(folder.path);
    expect(again.id).toBe('a');
    await again.release();
    expect(await failureOf(open(folder.path, 'b'))).toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringMatching(/belongs to the node a, not to b/),
    });
    // What was refused holds no lock.
    await (await open(folder.path, 'a')).release();
  });

  it('is new at each start without a directory, and proves nothing', async () => {
    const [first, second] = [await open(undefined), await open(undefined)];
    expect(first.id).not.toBe(second.id);
    const named = await open(undefined, 'a');
    expect(named.id).toBe('a');
    expect(named.isProvenDead({ ...leaseOf(named), holder: first.holder })).toBe(false);
  });

  it('proves that earlier starts on its directory are over, and nobody else', async () => {
    using folder = folderOf({});
    const first = await open(folder.path, 'a');
    expect(first.isProvenDead(leaseOf(first))).toBe(false);
    await first.release();
    // A start that dies before it has a lease.
    await (await open(folder.path, 'a')).release();
    const third = await open(folder.path, 'a');
    expect(third.isProvenDead(leaseOf(first))).toBe(true);
    expect(third.isProvenDead({ ...leaseOf(first), holder: 'someone' })).toBe(false);
    expect(third.isProvenDead({ ...leaseOf(first), details: {} })).toBe(false);
    expect(third.isProvenDead({ ...leaseOf(first), details: null })).toBe(false);
    const later = { ...leaseOf(first), incarnation: third.incarnation };
    expect(third.isProvenDead(later)).toBe(false);
    await third.release();
  });

  it('proves nothing on a copy of its directory', async () => {
    using folder = folderOf({});
    const original = join(folder.path, 'original');
    const first = await open(original, 'a');
    cpSync(original, join(folder.path, 'copy'), { recursive: true });
    const copy = await open(join(folder.path, 'copy'), 'a');
    expect(copy.isProvenDead(leaseOf(first))).toBe(false);
    await Promise.all([first.release(), copy.release()]);
  });

  it('belongs to one process at a time', async () => {
    using folder = folderOf({});
    const first = await open(folder.path);
    expect(await failureOf(open(folder.path))).toMatchObject({ code: 'DATA_LOCKED' });
    await first.release();
  });

  it('is not kept where the data of a node without a cluster lie', async () => {
    using folder = folderOf({ meta: 'data' });
    expect(await failureOf(open(folder.path))).toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringMatching(/data of a node without a cluster/),
    });
  });

  it('is asked for when what is kept cannot be read', async () => {
    using folder = folderOf({});
    await (await open(folder.path, 'a')).release();
    const file = join(folder.path, 'node.json');
    const text = readFileSync(file, 'utf8');
    for (const damaged of ['', '{', '7', 'null', '{"format":1,"id":"a"}']) {
      writeFileSync(file, damaged);
      expect(await failureOf(open(folder.path))).toMatchObject({ code: 'LOG_CORRUPT' });
    }
    writeFileSync(file, text.replace('"format":1', '"format":2'));
    expect(await failureOf(open(folder.path))).toMatchObject({ code: 'ENGINE_UNSUPPORTED' });
    rmSync(file);
    const drawn = await open(folder.path);
    expect(drawn.id).not.toBe('a');
    await drawn.release();
  });
});
