/** What an account offers: the contract. It starts nothing and imports no behaviour. */
import { z } from 'zod';
import { defineAgent, read, task, turn } from '../../src/index.ts';

/** An account with a balance that never goes below zero. */
export const account = defineAgent('account', {
  state: z.object({ balance: z.number().default(0) }),
  consistency: 'strong',
  events: { moved: z.object({ amount: z.number() }) },
  signals: { approve: z.object({ by: z.string() }) },
  actions: {
    move: turn({ input: z.object({ amount: z.number().int() }), output: z.number() }),
    audit: turn(),
    balance: read({ output: z.number() }),
    payOut: task({
      input: z.object({ amount: z.number() }),
      output: z.string(),
      stream: z.string(),
      timeout: '14d',
    }),
  },
});
