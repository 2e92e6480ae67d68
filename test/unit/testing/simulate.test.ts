/** The simulator for users' agents: sound agents pass, unsound ones are found, and seeds repeat. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../../src/index.ts';
import { type SimulatedWorld, simulate } from '../../../src/testing/index.ts';

const counter = defineAgent('counter', {
  state: z.object({ count: z.number().default(0) }),
  actions: {
    add: turn(),
    addInMemory: turn(),
    count: read({ output: z.number() }),
  },
});
const counterAgent = implement(counter, {
  add(ctx) {
    ctx.state.count += 1;
  },
  addInMemory(ctx) {
    ctx.local.set('count', Number(ctx.local.get('count') ?? 0) + 1);
    ctx.state.count = Number(ctx.local.get('count'));
  },
  count: ctx => ctx.state.count,
});

const additions = 40;
type World = SimulatedWorld<typeof counter>;

function adding(action: 'add' | 'addInMemory', hasKey: boolean) {
  return async (world: World): Promise<void> => {
    for (let n = 0; n < additions; n++) {
      const options = hasKey ? { idempotencyKey: `${n}` } : {};
      await world.patiently(troupe =>
        troupe.agents.get(counter, 'one').execute(action, undefined, options),
      );
      await world.sleep(world.random.between(0, 3_000));
    }
  };
}

async function check(world: World): Promise<void> {
  const read = () => world.patiently(troupe => troupe.agents.get(counter, 'one').execute('count'));
  const count = await read();
  if (count !== additions) throw new Error(`${additions} were added, and ${count} are there`);
}

const options = { agents: [counterAgent], check, faultGap: '4s' } as const;

describe('simulate', () => {
  it.each(['memory', 'embedded'] as const)('lets sound agents pass, on %s', async engine => {
    const report = await simulate({
      ...options,
      engine,
      seeds: 4,
      workload: adding('add', true),
    });
    expect(report.violations).toEqual([]);
    expect(report.crashRestarts).toBeGreaterThan(3);
    expect(report.operations).toBeGreaterThanOrEqual(4 * additions);
  });

  it('finds what is kept in memory only, and a repeated call without a key', async () => {
    const forgetful = await simulate({
      ...options,
      seeds: 4,
      workload: adding('addInMemory', true),
    });
    expect(forgetful.violations[0]?.check).toBe('check');
    const keyless = await simulate({ ...options, seeds: 12, workload: adding('add', false) });
    expect(keyless.violations.map(({ message }) => message).join()).toContain('40 were added');
  });

  it('repeats a world from its seed', async () => {
    const run = (firstSeed: number) =>
      simulate({ ...options, seeds: 1, firstSeed, workload: adding('add', true) });
    const [first, again, other] = [await run(7), await run(7), await run(8)];
    expect(again.traceHash).toBe(first.traceHash);
    expect(other.traceHash).not.toBe(first.traceHash);
  });

  it('refuses agents that look at the real clock', async () => {
    const hasty = implement(counter, {
      add(ctx) {
        ctx.state.count += Date.now();
      },
      addInMemory() {},
      count: ctx => ctx.state.count,
    });
    const report = await simulate({
      agents: [hasty],
      seeds: 1,
      workload: async world => {
        await world.patiently(troupe => troupe.agents.get(counter, 'one').execute('add'));
      },
    });
    expect(report.violations[0]?.message).toMatch(/Date\.now/);
  });
});
