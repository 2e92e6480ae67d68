/**
 * The agents of a store whose bits are flipped: accounts with a trimmed history, archives that keep
 * all of theirs, and orders with tasks. Their promises to `elsewhere` stay in the outbox, because
 * no node of the test has its behaviour.
 */
import { z } from 'zod';
import { defineAgent, implement, read, task, turn } from '../../src/index.ts';

const elsewhere = defineAgent('elsewhere', {
  state: z.object({}),
  actions: { note: turn({ input: z.number() }) },
});

/** An account: its history is cut every few turns. */
export const account = defineAgent('account', {
  state: z.object({
    balance: z.number().default(0),
    count: z.number().default(0),
    notes: z.array(z.string()).default([]),
  }),
  limits: { snapshotEvery: 40, historyVersions: 20 },
  events: { moved: z.object({ amount: z.number() }) },
  actions: {
    move: turn({ input: z.object({ amount: z.number(), note: z.string() }), output: z.number() }),
    promise: turn({ input: z.number() }),
    remind: turn({ input: z.number() }),
    entry: turn({ input: z.number() }),
    sums: read({ output: z.object({ balance: z.number(), count: z.number() }) }),
  },
});

/** An archive: it forgets nothing. */
export const archive = defineAgent('archive', {
  state: z.object({
    pages: z.record(z.string(), z.string()).default({}),
    count: z.number().default(0),
  }),
  limits: { snapshotEvery: 60, historyVersions: 1_000_000 },
  actions: {
    keep: turn({ input: z.object({ page: z.string(), text: z.string() }), output: z.number() }),
    sums: read({ output: z.object({ balance: z.number(), count: z.number() }) }),
  },
});

/** An order: its task ends, or waits for a signal that never comes. */
export const order = defineAgent('order', {
  state: z.object({ paid: z.number().default(0) }),
  signals: { approve: z.object({ by: z.string() }) },
  actions: {
    pay: task({
      input: z.object({ amount: z.number(), waits: z.boolean() }),
      output: z.string(),
      timeout: '365d',
    }),
  },
});

/** What a node on such a store is given. */
export const flipAgents = [
  elsewhere,
  implement(account, {
    move(ctx, { amount, note }) {
      ctx.state.balance += amount;
      ctx.state.count += 1;
      ctx.state.notes = [...ctx.state.notes.slice(-4), note];
      ctx.emit('moved', { amount });
      if (ctx.state.count % 97 === 0) ctx.send(account, 'ledger', 'entry', amount);
      return ctx.state.balance;
    },
    promise(ctx, number) {
      ctx.send(elsewhere, ctx.key, 'note', number);
    },
    remind(ctx, days) {
      ctx.after(`${days}d`, 'remind', days);
    },
    entry(ctx, amount) {
      ctx.state.balance += amount;
    },
    sums: ({ state }) => ({ balance: state.balance, count: state.count }),
  }),
  implement(archive, {
    keep(ctx, { page, text }) {
      ctx.state.pages[page] = text;
      ctx.state.count += 1;
      return ctx.state.count;
    },
    sums: ({ state }) => ({ balance: Object.keys(state.pages).length, count: state.count }),
  }),
  implement(order, {
    async pay(ctx, { amount, waits }) {
      const receipt = await ctx.step('transfer', { amount }, () => `receipt ${amount}`);
      if (waits) await ctx.waitFor('approve');
      await ctx.update(turnContext => {
        turnContext.state.paid += amount;
      });
      return receipt;
    },
  }),
] as const;
