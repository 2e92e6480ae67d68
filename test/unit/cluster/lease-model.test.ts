/**
 * Leases under everything at once: processes that die, stop and go on, clocks that drift and jump,
 * requests that are lost, land late or are refused, reads that are old, elections. Whatever
 * happens, who believes to hold a lease stands in its key; and when the trouble ends, somebody
 * holds it.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Lease } from '../../../src/cluster/lease.ts';
import { claimLease } from '../../../src/cluster/lease-claim.ts';
import { decodeLease } from '../../../src/cluster/lease-value.ts';
import { watchLeases } from '../../../src/cluster/lease-watch.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import { type Fate, type LeaseProcess, LeaseWorld } from '../../helpers/lease-world.ts';

const key = 'nodes/a';
const machines = ['a', 'b', 'c'];
const troubleMs = 240_000;
const calmMs = 90_000;

interface Run {
  readonly world: LeaseWorld;
  readonly lives: Map<string, LeaseProcess>;
  readonly leases: Map<string, Lease>;
  readonly counts: Record<'claims' | 'expirations' | 'lapses' | 'losses' | 'releases', number>;
}

/** A process that wants the lease, again and again, and ends it when its holder is overdue. */
async function live({ world, leases, counts }: Run, process: LeaseProcess): Promise<void> {
  const { keyValue, clock, name } = process;
  const sleep = (delayMs: number) =>
    new Promise<void>(resolve => {
      clock.setTimer(delayMs, resolve);
    });
  const watch = await watchLeases({ keyValue, clock, prefix: 'nodes/' });
  const observe = async () => {
    for (;;) {
      await sleep(500);
      const isOver = watch.lease(key)?.isOverdue && (await watch.expire(key).catch(() => false));
      if (isOver === true) counts.expirations += 1;
    }
  };
  void observe();
  for (let incarnation = 1; ; incarnation++) {
    const holder = `${name}/${incarnation}`;
    try {
      const lease = await claimLease({ keyValue, clock, key, holder, incarnation });
      counts.claims += 1;
      leases.set(holder, lease);
      const { promise, resolve } = Promise.withResolvers<void>();
      lease.onState(state => {
        if (state === 'lapsed') counts.lapses += 1;
        if (state === 'lost') counts.losses += 1;
        if (state === 'lost') resolve();
      });
      if (world.random.chance(0.3)) {
        await sleep(world.random.between(1_000, 60_000));
        if (await lease.release()) counts.releases += 1;
      } else await promise;
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
    }
    await sleep(world.random.between(100, 3_000));
  }
}

/** What breaks the promise, if anything does. */
async function violation({ world, leases }: Run): Promise<string | undefined> {
  const believers = [...leases].filter(([, lease]) => lease.isHeld).map(([holder]) => holder);
  const entry = await world.store.get(key);
  const value = entry && decodeLease(key, entry.value);
  const isTrue = believers.every(holder => value?.holder === holder && value.state === 'held');
  if (isTrue) return undefined;
  return `${believers.join(' and ')} believe to hold what ${JSON.stringify(value)} says`;
}

/** The network of a troubled time. */
function fates(world: LeaseWorld): (process: LeaseProcess, operation: string) => Fate {
  const { random } = world;
  let electionEndMs = 0;
  return (_, operation) => {
    if (random.chance(0.004)) electionEndMs = world.scheduler.nowMs + random.between(1_000, 12_000);
    const isElection = world.scheduler.nowMs < electionEndMs;
    const isSlow = random.chance(0.05);
    return {
      requestMs: isSlow ? random.between(0, 12_000) : random.between(0.1, 5),
      answerMs: isSlow ? random.between(0, 3_000) : random.between(0.1, 5),
      isRefused: operation !== 'watch' && isElection && random.chance(0.8),
      isAnswerLost: random.chance(isElection ? 0.5 : 0.05),
      staleMs: random.chance(0.1) ? random.between(0, 11_000) : 0,
    };
  };
}

function begin(run: Run, machine: string, life: number): void {
  const { world, lives } = run;
  const random = world.random.fork(`${machine}${life}`);
  const driftPpm = random.between(-50_000, 50_000);
  const process = world.start(`${machine}${life}`, { driftPpm });
  lives.set(machine, process);
  void live(run, process);
}

/** Something goes wrong with a process. */
function trouble(run: Run, machine: string, step: number): void {
  const { world, lives } = run;
  const process = lives.get(machine);
  if (process === undefined) return;
  const draw = world.random.below(10);
  if (draw < 3) {
    world.crash(process);
    for (const [holder] of run.leases) {
      if (holder.startsWith(`${process.name}/`)) run.leases.delete(holder);
    }
    begin(run, machine, step);
  } else if (draw < 6) world.pause(process);
  else if (draw < 9) world.resume(process);
  else process.machine.jump(world.random.between(-60_000, 60_000));
}

async function runOnce(seed: number): Promise<Run['counts']> {
  const world = new LeaseWorld(`lease-model/${seed}`);
  const counts = { claims: 0, expirations: 0, lapses: 0, losses: 0, releases: 0 };
  const run: Run = { world, lives: new Map(), leases: new Map(), counts };
  world.fate = fates(world);
  for (const machine of machines) begin(run, machine, 0);
  const judge = async (untilMs: number) => {
    while (world.scheduler.nowMs < untilMs) {
      await world.pass(25);
      const broken = await violation(run);
      if (broken !== undefined) throw new Error(`${broken} at ${world.scheduler.nowMs} ms`);
    }
  };
  for (let step = 1; world.scheduler.nowMs < troubleMs; step++) {
    trouble(run, world.random.pick(machines) ?? 'a', step);
    await judge(world.scheduler.nowMs + world.random.between(100, 12_000));
  }
  world.fate = () => ({ requestMs: 0.2, answerMs: 0.2 });
  for (const process of run.lives.values()) world.resume(process);
  await judge(troubleMs + calmMs);
  expect([...run.leases.values()].some(lease => lease.isHeld)).toBe(true);
  return counts;
}

it('lets nobody believe in a lease that is not his, and somebody have it in the end', async () => {
  const total = { claims: 0, expirations: 0, lapses: 0, losses: 0, releases: 0 };
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async seed => {
      const counts = await runOnce(seed);
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
    }),
    { numRuns: 40, endOnFailure: true },
  );
  // A run in which nothing happens proves nothing.
  for (const count of Object.values(total)) expect(count).toBeGreaterThan(10);
});
