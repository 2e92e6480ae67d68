/** Durable timers: never early, never lost, replaced and cancelled as they were told. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';

let failuresLeft = 0;

const clock = defineAgent('clock', {
  state: z.object({ rung: z.array(z.tuple([z.string(), z.number()])).default([]) }),
  limits: { attemptsMax: 3, attemptBackoff: '1s', idle: '10s' },
  actions: {
    ring: turn({ input: z.string() }),
    refuse: turn(),
    flaky: turn(),
    after: turn({ input: z.object({ span: z.string(), word: z.string() }) }),
    every: turn({
      input: z.object({ schedule: z.string(), missed: z.enum(['skip', 'once', 'all']).optional() }),
    }),
    cancel: turn(),
    plan: turn({ input: z.enum(['refuse', 'flaky']) }),
    rung: read({ output: z.array(z.tuple([z.string(), z.number()])) }),
  },
});

const clockAgent = implement(clock, {
  ring(ctx, word) {
    ctx.state.rung.push([word, ctx.now()]);
  },
  refuse: ctx => ctx.reject('no'),
  flaky(ctx) {
    if (failuresLeft > 0) {
      failuresLeft -= 1;
      throw new Error('not yet');
    }
    ctx.state.rung.push(['flaky', ctx.now()]);
  },
  after: (ctx, { span, word }) => ctx.after(span as '1s', 'ring', word),
  every: (ctx, { schedule, missed }) => ctx.every(schedule, 'ring', 'tick', { missed }),
  cancel: ctx => ctx.cancelTimer('ring'),
  plan: (ctx, action) => ctx.after('1s', action),
  rung: ctx => ctx.state.rung,
});

async function opened() {
  const troupe = await createTestTroupe({ agents: [clockAgent] });
  const agent = troupe.agents.get(clock, 'a');
  const startedAt = troupe.now();
  const rung = async () => {
    const list = await troupe.advanceUntil(agent.execute('rung'));
    return list.map(([word, at]) => [word, Math.round((at - startedAt) / 1_000)]);
  };
  return { troupe, agent, rung };
}

describe('a timer', () => {
  it('rings once, when it is due, also after passivation and a crash', async () => {
    const { troupe, agent, rung } = await opened();
    await troupe.advanceUntil(agent.execute('after', { span: '1h', word: 'a' }));
    await troupe.advance('59m');
    troupe.crash();
    await troupe.restart();
    expect(await rung()).toEqual([]);
    await troupe.advance('2m');
    expect(await rung()).toEqual([['a', 3_600]]);
    await troupe.stop();
  });

  it('rings in time although the activation that set it has ended and nobody calls', async () => {
    const { troupe, agent, rung } = await opened();
    await troupe.advanceUntil(agent.execute('after', { span: '5s', word: 'a' }));
    troupe.faults.nextAppend('full');
    await troupe.advanceUntil(agent.tryExecute('after', { span: '1h', word: 'b' }));
    await troupe.advance('8s');
    expect(await rung()).toEqual([['a', 5]]);
    await troupe.stop();
  });

  it('rings soon although the first record of its ringing could not be made', async () => {
    const { troupe, agent, rung } = await opened();
    await troupe.advanceUntil(agent.execute('after', { span: '5s', word: 'a' }));
    troupe.faults.nextAppend('full', 2);
    await troupe.advance('10s');
    expect(await rung()).toEqual([['a', 8]]);
    await troupe.stop();
  });

  it('rings late rather than never when its node was down', async () => {
    const { troupe, agent, rung } = await opened();
    await troupe.advanceUntil(agent.execute('after', { span: '1m', word: 'a' }));
    troupe.crash();
    await troupe.advance('1h');
    await troupe.restart();
    await troupe.advance('1s');
    expect((await rung()).map(([word]) => word)).toEqual(['a']);
    await troupe.stop();
  });

  it('is replaced by one of the same name, and cancelled', async () => {
    const { troupe, agent, rung } = await opened();
    await troupe.advanceUntil(agent.execute('after', { span: '1m', word: 'old' }));
    await troupe.advanceUntil(agent.execute('after', { span: '2m', word: 'new' }));
    await troupe.advance('90s');
    expect(await rung()).toEqual([]);
    await troupe.advance('1m');
    expect(await rung()).toEqual([['new', 120]]);
    await troupe.advanceUntil(agent.execute('after', { span: '1m', word: 'never' }));
    await troupe.advanceUntil(agent.execute('cancel'));
    await troupe.advance('1h');
    expect(await rung()).toEqual([['new', 120]]);
    await troupe.stop();
  });

  it('repeats by a span and by a cron text', async () => {
    const { troupe, agent, rung } = await opened();
    await troupe.advanceUntil(agent.execute('every', { schedule: '10m' }));
    await troupe.advance('35m');
    expect((await rung()).map(([, at]) => at)).toEqual([600, 1_200, 1_800]);
    await troupe.advanceUntil(agent.execute('every', { schedule: '0 * * * *' }));
    await troupe.advance('2h');
    expect((await rung()).slice(3).map(([, at]) => Number(at) % 3_600)).toEqual([0, 0]);
    await troupe.stop();
  });

  it.each([
    ['skip', 0],
    ['once', 1],
    ['all', 6],
  ] as const)('makes good for missed ticks by `%s`', async (missed, count) => {
    const { troupe, agent, rung } = await opened();
    await troupe.advanceUntil(agent.execute('every', { schedule: '10m', missed }));
    troupe.crash();
    await troupe.advance('65m');
    await troupe.restart();
    await troupe.advance('1s');
    expect(await rung()).toHaveLength(count);
    await troupe.advance('10m');
    expect(await rung()).toHaveLength(count + 1);
    await troupe.stop();
  });

  it('that throws is tried again, then a dead letter; one that is rejected is done', async () => {
    const { troupe, agent, rung } = await opened();
    failuresLeft = 2;
    await troupe.advanceUntil(agent.execute('plan', 'flaky'));
    await troupe.advance('1m');
    expect(await rung()).toEqual([['flaky', 4]]);
    failuresLeft = 3;
    await troupe.advanceUntil(agent.execute('plan', 'flaky'));
    await troupe.advance('1m');
    expect((await troupe.advanceUntil(troupe.deadLetters.list())).items).toMatchObject([
      { action: 'flaky', attempts: 3 },
    ]);
    await troupe.advanceUntil(agent.execute('plan', 'refuse'));
    await troupe.advance('1h');
    expect((await troupe.advanceUntil(troupe.deadLetters.list())).items).toHaveLength(1);
    expect(await rung()).toHaveLength(1);
    await troupe.stop();
  });
});
