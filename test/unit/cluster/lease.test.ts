/** A lease of one’s own: how it is held, lapses, is lost and given back, on a virtual clock. */
import { describe, expect, it } from 'vitest';
import type { Lease, OwnLeaseState } from '../../../src/cluster/lease.ts';
import { decodeLease, encodeLease } from '../../../src/cluster/lease-value.ts';
import { claimedLease } from '../../helpers/claimed-lease.ts';
import { type Fate, type LeaseProcess, LeaseWorld } from '../../helpers/lease-world.ts';

const key = 'nodes/a';
const prompt: Fate = { requestMs: 0.2, answerMs: 0.2 };
const refused: Fate = { ...prompt, isRefused: true };
const silent: Fate = { requestMs: 0.2, answerMs: 0.2, isAnswerLost: true };

function statesOf(lease: Lease): OwnLeaseState[] {
  const states: OwnLeaseState[] = [];
  lease.onState(state => states.push(state));
  return states;
}

async function stored(world: LeaseWorld) {
  const entry = await world.store.get(key);
  return entry && decodeLease(key, entry.value);
}

describe('a lease of one’s own', () => {
  it('is held for as long as its renewals are accepted', async () => {
    const world = new LeaseWorld('held');
    const lease = await claimedLease(world, world.start('a'), { details: { address: 'x:1' } });
    const states = statesOf(lease);
    for (let second = 0; second < 600; second++) {
      await world.pass(1_000);
      expect(lease.isHeld).toBe(true);
      expect(lease.remainingMs).toBeGreaterThan(9_900);
    }
    expect(states).toEqual([]);
    expect(await stored(world)).toMatchObject({ holder: 'a', details: { address: 'x:1' } });
  });

  it('lapses three quarters of its span after the last accepted write was sent', async () => {
    // The claim itself, and the first renewal.
    for (const writes of [1, 2]) {
      const world = new LeaseWorld(`lapse ${writes}`);
      let sentMs = 0;
      let count = 0;
      const process = world.start('a');
      world.fate = (_, operation) => {
        if (operation === 'get') return prompt;
        count += 1;
        if (count > writes) return refused;
        sentMs = world.scheduler.nowMs;
        return { requestMs: 400, answerMs: 400 };
      };
      const lease = await claimedLease(world, process);
      const states = statesOf(lease);
      await world.pass(5_000);
      await world.pass(sentMs + 11_990 - world.scheduler.nowMs);
      expect([writes, lease.isHeld, states]).toEqual([writes, true, []]);
      await world.pass(20);
      expect([lease.isHeld, lease.state, states]).toEqual([false, 'lapsed', ['lapsed']]);
      world.fate = () => prompt;
      await world.pass(1_000);
      expect([lease.isHeld, states]).toEqual([true, ['lapsed', 'held']]);
    }
  });

  it('lapses by the wall clock when the monotonic one stood still', async () => {
    const world = new LeaseWorld('wall');
    const process = world.start('a');
    const lease = await claimedLease(world, process);
    process.machine.jump(12_001);
    expect([lease.isHeld, lease.remainingMs]).toEqual([false, 0]);
    await world.pass(2_100);
    expect(lease.isHeld).toBe(true);
    process.machine.jump(-3_600_000);
    expect(lease.isHeld).toBe(true);
    world.fate = () => refused;
    await world.pass(12_010);
    expect(lease.isHeld).toBe(false);
  });

  it('is not held after a pause, before anything else of the process has run', async () => {
    const world = new LeaseWorld('pause');
    const process = world.start('a');
    const lease = await claimedLease(world, process);
    world.pause(process);
    await world.pass(14_500);
    expect(lease.isHeld).toBe(false);
    world.resume(process);
    expect(lease.isHeld).toBe(false);
    await world.pass(3_000);
    expect(lease.isHeld).toBe(true);
  });

  it('outlasts an election of 9 s that begins at any moment', async () => {
    for (let startMs = 0; startMs < 2_400; startMs += 50) {
      const world = new LeaseWorld(`election ${startMs}`);
      const lease = await claimedLease(world, world.start('a'));
      const states = statesOf(lease);
      await world.pass(4_000 + startMs);
      // What is on its way when the leader dies gets no answer; what comes later is refused.
      const endMs = world.scheduler.nowMs + 9_000;
      world.fate = () => {
        world.fate = () => (world.scheduler.nowMs < endMs ? refused : prompt);
        return silent;
      };
      await world.pass(30_000);
      expect([startMs, states]).toEqual([startMs, []]);
    }
  });

  it('counts a renewal whose answer was lost once it is found, from when it was sent', async () => {
    const world = new LeaseWorld('unknown');
    const process = world.start('a');
    const lease = await claimedLease(world, process);
    let sentMs = 0;
    world.fate = (_, operation) => {
      if (operation !== 'set') return prompt;
      sentMs = world.scheduler.nowMs;
      world.fate = () => prompt;
      return silent;
    };
    await world.pass(2_100);
    expect(sentMs).toBeGreaterThan(0);
    world.fate = (_, operation) => (operation === 'get' ? prompt : refused);
    await world.pass(5_000);
    const holdMs = 12_000;
    // The next attempt finds it; it is as good as when it was sent, and renewed at once.
    world.fate = (_, operation) => {
      if (operation === 'get') world.fate = () => refused;
      return prompt;
    };
    await world.pass(700);
    expect(lease.remainingMs).toBeCloseTo(sentMs + holdMs - world.scheduler.nowMs, 0);
    world.fate = () => prompt;
    await world.pass(600);
    expect(lease.remainingMs).toBeGreaterThan(11_000);
  });

  it('goes on with an engine that takes longer than an attempt is waited for', async () => {
    const world = new LeaseWorld('slow');
    const process = world.start('a');
    world.fate = () => ({ requestMs: 700, answerMs: 700 });
    const lease = await claimedLease(world, process);
    const states = statesOf(lease);
    await world.pass(300_000);
    expect(states).toEqual([]);
  });

  it('has a bound on what waits for an engine that does not answer', async () => {
    const world = new LeaseWorld('bound');
    const process = world.start('a');
    const lease = await claimedLease(world, process);
    let waiting = 0;
    let waitingMax = 0;
    const never: LeaseProcess['keyValue'] = {
      ...process.keyValue,
      compareAndSet: () => {
        waiting += 1;
        waitingMax = Math.max(waitingMax, waiting);
        return new Promise(() => undefined);
      },
    };
    Object.assign(process.keyValue, never);
    await world.pass(600_000);
    expect([lease.state, waitingMax]).toEqual(['lapsed', 8]);
  });

  it('is lost, for good, when somebody else wrote it', async () => {
    for (const state of ['held', 'expired', 'released'] as const) {
      const world = new LeaseWorld(`lost ${state}`);
      const lease = await claimedLease(world, world.start('a'));
      const states = statesOf(lease);
      const entry = await world.store.get(key);
      const value = { state, holder: 'b', incarnation: 2, renewal: 0, details: {} };
      await world.store.compareAndSet(key, encodeLease(value), entry?.revision ?? 0);
      await world.pass(3_000);
      expect([lease.isHeld, states]).toEqual([false, ['lost']]);
      await world.pass(100_000);
      expect([states, await stored(world)]).toEqual([['lost'], value]);
    }
  });

  it('is lost when what stands under its key is no lease any more', async () => {
    const world = new LeaseWorld('garbage');
    const lease = await claimedLease(world, world.start('a'));
    const entry = await world.store.get(key);
    await world.store.compareAndSet(key, new Uint8Array([1, 2]), entry?.revision ?? 0);
    await world.pass(3_000);
    expect(lease.state).toBe('lost');
  });

  it('is lost when its key was deleted, but not before it would have lapsed', async () => {
    const world = new LeaseWorld('deleted');
    const lease = await claimedLease(world, world.start('a'));
    const states = statesOf(lease);
    const entry = await world.store.get(key);
    await world.store.delete(key, entry?.revision ?? 0);
    await world.pass(9_000);
    expect(states).toEqual([]);
    await world.pass(6_000);
    expect(states).toEqual(['lapsed', 'lost']);
  });

  it('is not lost because a read is old', async () => {
    const world = new LeaseWorld('stale');
    const process = world.start('a');
    const lease = await claimedLease(world, process);
    const states = statesOf(lease);
    world.fate = (_, operation) => {
      if (operation === 'get') return { ...prompt, staleMs: 8_000 };
      return world.random.chance(0.3) ? silent : prompt;
    };
    await world.pass(120_000);
    expect(states.filter(state => state === 'lost')).toEqual([]);
  });

  it('tells others something new at once', async () => {
    const world = new LeaseWorld('details');
    const lease = await claimedLease(world, world.start('a'), { details: { load: 0 } });
    lease.setDetails({ load: 1 });
    await world.pass(10);
    expect(await stored(world)).toMatchObject({ details: { load: 1 } });
    // While a renewal is on its way, it is told with the next.
    world.fate = () => ({ requestMs: 100, answerMs: 100 });
    lease.setDetails({ load: 2 });
    await world.pass(50);
    lease.setDetails({ load: 3 });
    await world.pass(400);
    expect(await stored(world)).toMatchObject({ details: { load: 3 } });
    await world.pass(60_000);
    expect(lease.isHeld).toBe(true);
  });

  it('refuses details that cannot be written, and goes on with the old ones', async () => {
    const world = new LeaseWorld('bad details');
    const lease = await claimedLease(world, world.start('a'), { details: { load: 0 } });
    expect(() => lease.setDetails(1n)).toThrow('NOT_SERIALIZABLE');
    expect(() => lease.setDetails('x'.repeat(40_000))).toThrow('PAYLOAD_TOO_LARGE');
    await world.pass(3_000);
    expect([lease.isHeld, await stored(world)]).toMatchObject([true, { details: { load: 0 } }]);
  });
});

describe('giving a lease back', () => {
  it('ends it here first, and lets a successor in at once', async () => {
    const world = new LeaseWorld('release');
    const lease = await claimedLease(world, world.start('a'));
    const states = statesOf(lease);
    const releasing = lease.release();
    expect([lease.isHeld, states]).toEqual([false, ['released']]);
    expect(await world.settled(releasing)).toBe(true);
    expect(await lease.release()).toBe(true);
    const beforeMs = world.scheduler.nowMs;
    const next = await claimedLease(world, world.start('b'), { incarnation: 2 });
    expect(world.scheduler.nowMs - beforeMs).toBeLessThan(10);
    expect(next.token).toBeGreaterThan(lease.token);
  });

  it('works behind a renewal that landed without an answer, and when its own is lost', async () => {
    const world = new LeaseWorld('release unknown');
    const lease = await claimedLease(world, world.start('a'));
    world.fate = (_, operation) => (operation === 'set' ? silent : prompt);
    await world.pass(2_100);
    expect(await world.settled(lease.release())).toBe(true);
    expect(await stored(world)).toMatchObject({ holder: 'a', state: 'released' });
  });

  it('says so when the engine does not take it, or another has it', async () => {
    const world = new LeaseWorld('release refused');
    const lease = await claimedLease(world, world.start('a'));
    world.fate = () => refused;
    expect(await world.settled(lease.release())).toBe(false);
    world.fate = () => prompt;
    const second = await claimedLease(world, world.start('b'));
    const entry = await world.store.get(key);
    const value = { state: 'held', holder: 'c', incarnation: 2, renewal: 0, details: {} } as const;
    await world.store.compareAndSet(key, encodeLease(value), entry?.revision ?? 0);
    expect(await world.settled(second.release())).toBe(false);
    expect(await stored(world)).toEqual(value);
  });
});
