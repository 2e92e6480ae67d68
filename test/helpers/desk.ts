/** Agents for tests of the admin API and the command line, as a module for `troupe dev`. */
import { appendFileSync } from 'node:fs';
import { z } from 'zod';
import { defineAgent, implement, read, task, turn } from '../../src/index.ts';

/** A desk counts, keeps anything, fails when asked to, and has tasks that wait. */
export const desk = defineAgent('desk', {
  state: z.object({ count: z.number().default(0), kept: z.any().optional() }),
  events: { counted: z.object({ by: z.number() }) },
  signals: { go: z.object({ word: z.string() }) },
  limits: { attemptsMax: 1 },
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    keep: turn({ input: z.any(), output: z.any() }),
    refuse: turn(),
    fail: turn(),
    count: read({ output: z.number() }),
    wait: task({ output: z.string() }),
    ring: task({ input: z.string(), output: z.string() }),
  },
});

/** The behaviour of a desk. */
export const deskAgent = implement(desk, {
  add(ctx, by) {
    ctx.state.count += by;
    ctx.emit('counted', { by });
    return ctx.state.count;
  },
  keep(ctx, value) {
    ctx.state.kept = value;
    return value;
  },
  refuse: ctx => ctx.reject('closed', { until: new Date(0) }),
  fail() {
    throw new Error('the desk is on fire');
  },
  count: ctx => ctx.state.count,
  async wait(ctx) {
    const { word } = await ctx.waitFor('go');
    return word;
  },
  // The step says in a file that it began, and then takes for ever: a kill cuts it off.
  ring: (ctx, file) =>
    ctx.step(
      'bell',
      { file },
      ({ abortSignal }) => {
        appendFileSync(file, 'ring\n');
        return new Promise<string>((_resolve, reject) => {
          abortSignal.addEventListener('abort', () => reject(abortSignal.reason));
        });
      },
      { onUnknown: 'ask' },
    ),
});

/** What `troupe dev` looks for. */
export const agents = [deskAgent];
