/** What a ledger does. */
import { implement } from '../../src/index.ts';
import { ledger } from './ledger.ts';

/** The behaviour of {@link ledger}. */
export const ledgerAgent = implement(ledger, {
  entry(ctx, { amount }) {
    ctx.state.total += amount;
    ctx.state.entries += 1;
  },
  total: ctx => ctx.state.total,
});
