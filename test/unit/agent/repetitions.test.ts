/** What becomes of a message that comes again while the turn of its first copy still waits. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';

const cell = defineAgent('cell', {
  state: z.object({ total: z.number().default(0), posted: z.number().default(0) }),
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    post: turn({ input: z.number() }),
    total: read({ output: z.number() }),
  },
});

let gate = Promise.withResolvers<void>();

const cellAgent = implement(cell, {
  async add(ctx, by) {
    await gate.promise;
    ctx.state.total += by;
    return ctx.state.total;
  },
  post(ctx, by) {
    ctx.state.posted += 1;
    ctx.send(cell, 'receiver', 'add', by);
  },
  total: ctx => ctx.state.total,
});

async function opened() {
  gate = Promise.withResolvers<void>();
  const troupe = await createTestTroupe({ agents: [cellAgent] });
  const receiver = troupe.agents.get(cell, 'receiver');
  return { troupe, receiver };
}

describe('a message that comes again while it is handled', () => {
  it('takes effect once when its key is the same', async () => {
    const { troupe, receiver } = await opened();
    const ask = () => receiver.execute('add', 1, { idempotencyKey: 'one' });
    const answers = Promise.all([ask(), ask()]);
    // Long enough for what waits to be recorded.
    await troupe.advance('1s');
    gate.resolve();
    expect(await troupe.advanceUntil(answers)).toEqual([1, 1]);
    await troupe.advance('10s');
    expect(await troupe.advanceUntil(receiver.execute('total'))).toBe(1);
    await troupe.stop();
  });

  it('takes effect once when its sender has lost what it knew of it', async () => {
    const { troupe, receiver } = await opened();
    const sender = troupe.agents.get(cell, 'sender');
    await troupe.advanceUntil(sender.execute('post', 1));
    troupe.faults.nextAppend('full');
    // The activation ends with this append, and the next one sends again what was promised.
    await troupe.advanceUntil(sender.tryExecute('post', 10));
    await troupe.advanceUntil(sender.execute('total'));
    await troupe.advance('1s');
    gate.resolve();
    await troupe.advance('60s');
    expect(await troupe.advanceUntil(receiver.execute('total'))).toBe(1);
    await troupe.stop();
  });
});

describe('a message that is recorded as waiting when its activation ends', () => {
  it('is not denied at its deadline: the next activation handles it', async () => {
    const { troupe, receiver } = await opened();
    const first = receiver.call('add', 100, { timeout: '1m' }).catch(() => undefined);
    const keyed = receiver.tryExecute('add', 1, { idempotencyKey: 'one', timeout: '3s' });
    await troupe.advance('1s');
    troupe.faults.nextAppend('full');
    // To record this one ends the activation.
    const other = receiver.tryExecute('add', 10, { idempotencyKey: 'other' });
    const end = await troupe.advanceUntil(keyed);
    expect(end).toMatchObject({ ok: false, error: { outcome: 'unknown' } });
    gate.resolve();
    await troupe.advanceUntil(Promise.all([first, other]));
    expect(await troupe.advanceUntil(receiver.execute('total'))).toBe(11);
    await troupe.stop();
  });
});
