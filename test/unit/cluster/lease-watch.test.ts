/** The leases of others: what is overdue, what ends a lease, and what proves nothing. */
import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../src/cluster/lease.ts';
import { claimLease } from '../../../src/cluster/lease-claim.ts';
import { encodeLease, type LeaseValue } from '../../../src/cluster/lease-value.ts';
import {
  type LeaseWatch,
  type WatchLeasesOptions,
  watchLeases,
} from '../../../src/cluster/lease-watch.ts';
import { type LeaseProcess, LeaseWorld } from '../../helpers/lease-world.ts';

const key = 'nodes/a';
const prompt = { requestMs: 0.2, answerMs: 0.2 };

async function open(
  seed: string,
  options: Partial<WatchLeasesOptions> = {},
): Promise<{ world: LeaseWorld; holder: LeaseProcess; lease: Lease; watch: LeaseWatch }> {
  const world = new LeaseWorld(seed);
  const [holder, observer] = [world.start('a'), world.start('b')];
  const { keyValue, clock } = holder;
  const claiming = claimLease({ keyValue, clock, key, holder: 'a', incarnation: 1 });
  await world.pass(10);
  const watching = watchLeases({ ...observer, prefix: 'nodes/', ...options });
  await world.pass(10);
  return { world, holder, lease: await claiming, watch: await watching };
}

async function expired(world: LeaseWorld, watch: LeaseWatch): Promise<boolean> {
  const expiring = watch.expire(key);
  await world.pass(10);
  return expiring;
}

describe('the leases of others', () => {
  it('shows who holds them, and what they tell', async () => {
    const { world, lease, watch } = await open('shows');
    lease.setDetails({ load: 3 });
    await world.pass(10);
    expect(watch.leases()).toMatchObject([
      { key, isOverdue: false, value: { holder: 'a', state: 'held', details: { load: 3 } } },
    ]);
    expect(watch.lease(key)).toEqual(watch.leases()[0]);
    expect(watch.lease('nodes/b')).toBeUndefined();
    await watch.close();
  });

  it('does not take a lease for overdue that is renewed, and does not end it', async () => {
    const { world, lease, watch } = await open('renewed');
    for (let second = 0; second < 100; second++) {
      await world.pass(1_000);
      expect([watch.lease(key)?.isOverdue, await expired(world, watch)]).toEqual([false, false]);
    }
    expect(lease.isHeld).toBe(true);
  });

  it('takes it for overdue after a whole span, tells so once, and ends it', async () => {
    const told: boolean[] = [];
    const { world, holder, watch } = await open('overdue', {
      onChange: ({ isOverdue }) => told.push(isOverdue),
    });
    world.crash(holder);
    await world.pass(15_960);
    expect([watch.lease(key)?.isOverdue, await expired(world, watch)]).toEqual([false, false]);
    await world.pass(40);
    expect([watch.lease(key)?.isOverdue, told]).toEqual([true, [false, true]]);
    expect(await expired(world, watch)).toBe(true);
    expect(watch.lease(key)).toMatchObject({ isOverdue: false, value: { state: 'expired' } });
    // Asked again it is still over.
    expect(await expired(world, watch)).toBe(true);
  });

  it('counts anew from its own start', async () => {
    const { world, holder, watch } = await open('anew');
    world.crash(holder);
    await world.pass(17_000);
    expect(watch.lease(key)?.isOverdue).toBe(true);
    const watching = watchLeases({ ...world.start('c'), prefix: 'nodes/' });
    await world.pass(15_000);
    expect((await watching).lease(key)?.isOverdue).toBe(false);
    await world.pass(1_100);
    expect((await watching).lease(key)?.isOverdue).toBe(true);
  });

  it('does not end a lease that it only failed to see renewed', async () => {
    const { world, lease, watch } = await open('blind');
    world.fate = (_, operation) =>
      operation === 'watch' ? { requestMs: 0, answerMs: 60_000 } : prompt;
    await world.pass(20_000);
    expect(watch.lease(key)?.isOverdue).toBe(true);
    expect(await expired(world, watch)).toBe(false);
    // It has read what stands there now, and counts from there.
    expect(watch.lease(key)?.isOverdue).toBe(false);
    expect(lease.isHeld).toBe(true);
  });

  it('knows that a lease is over when the answer was lost, by asking again', async () => {
    const { world, holder, watch } = await open('lost answer');
    world.crash(holder);
    await world.pass(17_000);
    world.fate = (_, operation) =>
      operation === 'set' ? { ...prompt, isAnswerLost: true } : { ...prompt, answerMs: 500 };
    const expiring = watch.expire(key).catch((error: unknown) => String(error));
    await world.pass(2_100);
    expect(await expiring).toContain('ENGINE_FAILED');
    expect(await expired(world, watch)).toBe(true);
  });

  it('learns that another observer ended it', async () => {
    const { world, holder, watch } = await open('two observers');
    const second = watchLeases({ ...world.start('c'), prefix: 'nodes/' });
    world.crash(holder);
    await world.pass(17_000);
    world.fate = (_, operation) =>
      operation === 'watch' ? { requestMs: 0, answerMs: 60_000 } : prompt;
    expect(await expired(world, watch)).toBe(true);
    expect(await expired(world, await second)).toBe(true);
  });

  it('takes a lease that was given back neither for held nor for overdue', async () => {
    const { world, lease, watch } = await open('given back');
    const releasing = lease.release();
    await world.pass(60_000);
    expect(await releasing).toBe(true);
    expect(watch.lease(key)).toMatchObject({ isOverdue: false, value: { state: 'released' } });
    expect(await expired(world, watch)).toBe(false);
  });

  it('takes nothing for over because its key is gone, before a whole span has passed', async () => {
    const { world, lease, watch } = await open('gone');
    const entry = await world.store.get(key);
    await world.store.delete(key, entry?.revision ?? 0);
    await world.pass(15_000);
    expect([watch.lease(key)?.isOverdue, await expired(world, watch)]).toEqual([false, false]);
    await world.pass(1_100);
    expect(lease.isHeld).toBe(false);
    expect([watch.lease(key)?.isOverdue, await expired(world, watch)]).toEqual([true, true]);
  });

  it('tells about keys that hold no lease, and goes on', async () => {
    const told: string[] = [];
    const { world, watch } = await open('unreadable', {
      onUnreadable: error => told.push(error.code),
    });
    await world.store.create('nodes/x', new Uint8Array([1]));
    const value: LeaseValue = {
      state: 'held',
      holder: 'y',
      incarnation: 1,
      renewal: 1,
      details: {},
    };
    await world.store.create('nodes/y', encodeLease(value));
    await world.pass(10);
    expect(told).toEqual(['LOG_CORRUPT']);
    expect(watch.leases().map(lease => lease.key)).toEqual([key, 'nodes/y']);
  });

  it('tells nothing after it was closed', async () => {
    let told = 0;
    const { world, watch } = await open('closed', { onChange: () => told++ });
    await watch.close();
    const before = told;
    await world.pass(60_000);
    expect(told).toBe(before);
  });
});
