/** First in, first out for each sender, whatever fails in the middle; and what is given up. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';

let failing: ReadonlySet<number> = new Set();

const sink = defineAgent('sink', {
  state: z.object({ seen: z.array(z.number()).default([]) }),
  limits: { attemptsMax: 3, attemptBackoff: '1s' },
  actions: {
    take: turn({ input: z.number() }),
    seen: read({ output: z.array(z.number()) }),
    relay: turn({ input: z.array(z.number()) }),
    relayFor: turn({ input: z.object({ number: z.number(), timeout: z.string() }) }),
  },
});

const away = defineAgent('away', {
  state: z.object({}),
  actions: { take: turn({ input: z.number() }) },
});

const sinkAgent = implement(sink, {
  take(ctx, number) {
    if (failing.has(number)) throw new Error(`${number} cannot be taken`);
    ctx.state.seen.push(number);
  },
  seen: ctx => ctx.state.seen,
  relay(ctx, numbers) {
    for (const number of numbers) ctx.send(sink, 'end', 'take', number);
  },
  relayFor(ctx, { number }) {
    ctx.send(away, 'end', 'take', number, { timeout: '1m' });
  },
});

async function opened() {
  failing = new Set();
  const troupe = await createTestTroupe({ agents: [sinkAgent, away] });
  const seen = () => troupe.advanceUntil(troupe.agents.get(sink, 'end').execute('seen'));
  return {
    troupe,
    seen,
    start: troupe.agents.get(sink, 'start'),
    end: troupe.agents.get(sink, 'end'),
  };
}

describe('messages of one agent to another', () => {
  it('arrive in order and once, over crashes of both', async () => {
    const { troupe, seen, start } = await opened();
    await troupe.advanceUntil(start.execute('relay', [1, 2, 3]));
    troupe.crash();
    await troupe.restart();
    await troupe.advanceUntil(start.execute('relay', [4, 5]));
    await troupe.advance('1m');
    expect(await seen()).toEqual([1, 2, 3, 4, 5]);
    troupe.crash();
    await troupe.restart();
    await troupe.advance('1m');
    expect(await seen()).toEqual([1, 2, 3, 4, 5]);
    await troupe.stop();
  });

  it('wait behind one that fails, until it is a dead letter at its receiver', async () => {
    const { troupe, seen, start } = await opened();
    failing = new Set([2]);
    const before = troupe.now();
    await troupe.advanceUntil(start.execute('relay', [1, 2, 3]));
    await troupe.advance(500);
    expect(await seen()).toEqual([1]);
    await troupe.advance('1m');
    expect(await seen()).toEqual([1, 3]);
    const { items } = await troupe.advanceUntil(troupe.deadLetters.list());
    expect(items).toMatchObject([
      { agent: 'sink/end', input: 2, attempts: 3, caller: 'sink/start' },
    ]);
    const at = Number(items[0]?.at) - before;
    expect(at, 'two pauses of the type: 1 s and 2 s').toBeGreaterThanOrEqual(3_000);
    await troupe.stop();
  });

  it('are given up by their sender after their own timeout', async () => {
    const { troupe, start } = await opened();
    await troupe.advanceUntil(start.execute('relayFor', { number: 1, timeout: '1m' }));
    await troupe.advance('50s');
    expect((await troupe.advanceUntil(troupe.deadLetters.list())).items).toEqual([]);
    await troupe.advance('30s');
    const { items } = await troupe.advanceUntil(troupe.deadLetters.list());
    expect(items).toMatchObject([
      { agent: 'sink/start', target: 'away/end', error: { code: 'EXPIRED' } },
    ]);
    await troupe.stop();
  });
});

describe('dead letters', () => {
  it('are sent again as new messages, or dropped, and survive a restart', async () => {
    const { troupe, seen, start } = await opened();
    failing = new Set([7, 8]);
    await troupe.advanceUntil(start.execute('relay', [7, 8]));
    await troupe.advance('1m');
    troupe.crash();
    await troupe.restart();
    const [first, second] = (await troupe.advanceUntil(troupe.deadLetters.list())).items;
    failing = new Set();
    await troupe.advanceUntil(troupe.deadLetters.retry(first?.id ?? ''));
    await troupe.advanceUntil(troupe.deadLetters.drop(second?.id ?? ''));
    await troupe.advance('1m');
    expect(await seen()).toEqual([7]);
    expect((await troupe.advanceUntil(troupe.deadLetters.list())).items).toEqual([]);
    await expect(
      troupe.advanceUntil(troupe.deadLetters.drop(second?.id ?? '')),
    ).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await troupe.stop();
  });
});

describe('messages from outside', () => {
  it('go on behind an execute that throws, and wait behind a send that does', async () => {
    const { troupe, seen, end } = await opened();
    failing = new Set([2]);
    const failed = end.tryExecute('take', 2);
    await troupe.advanceUntil(Promise.all([failed, end.execute('take', 3)]));
    expect(await seen()).toEqual([3]);
    const sent = end.send('take', 2, { timeout: '1m' }).catch(() => undefined);
    const behind = end.execute('take', 4, { timeout: '1m' });
    await troupe.advance(500);
    expect(await seen()).toEqual([3]);
    failing = new Set();
    await troupe.advanceUntil(Promise.all([sent, behind]));
    expect(await seen()).toEqual([3, 2, 4]);
    await troupe.stop();
  });

  it('are remembered by number over a snapshot and a restart of the agent', async () => {
    const { troupe, seen, end } = await opened();
    await troupe.advanceUntil(end.execute('take', 1));
    expect(await troupe.advanceUntil(end.rebuild())).toEqual({ version: 1, matches: true });
    troupe.faults.nextAppend('unknown-stored');
    await troupe.advanceUntil(end.execute('take', 2));
    expect(await seen()).toEqual([1, 2]);
    await troupe.stop();
  });

  it('end at their deadline with what is known', async () => {
    const { troupe, end } = await opened();
    troupe.faults.nextAppend('unknown-not-stored', 100);
    await expect(
      troupe.advanceUntil(end.execute('take', 1, { timeout: '500ms' })),
    ).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      outcome: 'unknown',
    });
    await troupe.stop();
  });
});
