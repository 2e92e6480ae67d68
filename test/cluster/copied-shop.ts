/**
 * Agents that have something of all that a copy has to keep: state, deduplication, a timer, a task
 * that waits behind a finished step, a dead letter.
 */
import { z } from 'zod';
import { defineAgent, implement, read, task, turn } from '../../src/index.ts';

/** What steps have done in this process: each name once for each time that it ran. */
export const effects: string[] = [];

const view = z.object({ count: z.number(), rung: z.number() });

const shop = defineAgent('shop', {
  state: z.object({ count: z.number().default(0), rung: z.number().default(0) }),
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    remind: turn({ input: z.string() }),
    ring: turn({}),
    lose: turn({ input: z.string() }),
    look: read({ output: view }),
    work: task({ input: z.string(), output: z.number() }),
  },
  signals: { go: z.object({}) },
  limits: { snapshotEvery: 7, historyVersions: 10 },
});

const sink = defineAgent('sink', {
  state: z.object({}),
  actions: { refuse: turn({ input: z.string() }) },
  limits: { attemptsMax: 1 },
});

const shopAgent = implement(shop, {
  add: (ctx, by) => (ctx.state.count += by),
  remind(ctx, after) {
    ctx.after(after as '1s', 'ring');
  },
  ring(ctx) {
    ctx.state.rung += 1;
  },
  lose(ctx, word) {
    ctx.send(sink, 'one', 'refuse', word);
  },
  look: ctx => ({ ...ctx.state }),
  async work(ctx, name) {
    await ctx.step('before', { name }, () => void effects.push(`before ${name}`));
    await ctx.waitFor('go', { timeout: '7d', default: null });
    await ctx.step('behind', { name }, () => void effects.push(`behind ${name}`));
    return ctx.update(inner => inner.state.count);
  },
});

const sinkAgent = implement(sink, {
  refuse(_ctx, word) {
    throw new Error(`${word} is not wanted`);
  },
});

/** The agents. */
export const shopAgents = [shopAgent, sinkAgent] as const;
