/**
 * Mistakes about the identity of steps: other code than the one that began a run must not take the
 * outcome of one effect for that of another.
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTroupe, defineAgent, implement, read, task } from '../../src/index.ts';
import { folderOf } from '../helpers/folder-of.ts';
import { mistakeIn } from '../helpers/mistake-in.ts';
import { firstEntryOf } from './first-entry.ts';

const order = defineAgent('order', {
  state: z.object({ paid: z.number().default(0) }),
  events: { requested: z.null() },
  signals: { approve: z.object({ by: z.string() }) },
  actions: {
    pay: task({ output: z.number() }),
    payTwice: task({ output: z.number() }),
    paid: read({ output: z.number() }),
  },
});

/** Pays an amount, waits for approval, and books what was paid. */
function orderAgent(amount: number, payments: number[]) {
  const payFor = (sum: number): number => {
    payments.push(sum);
    return sum;
  };
  return implement(order, {
    async pay(ctx) {
      const receipt = await ctx.step('transfer', { amount }, () => payFor(amount));
      await ctx.update(turn => turn.emit('requested', null));
      await ctx.waitFor('approve');
      await ctx.update(turn => {
        turn.state.paid += receipt;
      });
      return receipt;
    },
    async payTwice(ctx) {
      await ctx.step('transfer', { amount }, () => payFor(amount), { key: 'only' });
      return ctx.step('transfer', { amount: 2 }, () => payFor(2), { key: 'only' });
    },
    paid: ctx => ctx.state.paid,
  });
}

describe('another input under the same step identity', () => {
  it('after a restart on changed code stops the run, which the old code finishes', async () => {
    using folder = folderOf({});
    const payments: number[] = [];
    const begun = createTroupe({ agents: [orderAgent(10, payments)], data: folder.path });
    await begun.start();
    const requested = Promise.withResolvers<void>();
    begun.agents.get(order, 'one').on('requested', () => requested.resolve());
    const future = begun.agents.get(order, 'one').request('pay');
    await requested.promise;
    await begun.stop();

    const { logger, first } = firstEntryOf('error');
    const changed = createTroupe({
      agents: [orderAgent(20, payments)],
      data: folder.path,
      logger,
    });
    await changed.start();
    expect(await changed.agents.get(order, 'one').execute('paid')).toBe(0);
    const { message, data } = await first;
    expect(message).toBe('a run cannot go on with this code');
    expect(data).toMatchObject({ agent: 'order/one', run: expect.stringContaining('order/one#') });
    const text = (data as { error: string }).error;
    expect(text).toMatch(/^STEP_MISMATCH: run order\/one#.* of order\/one\.pay has recorded/);
    expect(text).toContain('the code now asks for the step "transfer" with another input');
    expect(text).toContain('give it another name or key, or let this run end on the code');
    expect(payments).toEqual([10]);
    const [stuck] = await changed.agents.get(order, 'one').runs.list();
    expect(stuck).toMatchObject({ status: 'waiting', error: { code: 'STEP_MISMATCH' } });
    // A run that this code cannot bring to its end is nothing to wait for.
    await changed.stop({ drain: '1d' });

    const mended = createTroupe({ agents: [orderAgent(10, payments)], data: folder.path });
    await mended.start();
    await mended.agents.get(order, 'one').signal('approve', { by: 'eve' });
    expect(await mended.futures.get(future.id)).toBe(10);
    expect(await mended.agents.get(order, 'one').execute('paid')).toBe(10);
    expect(payments).toEqual([10]);
    await mended.stop();
  });

  it('in one run ends it, and is told at once', async () => {
    using folder = folderOf({});
    const payments: number[] = [];
    await using troupe = createTroupe({ agents: [orderAgent(10, payments)], data: folder.path });
    await troupe.start();
    const one = troupe.agents.get(order, 'one');
    const error = await mistakeIn(() => one.execute('payTwice'));
    expect(error).toMatchObject({ code: 'STEP_MISMATCH', outcome: 'executed' });
    expect(error.detail).toContain('in the place "step transfer "only""');
    expect(payments).toEqual([10]);
    const [run] = await one.runs.list();
    expect(run).toMatchObject({ status: 'failed', error: { code: 'STEP_MISMATCH' } });
  });
});
