/** The agent that the tests of mistakes use, with the mistakes that its code can make. */
import { z } from 'zod';
import { defineAgent, implement, read, task, turn } from '../../src/index.ts';

/** The account. */
export const account = defineAgent('account', {
  state: z.object({ balance: z.number().default(0), notes: z.array(z.string()).default([]) }),
  events: { moved: z.object({ amount: z.number() }) },
  signals: { approve: z.object({ by: z.string() }) },
  limits: { mailboxLengthMax: 4, payloadBytesMax: 10_000, stateBytesMax: 50_000 },
  actions: {
    move: turn({ input: z.object({ amount: z.number().int() }), output: z.number() }),
    balance: read({ output: z.number() }),
    keep: turn({ input: z.unknown() }),
    answerText: turn({ output: z.number() }),
    emitText: turn(),
    putText: turn(),
    putFunction: turn(),
    returnFunction: turn({ output: z.unknown() }),
    grow: turn({ input: z.number() }),
    awaitTurn: turn(),
    hold: turn(),
    changeInRead: read(),
    changeInTask: task(),
    wait: task({ output: z.string() }),
    stepOnFunction: task(),
    largeStep: task(),
    sameStepTwice: task(),
  },
});

/** What the turn `hold` of the account waits for. */
export interface Gate {
  /** Resolves when the turn has begun. */
  readonly entered: Promise<void>;
  /** Lets it end. */
  open(): void;
  /** What the turn calls. */
  pass(): Promise<void>;
}

/** A gate that is shut. */
export function shutGate(): Gate {
  const entered = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    entered: entered.promise,
    open: opened.resolve,
    pass: () => {
      entered.resolve();
      return opened.promise;
    },
  };
}

/** The behaviour of {@link account}; what is cast here would not compile otherwise. */
export function accountAgent(gate: Gate) {
  return implement(account, {
    move(ctx, { amount }) {
      ctx.state.balance += amount;
      ctx.emit('moved', { amount });
      return ctx.state.balance;
    },
    balance: ctx => ctx.state.balance,
    keep() {},
    answerText(ctx) {
      ctx.state.balance = 99;
      return 'much' as never;
    },
    emitText(ctx) {
      ctx.state.balance = 99;
      ctx.emit('moved', { amount: 'much' as never });
    },
    putText(ctx) {
      ctx.state.balance = 'much' as never;
    },
    putFunction(ctx) {
      ctx.state.notes = [{ toText: () => '' }] as never;
    },
    returnFunction(ctx) {
      ctx.state.balance = 99;
      return { rows: [{ toText: () => '' }] };
    },
    grow(ctx, length) {
      ctx.state.notes.push('x'.repeat(length));
    },
    async awaitTurn(ctx) {
      ctx.state.balance = 99;
      // Its type has reads only.
      await (ctx.get(account, 'bob').execute as (action: string, input: unknown) => unknown)(
        'move',
        { amount: 1 },
      );
    },
    hold: () => gate.pass(),
    changeInRead(ctx) {
      (ctx.state as { balance: number }).balance = 99;
    },
    async changeInTask(ctx) {
      (ctx.state as { balance: number }).balance = 99;
    },
    async wait(ctx) {
      const { by } = await ctx.waitFor('approve');
      return by;
    },
    async stepOnFunction(ctx) {
      await ctx.step('print', { rows: [() => 1] }, () => 1);
    },
    async largeStep(ctx) {
      await ctx.step('fetch', 'page', () => 'x'.repeat(60_000));
    },
    async sameStepTwice(ctx) {
      await Promise.all([ctx.step('pay', 1, async () => 1), ctx.step('pay', 2, async () => 2)]);
    },
  });
}
