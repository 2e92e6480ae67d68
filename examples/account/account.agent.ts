/** What an account does: the behaviour of every action of its contract. */
import { implement } from '../../src/index.ts';
import { account } from './account.ts';
import * as bank from './bank.ts';
import { ledger } from './ledger.ts';

/** The behaviour of {@link account}. */
export const accountAgent = implement(account, {
  move(ctx, { amount }) {
    if (ctx.state.balance + amount < 0) {
      ctx.reject('insufficient_funds', { balance: ctx.state.balance });
    }
    ctx.state.balance += amount;
    ctx.emit('moved', { amount });
    ctx.after('24h', 'audit');
    ctx.send(ledger, 'main', 'entry', { amount });
    return ctx.state.balance;
  },

  async audit(ctx) {
    ctx.logger.info('audited', { total: await ctx.get(ledger, 'main').execute('total') });
  },

  balance: ctx => ctx.state.balance,

  async payOut(ctx, { amount }) {
    // Asking twice does no harm, so a check that was cut off is just made again.
    await ctx.step('check', { amount }, ({ idempotencyKey }) => bank.check(amount, idempotencyKey));
    // Money that may have gone out is not sent again before a person has looked.
    const receipt = await ctx.step(
      'transfer',
      { amount },
      ({ idempotencyKey, abortSignal }) => bank.transfer(amount, idempotencyKey, abortSignal),
      { onUnknown: 'ask' },
    );
    ctx.write('transferred');
    const approval = await ctx.waitFor('approve', { timeout: '7d', default: null });
    await ctx.update(turn => {
      turn.state.balance -= amount;
      turn.emit('moved', { amount: -amount });
    });
    // The bank can tell whether a letter that was cut off has been sent.
    await ctx.step(
      'confirm',
      { receipt },
      ({ idempotencyKey }) => bank.confirm(receipt, idempotencyKey),
      {
        onUnknown: async ({ idempotencyKey }) =>
          (await bank.isConfirmed(idempotencyKey)) ? { value: undefined } : 'retry',
      },
    );
    return approval === null ? receipt : `${receipt}, approved by ${approval.by}`;
  },
});
