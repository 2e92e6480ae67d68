/** The other half of two agents that refer to each other. */
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../src/index.ts';
import { left } from './circle-left.ts';

/** Talks to {@link left}, which talks back. */
export const right = defineAgent('right', {
  state: z.object({ depth: z.number().default(0) }),
  actions: {
    answer: turn({ input: z.object({ depth: z.number() }) }),
    depth: read({ output: z.number() }),
  },
});

/** The behaviour of {@link right}. */
export const rightAgent = implement(right, {
  async answer(ctx, { depth }) {
    ctx.state.depth = Math.max(depth, await ctx.get(left, ctx.key).execute('seen'));
    ctx.send(left, ctx.key, 'touch', { by: ctx.key });
  },
  depth: ctx => ctx.state.depth,
});
