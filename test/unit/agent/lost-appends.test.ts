/** What becomes of turns, callers and messages when an append is refused, lost, or lands late. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, task, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';

const cell = defineAgent('cell', {
  state: z.object({ total: z.number().default(0), seen: z.array(z.number()).default([]) }),
  events: { added: z.number() },
  limits: { idle: '1s', attemptsMax: 4, attemptBackoff: '1s' },
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    check: turn({ output: z.number() }),
    failAbove: turn({ input: z.number(), output: z.number() }),
    post: turn({ input: z.number() }),
    pester: turn(),
    refuse: turn(),
    total: read({ output: z.number() }),
    seen: read({ output: z.array(z.number()) }),
    block: turn(),
    twice: task({ output: z.number() }),
  },
});

const started: string[] = [];
const refusedAt: number[] = [];
let gate = Promise.withResolvers<void>();

const cellAgent = implement(cell, {
  add(ctx, by) {
    ctx.state.total += by;
    ctx.state.seen.push(by);
    ctx.emit('added', by);
    return ctx.state.total;
  },
  check: ctx => ctx.state.total,
  failAbove(ctx, max) {
    if (ctx.state.total > max) throw new Error(`${ctx.state.total} is above ${max}`);
    return ctx.state.total;
  },
  post(ctx, by) {
    ctx.send(cell, 'other', 'add', by);
  },
  pester(ctx) {
    ctx.send(cell, 'other', 'refuse');
  },
  refuse(ctx) {
    refusedAt.push(ctx.now());
    throw new Error('not now');
  },
  total: ctx => ctx.state.total,
  seen: ctx => ctx.state.seen,
  block: () => gate.promise,
  async twice(ctx) {
    const first = await ctx.step('first', null, () => {
      started.push('first');
      return 1;
    });
    const second = await ctx.step('second', null, () => {
      started.push('second');
      return 2;
    });
    return first + second;
  },
});

async function opened() {
  const troupe = await createTestTroupe({ agents: [cellAgent] });
  return { troupe, agent: troupe.agents.get(cell, 'a') };
}

describe('a message that could not be recorded before it is handled', () => {
  it('is answered with what became of it, and not with the failure of the attempt', async () => {
    const { troupe, agent } = await opened();
    gate = Promise.withResolvers<void>();
    await troupe.advanceUntil(agent.execute('add', 1));
    const block = agent.call('block', undefined, { timeout: '1m' }).catch(() => undefined);
    const keyed = agent.tryExecute('add', 5, { idempotencyKey: 'k' });
    troupe.faults.nextAppend('full');
    await troupe.advance('1s');
    gate.resolve();
    await troupe.advanceUntil(block);
    const answer = await troupe.advanceUntil(keyed);
    const total = await troupe.advanceUntil(agent.execute('total'));
    expect([answer.ok ? 'ok' : answer.error.message, total]).toEqual(['ok', 6]);
    await troupe.stop();
  });
});

describe('a message behind one that was given up in the mailbox', () => {
  it('runs at once, as its sender has nothing before it any more', async () => {
    const { troupe, agent } = await opened();
    gate = Promise.withResolvers<void>();
    await troupe.advanceUntil(agent.execute('add', 1));
    const block = agent.call('block', undefined, { timeout: '1m' });
    const first = agent.tryExecute('add', 2, { timeout: '1s' });
    const second = agent.execute('add', 3);
    await troupe.advance('2s');
    const from = troupe.now();
    gate.resolve();
    await troupe.advanceUntil(block);
    expect(await troupe.advanceUntil(second)).toBe(4);
    expect(troupe.now() - from).toBeLessThan(1_000);
    expect(await first).toMatchObject({ ok: false, error: { outcome: 'not-executed' } });
    await troupe.stop();
  });
});

describe('an append that is not accepted', () => {
  it.each([
    'conflict',
    'unavailable',
    'unknown-stored',
    'unknown-not-stored',
    'unknown-late',
  ] as const)(
    'by %s changes nothing twice and loses nothing that was acknowledged',
    async fault => {
      const { troupe, agent } = await opened();
      await troupe.advanceUntil(agent.execute('add', 1));
      troupe.faults.nextAppend(fault);
      const values = await troupe.advanceUntil(
        Promise.all([2, 3, 4].map(by => agent.execute('add', by))),
      );
      expect(values).toEqual([3, 6, 10]);
      expect(await troupe.advanceUntil(agent.execute('seen'))).toEqual([1, 2, 3, 4]);
      troupe.crash();
      await troupe.restart();
      expect(await troupe.advanceUntil(agent.execute('seen'))).toEqual([1, 2, 3, 4]);
      await troupe.stop();
    },
  );

  it('takes back answers of turns that threw, or only looked, on what was undone', async () => {
    const { troupe, agent } = await opened();
    await troupe.advanceUntil(agent.execute('add', 1));
    troupe.faults.nextAppend('full');
    const added = agent.execute('add', 100);
    const checked = agent.tryExecute('check');
    const thrown = agent.tryExecute('failAbove', 50);
    await expect(troupe.advanceUntil(added)).rejects.toMatchObject({
      code: 'DISK_FULL',
      outcome: 'not-executed',
    });
    const results = await troupe.advanceUntil(Promise.all([checked, thrown]));
    for (const result of results) {
      // Either it was repeated on what stands, or it is told that nothing ran.
      if (result.ok) expect(result.value).toBe(1);
      else expect(result.error).toMatchObject({ code: 'DISK_FULL', outcome: 'not-executed' });
    }
    expect(await troupe.advanceUntil(agent.execute('total'))).toBe(1);
    await troupe.stop();
  });

  it('does not call a request undone because asking for its answer failed', async () => {
    const { troupe, agent } = await opened();
    const future = agent.request('add', 1);
    await troupe.advanceUntil(future.recorded());
    troupe.faults.nextAppend('full');
    const added = agent.tryExecute('add', 100);
    for (let tick = 0; tick < 20; tick += 1) await null;
    await expect(troupe.advanceUntil(Promise.resolve(future))).rejects.toMatchObject({
      code: 'DISK_FULL',
      outcome: 'unknown',
    });
    expect(await troupe.advanceUntil(added)).toMatchObject({ ok: false });
    const again = troupe.futures.get(future.id);
    expect(await troupe.advanceUntil(Promise.resolve(again))).toBe(1);
    await troupe.stop();
  });

  it('sends nothing that its record promised', async () => {
    const { troupe, agent } = await opened();
    troupe.faults.nextAppend('full');
    await expect(troupe.advanceUntil(agent.execute('post', 5))).rejects.toMatchObject({
      code: 'DISK_FULL',
    });
    await troupe.advance('1m');
    expect(await troupe.advanceUntil(troupe.agents.get(cell, 'other').execute('total'))).toBe(0);
    await troupe.stop();
  });

  it('leaves what it promised to the next activation, and to that one alone', async () => {
    const { troupe, agent } = await opened();
    refusedAt.length = 0;
    const from = troupe.now();
    await troupe.advanceUntil(agent.execute('pester'));
    await troupe.advance('500ms');
    troupe.faults.nextAppend('full');
    await troupe.advanceUntil(agent.tryExecute('add', 1));
    await troupe.advance('30s');
    // The first attempt of the activation that ended, and then all that the next one makes.
    expect(refusedAt.map(at => Math.round((at - from) / 100) / 10)).toEqual([
      0, 1.5, 2.5, 4.5, 8.5,
    ]);
    await troupe.stop();
  });

  it('shows reads nothing before it is accepted', async () => {
    const { troupe, agent } = await opened();
    await troupe.advanceUntil(agent.execute('add', 1));
    troupe.faults.nextAppend('unknown-not-stored', 3);
    const adding = agent.execute('add', 10);
    await troupe.settled();
    expect(await agent.execute('total')).toBe(1);
    expect(await troupe.advanceUntil(adding)).toBe(11);
    expect(await troupe.advanceUntil(agent.execute('total'))).toBe(11);
    await troupe.stop();
  });

  it('keeps a task from seeing the failure: its next life goes on', async () => {
    const { troupe, agent } = await opened();
    started.length = 0;
    troupe.faults.nextAppend('conflict', 1);
    expect(await troupe.advanceUntil(agent.request('twice'))).toBe(3);
    for (const passage of [1, 2, 3]) {
      const before = started.length;
      troupe.faults.nextAppend('conflict', passage);
      expect(await troupe.advanceUntil(agent.request('twice'))).toBe(3);
      expect(started.length - before).toBeLessThanOrEqual(2 + passage);
    }
    await troupe.stop();
  });
});

describe('events', () => {
  it('carry the version of their own turn, though turns are accepted together', async () => {
    const { troupe, agent } = await opened();
    const versions: number[] = [];
    agent.on('added', (_data, { version }) => versions.push(version));
    await troupe.advanceUntil(Promise.all([1, 2, 3].map(by => agent.execute('add', by))));
    await troupe.settled();
    expect(versions).toEqual([1, 2, 3]);
    await troupe.stop();
  });
});
