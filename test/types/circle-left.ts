/** One half of two agents that refer to each other: contract and behaviour in one file each. */
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../src/index.ts';
import { right } from './circle-right.ts';

/** Talks to {@link right}, which talks back. */
export const left = defineAgent('left', {
  state: z.object({ seen: z.number().default(0) }),
  actions: {
    touch: turn({ input: z.object({ by: z.string() }) }),
    seen: read({ output: z.number() }),
  },
});

/** The behaviour of {@link left}. */
export const leftAgent = implement(left, {
  async touch(ctx, { by }) {
    ctx.state.seen += await ctx.get(right, by).execute('depth');
    ctx.send(right, by, 'answer', { depth: ctx.state.seen });
  },
  seen: ctx => ctx.state.seen,
});
