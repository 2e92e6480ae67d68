/** The agents that the type tests use: one of each level, with states of many kinds of values. */
import { z } from 'zod';
import { accountAgent } from '../../examples/account/account.agent.ts';
import { ledgerAgent } from '../../examples/account/ledger.agent.ts';
import { type CreateTroupe, defineAgent, implement, read, task, turn } from '../../src/index.ts';

/** An agent in memory only. */
export const counter = defineAgent('counter', {
  consistency: 'none',
  state: z.object({ count: z.number().default(0) }),
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    touch: turn(),
    count: read({ output: z.number() }),
  },
});

/** The behaviour of {@link counter}. */
export const counterAgent = implement(counter, {
  add: (ctx, amount) => {
    ctx.state.count += amount;
    return ctx.state.count;
  },
  touch: ctx => ctx.send(counter, 'other', 'add', 1, { delivery: 'at_least_once' }),
  count: ctx => ctx.state.count,
});

/** An agent whose state holds dates, maps, sets, arrays and bytes. */
export const shelf = defineAgent('shelf', {
  state: z.object({
    since: z.date(),
    prices: z.map(z.string(), z.object({ cents: z.number() })),
    tags: z.set(z.string()),
    items: z.array(z.object({ name: z.string() })),
    cover: z.instanceof(Uint8Array<ArrayBuffer>).optional(),
    extra: z.unknown(),
  }),
  initial: () => ({
    since: new Date(0),
    prices: new Map(),
    tags: new Set<string>(),
    items: [],
    extra: null,
  }),
  stateVersion: 2,
  limits: { idle: '1h', mailboxLengthMax: 10 },
  actions: {
    look: read({ output: z.array(z.object({ name: z.string() })) }),
    rename: turn({ input: z.string().optional() }),
    sort: task({ output: z.date() }),
  },
});

/** What `createTroupe` gives for these agents; the shelf is a contract only. */
export const troupe = (undefined as unknown as CreateTroupe)({
  agents: [accountAgent, counterAgent, ledgerAgent, shelf],
});
