/** Every limit that an agent can run into, with the code that its row in the table names. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { TypeLimitOptions } from '../../../src/agent/limit-options.ts';
import { defineAgent, implement, read, task, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';

const big = 'x'.repeat(2_000);

/** What the turn `block` waits for. */
let opening: Promise<void> = Promise.resolve();

function hoarder(limits: TypeLimitOptions) {
  const contract = defineAgent('hoarder', {
    state: z.object({ kept: z.array(z.string()).default([]) }),
    events: { said: z.string() },
    signals: { go: z.string() },
    limits: { attemptBackoff: 10, ...limits },
    actions: {
      keep: turn({ input: z.string() }),
      say: turn({ input: z.number() }),
      give: turn({ input: z.number(), output: z.string() }),
      look: read({ input: z.number(), output: z.string() }),
      remind: turn({ input: z.number() }),
      post: turn({ input: z.number() }),
      fail: turn(),
      block: turn(),
      listen: task(),
      steps: task({ input: z.number(), output: z.number() }),
      bigStep: task({ output: z.string() }),
      chunks: task({ input: z.number(), stream: z.string() }),
    },
  });
  return implement(contract, {
    keep(ctx, text) {
      ctx.state.kept.push(text);
    },
    say: (ctx, length) => ctx.emit('said', 'x'.repeat(length)),
    give: (_ctx, length) => 'x'.repeat(length),
    look: (_ctx, length) => 'x'.repeat(length),
    remind(ctx, count) {
      for (let index = 0; index < count; index += 1)
        ctx.after('1d', 'fail', undefined, { id: `t${index}` });
    },
    post(ctx, count) {
      for (let index = 0; index < count; index += 1) ctx.send(absent, 'nobody', 'take');
    },
    fail() {
      throw new Error('no');
    },
    block: () => opening,
    listen: async ctx => {
      await ctx.waitFor('go');
    },
    async steps(ctx, count) {
      for (let index = 0; index < count; index += 1) await ctx.step('one', index, () => index);
      return count;
    },
    bigStep: ctx => ctx.step('big', null, () => big),
    chunks(ctx, length) {
      ctx.write('x'.repeat(length));
    },
  });
}

/** Known by its contract only, so that what is sent to it stays promised. */
const absent = defineAgent('absent', { state: z.object({}), actions: { take: turn() } });

async function opened(limits: TypeLimitOptions) {
  const agent = hoarder(limits);
  const troupe = await createTestTroupe({ agents: [agent, absent] });
  return { troupe, hoarder: troupe.agents.get(agent.contract, 'a') };
}

describe('payloadBytesMax', () => {
  const tooLarge = { code: 'PAYLOAD_TOO_LARGE' };

  it('refuses inputs, outputs, events, signals, chunks and outcomes of steps', async () => {
    const { troupe, hoarder } = await opened({ payloadBytesMax: 1_000 });
    const settles = (promise: PromiseLike<unknown>) => troupe.advanceUntil(promise);
    await expect(hoarder.execute('keep', big)).rejects.toMatchObject({
      ...tooLarge,
      outcome: 'not-executed',
    });
    await expect(settles(hoarder.execute('give', 2_000))).rejects.toMatchObject(tooLarge);
    await expect(settles(hoarder.execute('look', 2_000))).rejects.toMatchObject(tooLarge);
    await expect(settles(hoarder.execute('say', 2_000))).rejects.toMatchObject({
      ...tooLarge,
      outcome: 'rolled-back',
    });
    await expect(hoarder.signal('go', big)).rejects.toMatchObject(tooLarge);
    await expect(settles(hoarder.execute('chunks', 2_000))).rejects.toMatchObject(tooLarge);
    await expect(settles(hoarder.execute('bigStep'))).rejects.toMatchObject(tooLarge);
    expect(await settles(hoarder.execute('give', 900))).toHaveLength(900);
    await troupe.stop();
  });
});

describe('stateBytesMax', () => {
  it('refuses the turn that would make the agent too large, not smaller ones', async () => {
    const { troupe, hoarder } = await opened({ stateBytesMax: 20_000, snapshotEvery: 5 });
    const keep = () => troupe.advanceUntil(hoarder.execute('keep', big));
    for (let count = 0; count < 8; count += 1) await keep();
    let refused: unknown;
    for (let count = 0; count < 3 && refused === undefined; count += 1) {
      refused = await keep().catch((error: unknown) => error);
    }
    expect(refused).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', outcome: 'rolled-back' });
    await troupe.advanceUntil(hoarder.execute('keep', 'small'));
    await troupe.stop();
  });
});

describe('bounds on what an agent promises and keeps', () => {
  it('refuses more timers than timersMax, and counts replaced ones once', async () => {
    const { troupe, hoarder } = await opened({ timersMax: 3 });
    await expect(troupe.advanceUntil(hoarder.execute('remind', 4))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      outcome: 'rolled-back',
    });
    await troupe.advanceUntil(hoarder.execute('remind', 3));
    await troupe.advanceUntil(hoarder.execute('remind', 3));
    await troupe.stop();
  });

  it('refuses more promised messages than outboxLengthMax', async () => {
    const { troupe, hoarder } = await opened({ outboxLengthMax: 3 });
    await troupe.advanceUntil(hoarder.execute('post', 2));
    await expect(troupe.advanceUntil(hoarder.execute('post', 2))).rejects.toMatchObject({
      code: 'OVERLOADED',
      outcome: 'rolled-back',
    });
    await troupe.advanceUntil(hoarder.execute('post', 1));
    await troupe.stop();
  });

  it('refuses more signals than signalsMax', async () => {
    const { troupe, hoarder } = await opened({ signalsMax: 2 });
    await troupe.advanceUntil(hoarder.signal('go', '1'));
    await troupe.advanceUntil(hoarder.signal('go', '2'));
    await expect(troupe.advanceUntil(hoarder.signal('go', '3'))).rejects.toMatchObject({
      code: 'OVERLOADED',
      outcome: 'not-executed',
    });
    await troupe.stop();
  });

  it('refuses more open runs than runsMax, and counts ended ones no more', async () => {
    const { troupe, hoarder } = await opened({ runsMax: 2 });
    await troupe.advanceUntil(hoarder.request('listen').recorded());
    await troupe.advanceUntil(hoarder.request('listen').recorded());
    await expect(troupe.advanceUntil(hoarder.execute('listen'))).rejects.toMatchObject({
      code: 'OVERLOADED',
    });
    await troupe.advanceUntil(hoarder.signal('go', 'first'));
    await troupe.settled();
    await troupe.advanceUntil(hoarder.request('listen').recorded());
    await troupe.stop();
  });

  it('ends a run that records more effects than effectsMax', async () => {
    const { troupe, hoarder } = await opened({ effectsMax: 4 });
    expect(await troupe.advanceUntil(hoarder.execute('steps', 4))).toBe(4);
    await expect(troupe.advanceUntil(hoarder.execute('steps', 5))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
    await troupe.stop();
  });

  it('drops the oldest dead letter above deadLettersMax, and logs it', async () => {
    const { troupe, hoarder } = await opened({ deadLettersMax: 2, attemptsMax: 1 });
    for (let count = 0; count < 3; count += 1) {
      await troupe.advanceUntil(hoarder.send('fail')).catch(() => undefined);
    }
    const { items } = await troupe.advanceUntil(troupe.deadLetters.list());
    expect(items).toHaveLength(2);
    expect(troupe.logged.some(({ message }) => message.includes('deadLettersMax'))).toBe(true);
    await troupe.stop();
  });

  it('refuses keys of more than idempotencyKeyBytesMax bytes', async () => {
    const { troupe, hoarder } = await opened({});
    const idempotencyKey = 'k'.repeat(513);
    await expect(hoarder.execute('keep', 'ok', { idempotencyKey })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await troupe.stop();
  });

  it('leaves messages with their senders while inboxLengthMax are recorded', async () => {
    const { troupe, hoarder } = await opened({ inboxLengthMax: 1 });
    const gate = Promise.withResolvers<void>();
    opening = gate.promise;
    const blocked = hoarder.execute('block', undefined, { timeout: '1m', priority: 'high' });
    const requests = ['a', 'b', 'c'].map(text => hoarder.request('keep', text));
    await troupe.advance(1_000);
    const recorded = await troupe.records('hoarder/a');
    expect(recorded.flatMap(({ contents }) => contents)).toEqual(['consume', 'key', 'inbox']);
    gate.resolve();
    await troupe.advanceUntil(Promise.all([blocked, ...requests]));
    await troupe.stop();
  });
});
