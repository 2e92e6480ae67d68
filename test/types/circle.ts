/** The behaviour of two agents that refer to each other: a circle, but not among imports. */
import { implement } from '../../src/index.ts';
import { left } from './circle-left.ts';
import { right } from './circle-right.ts';

/** The behaviour of {@link left}. */
export const leftAgent = implement(left, {
  async touch(ctx, { by }) {
    ctx.state.seen += await ctx.get(right, by).execute('depth');
    ctx.send(right, by, 'answer', { depth: ctx.state.seen });
  },
  seen: ctx => ctx.state.seen,
});

/** The behaviour of {@link right}. */
export const rightAgent = implement(right, {
  async answer(ctx, { depth }) {
    ctx.state.depth = Math.max(depth, await ctx.get(left, ctx.key).execute('seen'));
    ctx.send(left, ctx.key, 'touch', { by: ctx.key });
  },
  depth: ctx => ctx.state.depth,
});
