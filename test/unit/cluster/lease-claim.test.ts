/** Claiming leases: who is let in at once, who has to wait, who is refused. */
import { describe, expect, it } from 'vitest';
import { type ClaimLeaseOptions, claimLease } from '../../../src/cluster/lease-claim.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import { claimedLease } from '../../helpers/claimed-lease.ts';
import { type Fate, type LeaseProcess, LeaseWorld } from '../../helpers/lease-world.ts';

const key = 'nodes/a';
const prompt: Fate = { requestMs: 0.2, answerMs: 0.2 };
const refused: Fate = { ...prompt, isRefused: true };
const silent: Fate = { requestMs: 0.2, answerMs: 0.2, isAnswerLost: true };

describe('claiming a lease', () => {
  it('waits out the lease of one that died', async () => {
    const world = new LeaseWorld('wait');
    const first = world.start('a');
    await claimedLease(world, first);
    world.crash(first);
    const beforeMs = world.scheduler.nowMs;
    await claimedLease(world, world.start('b'), { incarnation: 2 });
    const waitedMs = world.scheduler.nowMs - beforeMs;
    expect(waitedMs).toBeGreaterThanOrEqual(16_000);
    expect(waitedMs).toBeLessThan(17_000);
  });

  it('waits out a last renewal that lands after its writer died, and is not refused', async () => {
    const world = new LeaseWorld('late landing');
    const first = world.start('a');
    await claimedLease(world, first);
    world.fate = () => ({ requestMs: 5_000, answerMs: 0.2 });
    await world.pass(2_050);
    world.crash(first);
    world.fate = () => prompt;
    const beforeMs = world.scheduler.nowMs;
    await claimedLease(world, world.start('b'), { incarnation: 2 });
    expect(world.scheduler.nowMs - beforeMs).toBeGreaterThan(20_000);
  });

  it('is refused while another renews it', async () => {
    const world = new LeaseWorld('refused');
    const lease = await claimedLease(world, world.start('a'));
    const beforeMs = world.scheduler.nowMs;
    const error = await claimedLease(world, world.start('b')).catch((thrown: unknown) => thrown);
    expect(TroupeError.is(error) && error.code).toBe('CONFIG_INVALID');
    expect(String(error)).toContain('nodes/a is held by another process (a, start 1)');
    expect(world.scheduler.nowMs - beforeMs).toBeLessThan(5_000);
    expect(lease.isHeld).toBe(true);
  });

  it('does not wait for one that is proven dead, and only for that one', async () => {
    const world = new LeaseWorld('proven');
    const first = world.start('a');
    await claimedLease(world, first);
    world.crash(first);
    const beforeMs = world.scheduler.nowMs;
    const isProvenDead: ClaimLeaseOptions['isProvenDead'] = ({ holder, incarnation }) =>
      holder === 'a' && incarnation < 2;
    await claimedLease(world, world.start('b'), { incarnation: 2, isProvenDead });
    expect(world.scheduler.nowMs - beforeMs).toBeLessThan(10);
    await expect(claimedLease(world, world.start('c'), { isProvenDead })).rejects.toThrow(
      'CONFIG_INVALID',
    );
  });

  it('finds its own claim whose answer was lost', async () => {
    const world = new LeaseWorld('own claim');
    let isLost = false;
    world.fate = (_, operation) => {
      if (operation !== 'create' || isLost) return prompt;
      isLost = true;
      return silent;
    };
    const lease = await claimedLease(world, world.start('a'));
    expect([isLost, lease.isHeld]).toEqual([true, true]);
    // It was sent 2 s before its loss was noticed.
    expect(lease.remainingMs).toBeLessThan(10_000);
    await world.pass(60_000);
    expect(lease.isHeld).toBe(true);
  });

  it('refuses a name that was used before', async () => {
    const world = new LeaseWorld('same name');
    const first = world.start('a');
    await claimedLease(world, first);
    await expect(claimedLease(world, world.start('a'))).rejects.toThrow('new at each start');
  });

  it('asks an engine again that recovers, and gives up on one that does not', async () => {
    const world = new LeaseWorld('patience');
    world.fate = () => (world.scheduler.nowMs < 9_000 ? refused : prompt);
    await claimedLease(world, world.start('a'));
    expect(world.scheduler.nowMs).toBeGreaterThanOrEqual(9_000);
    world.fate = () => refused;
    await expect(claimedLease(world, world.start('b'))).rejects.toThrow('ENGINE_UNAVAILABLE');
  });

  it('does not touch what is no lease, or one of a later format', async () => {
    const world = new LeaseWorld('foreign');
    const created = await world.store.create(key, new TextEncoder().encode('"text"'));
    await expect(claimedLease(world, world.start('a'))).rejects.toThrow('LOG_CORRUPT');
    const later = new TextEncoder().encode(JSON.stringify({ format: 2 }));
    const revision = created.status === 'accepted' ? created.revision : 0;
    await world.store.compareAndSet(key, later, revision);
    await expect(claimedLease(world, world.start('a'))).rejects.toThrow('ENGINE_UNSUPPORTED');
  });

  it('lets one of many win', async () => {
    const world = new LeaseWorld('many');
    const outcomes = Array.from({ length: 10 }, (_, index) =>
      claimOf(world.start(`p${index}`)).then(
        () => 'held',
        (error: unknown) => (TroupeError.is(error) ? error.code : 'foreign'),
      ),
    );
    const all = await world.settled(Promise.all(outcomes));
    expect(all.filter(each => each === 'held')).toHaveLength(1);
    expect(all.filter(each => each === 'CONFIG_INVALID')).toHaveLength(9);
  });
});

function claimOf({ keyValue, clock, name: holder }: LeaseProcess) {
  return claimLease({ keyValue, clock, key, holder, incarnation: 1 });
}
