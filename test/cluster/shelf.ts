/** An agent for tests of clusters, in a module that `troupe dev` can run. */
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../src/index.ts';

/** Keeps a number and a text. */
export const shelf = defineAgent('shelf', {
  state: z.object({ count: z.number().default(0), text: z.string().default('') }),
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    write: turn({ input: z.string() }),
    look: read({ output: z.object({ count: z.number(), length: z.number() }) }),
  },
});

/** The behaviour of a shelf. */
export const shelfAgent = implement(shelf, {
  add: (ctx, by) => (ctx.state.count += by),
  write(ctx, text) {
    ctx.state.text = text;
  },
  look: ({ state: { count, text } }) => ({ count, length: text.length }),
});

/** What `troupe dev` runs. */
export const agents = [shelfAgent];
