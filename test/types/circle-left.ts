/** One of two agents that refer to each other: its contract, which refers to nothing. */
import { z } from 'zod';
import { defineAgent, read, turn } from '../../src/index.ts';

/** Talks to `right`, which talks back. */
export const left = defineAgent('left', {
  state: z.object({ seen: z.number().default(0) }),
  actions: {
    touch: turn({ input: z.object({ by: z.string() }) }),
    seen: read({ output: z.number() }),
  },
});
