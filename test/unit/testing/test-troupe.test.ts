/** The kit for users' tests: time, crashes and faults do what they say, on both engines. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, task, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/index.ts';

const counter = defineAgent('counter', {
  state: z.object({ count: z.number().default(0) }),
  events: { added: z.object({ by: z.number() }) },
  signals: { go: z.object({ by: z.string() }) },
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    addLater: turn({ input: z.number() }),
    count: read({ output: z.number() }),
    work: task({ output: z.string(), stream: z.string() }),
  },
});

function counterAgent(effects: string[] = []) {
  return implement(counter, {
    add(ctx, by) {
      ctx.state.count += by;
      ctx.emit('added', { by });
      return ctx.state.count;
    },
    addLater: (ctx, by) => ctx.after('7d', 'add', by),
    count: ctx => ctx.state.count,
    async work(ctx) {
      await ctx.step('first', 1, () => effects.push('first'));
      const { by } = await ctx.waitFor('go');
      await ctx.sleep('3d');
      await ctx.step('second', 2, () => effects.push('second'));
      return by;
    },
  });
}

const agents = [counterAgent()] as const;

describe.each(['memory', 'embedded'] as const)('a node in a test, on %s', engine => {
  it('keeps what was acknowledged over a crash', async () => {
    await using troupe = await createTestTroupe({ agents, engine });
    const one = troupe.agents.get(counter, 'one');
    expect(await one.execute('add', 2)).toBe(2);
    troupe.crash();
    await expect(one.execute('count')).rejects.toMatchObject({ code: 'NOT_STARTED' });
    await troupe.restart();
    expect(await one.execute('add', 3)).toBe(5);
    const records = await troupe.records('counter/one');
    expect(records.map(({ version, action }) => [version, action])).toEqual([
      [1, 'add'],
      [2, 'add'],
    ]);
    expect(records[0]?.contents).toContain('event');
  });

  it('lets time stand still until it is told to pass', async () => {
    await using troupe = await createTestTroupe({ agents, engine });
    const one = troupe.agents.get(counter, 'one');
    const before = troupe.now();
    await one.execute('addLater', 5);
    await troupe.advance('6d');
    expect(await one.execute('count')).toBe(0);
    troupe.crash();
    await troupe.restart();
    await troupe.advance('1d');
    expect(await one.execute('count')).toBe(5);
    expect(troupe.now() - before).toBe(7 * 86_400_000);
  });

  it('resumes a task after crashes, and repeats no finished step', async () => {
    const effects: string[] = [];
    await using troupe = await createTestTroupe({ agents: [counterAgent(effects)], engine });
    const one = troupe.agents.get(counter, 'one');
    const future = one.request('work');
    await future.recorded();
    await troupe.settled();
    troupe.crash('kill');
    await troupe.restart();
    await one.signal('go', { by: 'eve' });
    await troupe.advance('1d');
    troupe.crash();
    await troupe.restart();
    expect(await troupe.advanceUntil(troupe.futures.get(future.id))).toBe('eve');
    expect(effects).toEqual(['first', 'second']);
  });

  it('dies where it is told to, and its open calls say so', async () => {
    await using troupe = await createTestTroupe({ agents, engine });
    const one = troupe.agents.get(counter, 'one');
    await one.execute('add', 1);
    expect([...troupe.faults.points]).toContain('agent.accepted');
    troupe.faults.crashAt('agent.record-made');
    const lost = await one.tryExecute('add', 1);
    expect(lost).toMatchObject({
      ok: false,
      error: { code: 'NODE_UNREACHABLE', outcome: 'unknown' },
    });
    await troupe.restart();
    expect(await one.execute('count')).toBe(1);
    troupe.faults.crashAt('agent.accepted');
    await one.tryExecute('add', 1);
    await troupe.restart();
    expect(await one.execute('count')).toBe(2);
  });

  it('reads on while the disk is full, and writes again when it is not', async () => {
    await using troupe = await createTestTroupe({ agents, engine });
    const one = troupe.agents.get(counter, 'one');
    await one.execute('add', 1);
    troupe.faults.isDiskFull = true;
    const adding = one.tryExecute('add', 1);
    const refused = await troupe.advanceUntil(adding);
    expect(refused).toMatchObject({ ok: false, error: { code: 'DISK_FULL' } });
    expect(await one.execute('count')).toBe(1);
    troupe.faults.isDiskFull = false;
    expect(await one.execute('add', 1)).toBe(2);
  });

  it('runs other code after a restart', async () => {
    await using troupe = await createTestTroupe({ agents, engine });
    await troupe.agents.get(counter, 'one').execute('add', 4);
    const twice = implement(counter, {
      add: ctx => ctx.state.count,
      addLater() {},
      count: ctx => ctx.state.count * 2,
      work: async () => '',
    });
    await troupe.restart({ agents: [twice] });
    expect(await troupe.agents.get(counter, 'one').execute('count')).toBe(8);
  });
});

describe('faults of one engine', () => {
  it('a failed flush stops all writing until the restart, and loses no answer', async () => {
    await using troupe = await createTestTroupe({ agents, engine: 'embedded' });
    const one = troupe.agents.get(counter, 'one');
    await one.execute('add', 1);
    troupe.faults.failNext('flush');
    const failed = await troupe.advanceUntil(one.tryExecute('add', 1));
    expect(failed).toMatchObject({ ok: false, error: { outcome: 'unknown' } });
    expect(troupe.logged.some(({ level }) => level === 'error')).toBe(true);
    troupe.crash();
    await troupe.restart();
    expect(await one.execute('count')).toBeGreaterThanOrEqual(1);
    expect(() => troupe.faults.nextAppend('conflict')).toThrow('needs the memory engine');
  });

  it('an answer that was lost is found again, and the turn is not repeated', async () => {
    await using troupe = await createTestTroupe({ agents });
    const one = troupe.agents.get(counter, 'one');
    await one.execute('add', 1);
    troupe.faults.nextAppend('unknown-stored');
    expect(await troupe.advanceUntil(one.execute('add', 1))).toBe(2);
    expect(await troupe.records('counter/one')).toHaveLength(2);
    expect(() => troupe.faults.failNext('flush')).toThrow('needs the embedded engine');
  });
});
