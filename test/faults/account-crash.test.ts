/**
 * The pay-out of the example, crashed in every gap and inside every step: nothing is paid twice,
 * nothing that was built on runs again, and the approval waits as long as a person takes.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { accountAgent } from '../../examples/account/account.agent.ts';
import { ledgerAgent } from '../../examples/account/ledger.agent.ts';
import type { RunInfo } from '../../src/index.ts';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { troupeMachine } from '../helpers/troupe-machine.ts';

/** The bank of this test: in the same virtual time, and outside of the process that crashes. */
const bank = vi.hoisted(() => ({
  /** What it was asked and did, in order: `check asked`, `check did`, `transfer asked` … */
  book: [] as string[],
  pause: (): Promise<void> => Promise.resolve(),
}));

vi.mock('../../examples/account/bank.ts', () => {
  const serve = async (service: string, answer: string) => {
    bank.book.push(`${service} asked`);
    await bank.pause();
    bank.book.push(`${service} did`);
    await bank.pause();
    return answer;
  };
  return {
    check: () => serve('check', 'fine'),
    // Unlike the example's, this bank honours no keys: what protects the money is the policy alone.
    transfer: () => serve('transfer', 'receipt 1'),
    confirm: () => serve('confirm', 'letter'),
    isConfirmed: async () => bank.book.includes('confirm did'),
  };
});

const undisturbed = [
  'check asked',
  'check did',
  'transfer asked',
  'transfer did',
  'confirm asked',
  'confirm did',
];

function machineOf(seed: number) {
  const machine = troupeMachine(seed, [accountAgent, ledgerAgent]);
  bank.pause = () => machine.world.scheduler.sleep(3);
  return machine;
}

type Machine = ReturnType<typeof machineOf>;

afterEach(() => {
  bank.book.length = 0;
});

/** Moves money in, and begins to pay out. */
async function begin({ ask }: Machine): Promise<void> {
  await ask(({ agents }) =>
    agents.get('account/alice').execute('move', { amount: 100 }, { idempotencyKey: 'in' }),
  );
  const options = { idempotencyKey: 'out' };
  await ask(({ agents }) =>
    agents.get('account/alice').request('payOut', { amount: 30 }, options).recorded(),
  );
}

async function theRun({ ask }: Machine): Promise<RunInfo> {
  const [run] = await ask(({ agents }) => agents.get('account/alice').runs.list());
  if (run === undefined) throw new Error('there is no run');
  return run;
}

/** Does what a person has to do until the run has ended; tells whether a step asked. */
async function attend(machine: Machine): Promise<{ readonly hasAsked: boolean }> {
  let hasAsked = false;
  for (let run = await theRun(machine); run.endedAt === undefined; run = await theRun(machine)) {
    if (run.status === 'asking') {
      hasAsked = true;
      // The person looks whether the money has gone out.
      const hasGone = bank.book.includes('transfer did');
      const word = hasGone ? ({ value: 'receipt 1' } as const) : 'retry';
      const answered = machine.ask(({ runs }) => runs.resolve(run.id, 'transfer', word));
      // An answer that a crash cut off may have been taken: then the step asks no more.
      await answered.catch(() => undefined);
    }
    if (run.status === 'waiting')
      await machine.ask(({ agents }) =>
        agents.get('account/alice').signal('approve', { by: 'eve' }),
      );
    await machine.world.scheduler.sleep(100);
  }
  return { hasAsked };
}

/** What is there to be seen in the end. */
async function outcome({ ask }: Machine) {
  return ask(async ({ agents }) => {
    const alice = agents.get('account/alice');
    const run = alice.stream('payOut', { amount: 30 }, { idempotencyKey: 'out' });
    const chunks: string[] = [];
    for await (const chunk of run) chunks.push(chunk);
    const moved: number[] = [];
    for await (const { data } of alice.events({ from: 1, follow: false })) moved.push(data.amount);
    return {
      receipt: await run.result,
      chunks,
      moved,
      balance: await alice.execute('balance'),
      ledger: await agents.get('ledger/main').execute('total'),
    };
  });
}

const expected = {
  receipt: 'receipt 1, approved by eve',
  chunks: ['transferred'],
  moved: [100, -30],
  balance: 70,
  ledger: 100,
};

/** Pays out with crashes after so many events; tells where each of them hit. */
async function payOutThrough(
  seed: number,
  crashes: readonly { readonly after: number; readonly kind: 'kill' | 'power-loss' }[],
): Promise<readonly string[]> {
  using machine = machineOf(seed);
  const { world } = machine;
  const places: string[] = [];
  const paid = begin(machine).then(() => attend(machine));
  for (const { after, kind } of crashes) {
    const due = world.scheduler.events + after;
    await machine.reach(() => world.scheduler.events >= due);
    places.push(bank.book.at(-1) ?? 'before');
    machine.crash(kind);
  }
  const { hasAsked } = await machine.until(paid);
  await machine.pass(15_000);

  expect(await machine.until(outcome(machine))).toEqual(expected);
  expect(bank.book.filter(entry => entry === 'transfer did')).toHaveLength(1);
  expect(bank.book.filter(entry => entry === 'confirm did')).toHaveLength(1);
  // A step began again only when it was cut off: nothing that awaited it had begun.
  expect(bank.book.toSorted(byOrder)).toEqual(bank.book);
  const begun = bank.book.filter(entry => entry.endsWith('asked')).length;
  expect(begun).toBeLessThanOrEqual(3 + crashes.length);
  if (places.includes('transfer asked')) expect(hasAsked).toBe(true);
  if (places.every(place => !/^check did|^transfer/.test(place))) expect(hasAsked).toBe(false);
  expect(world.violations).toEqual([]);
  bank.book.length = 0;
  return places;
}

/** The services in the order of their steps; entries of one service stay as they are. */
function byOrder(one: string, other: string): number {
  const rank = (entry: string) => Math.floor(undisturbed.indexOf(entry) / 2);
  return rank(one) - rank(other);
}

describe('the pay-out', () => {
  it('comes to the same when it is crashed in any gap, or in the middle of a step', async () => {
    const length = await eventsOf(1);
    const places = new Set<string>();
    for (let after = 1; after <= length; after += 1) {
      for (const kind of ['kill', 'power-loss'] as const)
        for (const place of await payOutThrough(1, [{ after, kind }])) places.add(place);
    }
    expect([...places].sort()).toEqual(['before', ...undisturbed].sort());
  });

  it('comes to the same when it is crashed again on its way', async () => {
    const random = new SimRandom('account crashes');
    for (let seed = 2; seed < 60; seed += 1) {
      const crashes = Array.from({ length: 3 }, () => ({
        after: 1 + random.below(60),
        kind: random.chance(0.5) ? ('kill' as const) : ('power-loss' as const),
      }));
      await payOutThrough(seed, crashes);
    }
  });

  it('waits a week for its approval, through three restarts, without holding memory', async () => {
    using machine = machineOf(7);
    await machine.until(begin(machine));
    for (const kind of ['kill', 'power-loss', 'kill'] as const) {
      await machine.pass(2 * dayMs);
      expect(await machine.until(isInMemory(machine))).toBe(false);
      machine.crash(kind);
    }
    await machine.pass(dayMs - hourMs);
    expect(await machine.until(theRun(machine))).toMatchObject({ status: 'waiting' });
    await machine.until(attend(machine));
    expect(await machine.until(outcome(machine))).toEqual(expected);
    expect(bank.book).toEqual(undisturbed);
  });

  it('goes on without an approval after a week, and not earlier', async () => {
    using machine = machineOf(8);
    await machine.until(begin(machine));
    for (let day = 0; day < 3; day += 1) {
      await machine.pass(2 * dayMs);
      machine.crash('kill');
    }
    await machine.pass(dayMs - hourMs);
    expect(await machine.until(theRun(machine))).toMatchObject({ status: 'waiting' });
    await machine.pass(2 * hourMs);
    const run = await machine.until(theRun(machine));
    expect(run).toMatchObject({ status: 'done', value: 'receipt 1' });
    expect((run.endedAt?.getTime() ?? 0) - run.startedAt.getTime()).toBeGreaterThan(7 * dayMs);
    expect(bank.book).toEqual(undisturbed);
  });
});

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** How many events a pay-out takes that nobody disturbs. */
async function eventsOf(seed: number): Promise<number> {
  using machine = machineOf(seed);
  await machine.until(begin(machine).then(() => attend(machine)));
  bank.book.length = 0;
  return machine.world.scheduler.events;
}

async function isInMemory({ ask }: Machine): Promise<boolean> {
  const { items } = await ask(({ agents }) => agents.list({ type: 'account' }));
  return items.some(({ isActive }) => isActive);
}
