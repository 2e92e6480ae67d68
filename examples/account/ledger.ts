/** What a ledger offers: the contract. */
import { z } from 'zod';
import { defineAgent, read, turn } from '../../src/index.ts';

/** The book in which accounts enter what they move. */
export const ledger = defineAgent('ledger', {
  state: z.object({ total: z.number().default(0), entries: z.number().default(0) }),
  actions: {
    entry: turn({ input: z.object({ amount: z.number() }) }),
    total: read({ output: z.number() }),
  },
});
