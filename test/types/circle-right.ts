/** The other of two agents that refer to each other: its contract. */
import { z } from 'zod';
import { defineAgent, read, turn } from '../../src/index.ts';

/** Talks to `left`, which talks back. */
export const right = defineAgent('right', {
  state: z.object({ depth: z.number().default(0) }),
  actions: {
    answer: turn({ input: z.object({ depth: z.number() }) }),
    depth: read({ output: z.number() }),
  },
});
