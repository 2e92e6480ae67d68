/** The agents that benchmarks call: an account with 300 B of state, and a shelf with 4 KB. */
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../src/index.ts';

const movement = z.object({ amount: z.number() });
const note = 'A note of the kind that agents keep: words of a customer, or of a model. '.repeat(4);
const accountState = z.object({
  balance: z.number().default(0),
  note: z.string().default(note.slice(0, 270)),
});

/** An account in memory only. */
export const fleeting = defineAgent('fleeting', {
  consistency: 'none',
  state: accountState,
  actions: {
    move: turn({ input: movement, output: z.number() }),
    balance: read({ output: z.number() }),
  },
});

/** What {@link fleeting} does. */
export const fleetingAgent = implement(fleeting, {
  move(ctx, { amount }) {
    ctx.state.balance += amount;
    return ctx.state.balance;
  },
  balance: ctx => ctx.state.balance,
});

/** An account whose every turn is on disk before it answers. */
export const account = defineAgent('account', {
  state: accountState,
  actions: {
    move: turn({ input: movement, output: z.number() }),
    balance: read({ output: z.number() }),
  },
});

/** What {@link account} does. */
export const accountAgent = implement(account, {
  move(ctx, { amount }) {
    ctx.state.balance += amount;
    return ctx.state.balance;
  },
  balance: ctx => ctx.state.balance,
});

/** 100 items of about 40 B as JSON each: 4 KB, of which one turn changes one item. */
export const itemCount = 100;

const shelfState = z.object({
  items: z.array(z.object({ id: z.number(), name: z.string(), amount: z.number() })).default(() =>
    Array.from({ length: itemCount }, (_, id) => ({
      id,
      name: `item ${id} of 100`,
      amount: 100,
    })),
  ),
});

/** An agent with 4 KB of state. */
export const shelf = defineAgent('shelf', {
  state: shelfState,
  actions: {
    put: turn({ input: z.object({ id: z.number(), amount: z.number() }), output: z.number() }),
  },
});

/** What {@link shelf} does. */
export const shelfAgent = implement(shelf, {
  put(ctx, { id, amount }) {
    const item = ctx.state.items[id];
    if (item === undefined) return ctx.reject('no_such_item', { id });
    item.amount += amount;
    return item.amount;
  },
});
