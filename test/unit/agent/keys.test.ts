/** Messages under an idempotency key: once, whoever repeats them and whatever ends in between. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../../src/index.ts';
import { fingerprint } from '../../../src/state/fingerprint.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';

let gate: Promise<void> = Promise.resolve();
let failuresLeft = 0;

const till = defineAgent('till', {
  state: z.object({ sum: z.number().default(0), turns: z.number().default(0) }),
  limits: { attemptBackoff: '1s', attemptsMax: 3 },
  actions: {
    add: turn({
      input: z.object({ by: z.number(), note: z.string().optional() }),
      output: z.number(),
    }),
    refuse: turn({ input: z.number() }),
    flaky: turn({ input: z.number(), output: z.number() }),
    block: turn(),
    sum: read({ output: z.number() }),
  },
});

const tillAgent = implement(till, {
  add(ctx, { by }) {
    ctx.state.sum += by;
    ctx.state.turns += 1;
    return ctx.state.sum;
  },
  refuse: ctx => ctx.reject('closed'),
  flaky(ctx, by) {
    if (failuresLeft > 0) {
      failuresLeft -= 1;
      throw new Error('not yet');
    }
    ctx.state.sum += by;
    return ctx.state.sum;
  },
  block: () => gate,
  sum: ctx => ctx.state.sum,
});

const opened = () => createTestTroupe({ agents: [tillAgent] });
/** In another lane: numbers of the same lane would be held back behind it. */
const apart = { timeout: '1m', priority: 'high' } as const;
const once = (idempotencyKey: string) => ({ idempotencyKey });

describe('a key', () => {
  it('takes effect once when used concurrently, and answers all alike', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    const calls = Array.from({ length: 8 }, () => agent.execute('add', { by: 5 }, once('k')));
    expect(await troupe.advanceUntil(Promise.all(calls))).toEqual(Array(8).fill(5));
    await troupe.stop();
  });

  it('lets the message behind a repeated key run at once', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    const before = troupe.now();
    const calls = [
      agent.execute('add', { by: 1 }, once('k')),
      agent.execute('add', { by: 1 }, once('k')),
      agent.execute('add', { by: 10 }),
    ];
    expect(await troupe.advanceUntil(Promise.all(calls))).toEqual([1, 1, 11]);
    expect(troupe.now() - before).toBeLessThan(1_000);
    await troupe.stop();
  });

  it('does not mind the order of the fields of the input', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    await troupe.advanceUntil(agent.execute('add', { by: 1, note: 'x' }, once('k')));
    expect(await troupe.advanceUntil(agent.execute('add', { note: 'x', by: 1 }, once('k')))).toBe(
      1,
    );
    expect(fingerprint([{ a: 1, b: [{ c: 2, d: 3 }] }])).toBe(
      fingerprint([{ b: [{ d: 3, c: 2 }], a: 1 }]),
    );
    expect(fingerprint({ a: 1 })).not.toBe(fingerprint({ a: 2 }));
    await troupe.stop();
  });

  it('is refused with another input or action, also after a restart', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    await troupe.advanceUntil(agent.execute('add', { by: 1 }, once('k')));
    troupe.crash();
    await troupe.restart();
    const invalid = { code: 'INVALID_INPUT', outcome: 'not-executed' };
    await expect(
      troupe.advanceUntil(agent.execute('add', { by: 2 }, once('k'))),
    ).rejects.toMatchObject(invalid);
    await expect(troupe.advanceUntil(agent.execute('flaky', 1, once('k')))).rejects.toMatchObject(
      invalid,
    );
    expect(await troupe.advanceUntil(agent.execute('add', { by: 1 }, once('k')))).toBe(1);
    await troupe.stop();
  });

  it('keeps a rejection as the answer', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    const rejected = { code: 'REJECTED', data: { code: 'closed' } };
    await expect(troupe.advanceUntil(agent.execute('refuse', 1, once('k')))).rejects.toMatchObject(
      rejected,
    );
    troupe.crash();
    await troupe.restart();
    await expect(troupe.advanceUntil(agent.execute('refuse', 1, once('k')))).rejects.toMatchObject(
      rejected,
    );
    await troupe.stop();
  });

  it('repeats a throw with pauses, and gives the final error without one', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    failuresLeft = 2;
    const before = troupe.now();
    expect(await troupe.advanceUntil(agent.execute('flaky', 7, once('k')))).toBe(7);
    expect(troupe.now() - before).toBeGreaterThanOrEqual(3_000);
    failuresLeft = 3;
    const failed = { code: 'HANDLER_FAILED', outcome: 'rolled-back' };
    await expect(troupe.advanceUntil(agent.execute('flaky', 7, once('bad')))).rejects.toMatchObject(
      failed,
    );
    const again = troupe.now();
    await expect(troupe.advanceUntil(agent.execute('flaky', 7, once('bad')))).rejects.toMatchObject(
      failed,
    );
    expect(troupe.now() - again).toBeLessThan(500);
    expect((await troupe.deadLetters.list()).items).toHaveLength(1);
    await troupe.stop();
  });

  it('is forgotten after the result window', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    await troupe.advanceUntil(agent.execute('add', { by: 1 }, once('k')));
    await troupe.advance('8d');
    expect(await troupe.advanceUntil(agent.execute('add', { by: 2 }, once('k')))).toBe(3);
    await troupe.stop();
  });
});

describe('a keyed message that waits in the inbox', () => {
  it('runs once, though its activation ends and another one takes it up', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    const block = Promise.withResolvers<void>();
    gate = block.promise;
    const blocked = agent.execute('block', undefined, apart);
    const keyed = agent.execute('add', { by: 5 }, { idempotencyKey: 'k', timeout: '1m' });
    const asked = agent.request('add', { by: 7 });
    await troupe.advance(500);
    const contents = (await troupe.records('till/a')).flatMap(record => record.contents);
    expect(contents.filter(op => op === 'inbox')).toHaveLength(2);
    troupe.faults.nextAppend('conflict', 1);
    block.resolve();
    expect(await troupe.advanceUntil(keyed)).toBe(5);
    await troupe.advanceUntil(Promise.all([asked, blocked]));
    expect(await troupe.advanceUntil(agent.execute('sum'))).toBe(12);
    await troupe.stop();
  });

  it('is run after a restart, in order, and answers whoever asks by its key', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    gate = new Promise(() => undefined);
    agent.execute('block', undefined, apart).catch(() => undefined);
    const asked = [1, 2, 3].map(by => agent.request('add', { by }));
    await troupe.advance(500);
    troupe.crash();
    await troupe.restart();
    const ids = asked.map(({ id }) => id);
    const values = ids.map(id => troupe.futures.get(id));
    expect(await troupe.advanceUntil(Promise.all(values))).toEqual([1, 3, 6]);
    await troupe.stop();
  });

  it('does not run once it was cancelled, and a keyed caller is told', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    const block = Promise.withResolvers<void>();
    gate = block.promise;
    const blocked = agent.execute('block', undefined, apart);
    const asked = agent.request('add', { by: 5 });
    await troupe.advance(500);
    const cancelled = asked.cancel('no longer wanted');
    block.resolve();
    await troupe.advanceUntil(Promise.all([blocked, cancelled]));
    await expect(troupe.advanceUntil(asked)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await troupe.advanceUntil(agent.execute('sum'))).toBe(0);
    await troupe.stop();
  });

  it('is repeated where it lies when its turn throws', async () => {
    const troupe = await opened();
    const agent = troupe.agents.get(till, 'a');
    const block = Promise.withResolvers<void>();
    gate = block.promise;
    const blocked = agent.execute('block', undefined, apart);
    const keyed = agent.execute('flaky', 9, { idempotencyKey: 'k', timeout: '1m' });
    await troupe.advance(500);
    failuresLeft = 1;
    block.resolve();
    expect(await troupe.advanceUntil(keyed)).toBe(9);
    await troupe.advanceUntil(blocked);
    await troupe.stop();
  });
});
