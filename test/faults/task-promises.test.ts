/**
 * Tasks whose records are refused, or whose process dies, in every gap: what is recorded never runs
 * again, what is not recorded is not built upon.
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, task } from '../../src/index.ts';
import { createTestTroupe, type TestFaults } from '../../src/testing/index.ts';

const worker = defineAgent('worker', {
  state: z.object({ done: z.number().default(0) }),
  signals: { go: z.object({}) },
  actions: {
    cut: task({ output: z.string() }),
    asked: task({ output: z.string() }),
    twice: task({ output: z.array(z.number()) }),
    updated: task({ output: z.number() }),
    intent: task({ output: z.string() }),
    pure: task({ output: z.string() }),
    chunks: task({ output: z.string(), stream: z.string() }),
    done: read({ output: z.number() }),
  },
});

/** What a test does to the worker, and what the worker did. */
interface Bench {
  readonly effects: string[];
  faults: TestFaults | undefined;
  /** Set while a step is never to end. */
  isStuck: boolean;
}

function workerAgent(bench: Bench) {
  const stuck = () => new Promise<never>(() => undefined);
  /** Refuses the next append, in the first life of a run only. */
  const refuseOnce = () => {
    bench.faults?.nextAppend('unavailable');
    bench.faults = undefined;
  };
  return implement(worker, {
    async cut(ctx) {
      return ctx.step('pay', {}, () => {
        bench.effects.push('pay');
        return bench.isStuck ? stuck() : 'paid';
      });
    },
    async asked(ctx) {
      return ctx.step(
        'pay',
        {},
        () => {
          bench.effects.push('pay');
          return bench.isStuck ? stuck() : 'paid';
        },
        { onUnknown: 'fail' },
      );
    },
    async twice(ctx) {
      const draw = () => ctx.step('draw', {}, () => bench.effects.push('draw'));
      const drawn = [await draw(), await draw()];
      await ctx.waitFor('go');
      return [...drawn, await draw()];
    },
    async updated(ctx) {
      const done = await ctx.update(turn => {
        turn.state.done += 1;
        return turn.state.done;
      });
      await ctx.waitFor('go');
      return done;
    },
    async intent(ctx) {
      refuseOnce();
      return ctx.step('pay', {}, () => {
        bench.effects.push('pay');
        return 'paid';
      });
    },
    async pure(ctx) {
      await ctx.step('first', {}, () => bench.effects.push('first'));
      refuseOnce();
      return ctx.step('second', {}, () => `${bench.effects.push('second')}`, { pure: true });
    },
    async chunks(ctx) {
      ctx.write(bench.faults === undefined ? 'kept' : 'undone');
      refuseOnce();
      await ctx.waitFor('go');
      return 'done';
    },
    done: ctx => ctx.state.done,
  });
}

async function begin(isStuck = false) {
  const bench: Bench = { effects: [], faults: undefined, isStuck };
  const troupe = await createTestTroupe({ agents: [workerAgent(bench)] });
  bench.faults = troupe.faults;
  const one = troupe.agents.get(worker, 'one');
  await one.execute('done');
  const crash = async () => {
    await troupe.settled();
    troupe.crash();
    bench.isStuck = false;
    await troupe.restart();
  };
  return { troupe, bench, one, crash };
}

describe('a step', () => {
  it('that was cut off runs again: its outcome was not recorded before its effect', async () => {
    const { troupe, bench, one, crash } = await begin(true);
    const { id } = one.request('cut');
    await crash();
    expect(await troupe.advanceUntil(troupe.futures.get(id))).toBe('paid');
    expect(bench.effects).toEqual(['pay', 'pay']);
  });

  it('that was cut off does not run again when its policy forbids it', async () => {
    const { troupe, bench, one, crash } = await begin(true);
    const { id } = one.request('asked');
    await crash();
    const ended = troupe.advanceUntil(troupe.futures.get(id));
    await expect(ended).rejects.toMatchObject({ code: 'STEP_UNKNOWN' });
    expect(bench.effects).toEqual(['pay']);
  });

  it('of a name that was used before is a step of its own, then and after a crash', async () => {
    const { troupe, bench, one, crash } = await begin();
    const { id } = one.request('twice');
    await crash();
    await one.signal('go', {});
    expect(await troupe.advanceUntil(troupe.futures.get(id))).toEqual([1, 2, 3]);
    expect(bench.effects).toEqual(['draw', 'draw', 'draw']);
  });

  it('does not begin before its intent is accepted', async () => {
    const { troupe, bench, one } = await begin();
    expect(await troupe.advanceUntil(one.request('intent'))).toBe('paid');
    expect(bench.effects).toEqual(['pay']);
  });

  it('that only computes does not begin before what it stands on is accepted', async () => {
    const { troupe, bench, one } = await begin();
    await troupe.advanceUntil(one.request('pure'));
    expect(bench.effects.filter(effect => effect === 'second')).toEqual(['second']);
  });
});

it('an update is not repeated when its task is resumed', async () => {
  const { troupe, one, crash } = await begin();
  const { id } = one.request('updated');
  await crash();
  await one.signal('go', {});
  expect(await troupe.advanceUntil(troupe.futures.get(id))).toBe(1);
  expect(await one.execute('done')).toBe(1);
});

it('a chunk is not read before it is accepted', async () => {
  const { troupe, one } = await begin();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const chunk of one.stream('chunks')) seen.push(chunk);
  })();
  await troupe.advance('1m');
  await one.signal('go', {});
  await troupe.advanceUntil(reading);
  expect(seen).toEqual(['kept']);
});
