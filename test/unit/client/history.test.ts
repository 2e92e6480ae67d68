/** The past of an agent: states at moments, what deletion leaves, and folding everything anew. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MemoryLogs } from '../../../src/engines/memory/log.ts';
import { defineAgent, implement, read, task, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';
import { troupeOn } from '../../helpers/troupe-on.ts';

const contract = {
  state: z.object({ count: z.number().default(0) }),
  events: { counted: z.number() },
  signals: { go: z.string() },
};
const limits = { snapshotEvery: 4, historyVersions: 8, idle: '1s' } as const;
const actions = {
  add: turn({ input: z.number(), output: z.number() }),
  look: turn({ output: z.number() }),
  remind: turn(),
  refuse: turn(),
  count: read({ output: z.number() }),
  wait: task(),
};

const counter = defineAgent('counter', { ...contract, limits, actions });
const counterAgent = implement(counter, {
  add(ctx, by) {
    ctx.state.count += by;
    ctx.emit('counted', by);
    return ctx.state.count;
  },
  look: ctx => ctx.state.count,
  remind: ctx => ctx.after('1h', 'add', 1),
  refuse: ctx => ctx.reject('no'),
  count: ctx => ctx.state.count,
  async wait(ctx) {
    await ctx.waitFor('go');
  },
});

async function opened() {
  const troupe = await createTestTroupe({ agents: [counterAgent] });
  const agent = troupe.agents.get(counter, 'a');
  const add = async (times: number) => {
    for (let count = 0; count < times; count += 1)
      await troupe.advanceUntil(agent.execute('add', 1));
  };
  return { troupe, agent, add };
}

describe('stateAt', () => {
  it('tells each kept version, says what is trimmed, and what there never was', async () => {
    const { troupe, agent, add } = await opened();
    await add(30);
    const at = (version: number) => troupe.advanceUntil(agent.stateAt({ version }));
    expect((await at(30)).state).toEqual({ count: 30 });
    expect((await at(25)).state).toEqual({ count: 25 });
    await expect(at(1)).rejects.toMatchObject({ code: 'HISTORY_TRIMMED' });
    await expect(at(31)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await troupe.stop();
  });

  it('is trimmed also when no life of the agent makes more than one snapshot', async () => {
    const { troupe, agent, add } = await opened();
    for (let life = 0; life < 8; life += 1) {
      await add(5);
      troupe.crash();
      await troupe.restart();
    }
    await expect(troupe.advanceUntil(agent.stateAt({ version: 1 }))).rejects.toMatchObject({
      code: 'HISTORY_TRIMMED',
    });
    expect((await troupe.records('counter/a')).length).toBeLessThan(30);
    await troupe.stop();
  });
});

describe('delete', () => {
  it('is a turn that sets the agent back, ends timers and runs, and keeps history', async () => {
    const { troupe, agent, add } = await opened();
    await add(2);
    await troupe.advanceUntil(agent.execute('remind'));
    const waiting = agent.request('wait');
    await troupe.advanceUntil(waiting.recorded());
    await troupe.advanceUntil(agent.delete());
    await expect(troupe.advanceUntil(waiting)).rejects.toMatchObject({ code: 'CANCELLED' });
    await troupe.advance('2h');
    expect(await troupe.advanceUntil(agent.execute('count'))).toBe(0);
    const { state, version } = await troupe.advanceUntil(agent.stateAt({ version: 4 }));
    expect({ state, version }).toEqual({ state: { count: 0 }, version: 4 });
    expect((await troupe.advanceUntil(agent.stateAt({ version: 2 }))).state).toEqual({ count: 2 });
    await add(1);
    troupe.crash();
    await troupe.restart();
    expect(await troupe.advanceUntil(agent.execute('count'))).toBe(1);
    await troupe.stop();
  });
});

describe('rebuild', () => {
  it('agrees with the agent in memory, also with runs, timers and letters', async () => {
    const { troupe, agent, add } = await opened();
    await add(3);
    await troupe.advanceUntil(agent.execute('remind'));
    await troupe.advanceUntil(agent.request('wait').recorded());
    expect(await troupe.advanceUntil(agent.rebuild())).toEqual({ version: 4, matches: true });
    const last = (await troupe.records('counter/a')).at(-1);
    expect(last?.isSnapshot).toBe(true);
    troupe.crash();
    await troupe.restart();
    expect(await troupe.advanceUntil(agent.rebuild())).toEqual({ version: 4, matches: true });
    expect(await troupe.advanceUntil(agent.execute('add', 1))).toBe(4);
    await troupe.stop();
  });

  it('says so when a record in the middle was changed, and records nothing', async () => {
    const logs = new MemoryLogs({});
    const troupe = troupeOn({ agents: [counterAgent], log: logs.open() });
    await troupe.start();
    const agent = troupe.agents.get(counter, 'a');
    for (let count = 0; count < 3; count += 1) await agent.execute('add', 1);
    const { records } = await logs.open().read('counter/a', { after: 0 });
    logs.flip('counter/a', records[1]?.seq ?? 0, 400);
    await expect(agent.rebuild()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    expect((await logs.open().read('counter/a', { after: 0 })).records).toHaveLength(3);
    expect(await agent.execute('add', 1)).toBe(4);
    await troupe.stop();
  });

  it('agrees on an agent that nothing was recorded of', async () => {
    const { troupe, agent } = await opened();
    expect(await troupe.advanceUntil(agent.rebuild())).toEqual({ version: 0, matches: true });
    await troupe.stop();
  });
});

describe('tryExecute', () => {
  it('gives every answer its place, a rejection as well', async () => {
    const { troupe, agent, add } = await opened();
    await add(2);
    const seen = await troupe.advanceUntil(agent.tryExecute('count'));
    expect(seen).toMatchObject({ ok: true, position: { agent: 'counter/a', version: 2 } });
    const refused = await troupe.advanceUntil(agent.tryExecute('refuse'));
    expect(refused).toMatchObject({
      ok: false,
      error: { code: 'REJECTED' },
      position: { agent: 'counter/a', epoch: 1, version: 2 },
    });
    await troupe.stop();
  });
});

describe('stateVersion and migrate', () => {
  const newer = defineAgent('counter', {
    ...contract,
    state: z.object({ total: z.number() }),
    initial: () => ({ total: 0 }),
    stateVersion: 2,
    limits,
    actions,
  });
  const handlers = {
    add(ctx: { state: { total: number } }, by: number) {
      ctx.state.total += by;
      return ctx.state.total;
    },
    look: (ctx: { state: { total: number } }) => ctx.state.total,
    remind: () => undefined,
    refuse: () => undefined,
    count: (ctx: { readonly state: { readonly total: number } }) => ctx.state.total,
    wait: () => undefined,
  };

  it('brings an old state to the new schema, and records it with the next turn', async () => {
    const { troupe, agent, add } = await opened();
    await add(2);
    const migrating = implement(newer, handlers, {
      migrate: (old, from) => ({ total: from === 1 ? (old as { count: number }).count * 10 : 0 }),
    });
    await troupe.restart({ agents: [migrating] });
    expect(await troupe.advanceUntil(agent.execute('count'))).toBe(20);
    expect((await troupe.records('counter/a')).length).toBe(2);
    expect(await troupe.advanceUntil(agent.execute('add', 1))).toBe(21);
    troupe.crash();
    await troupe.restart();
    expect(await troupe.advanceUntil(agent.execute('count'))).toBe(21);
    expect((await troupe.records('counter/a')).at(-1)?.contents).toContain('whole');
    await troupe.stop();
  });

  it('refuses a state that does not fit, and serves it again with code that fits', async () => {
    const { troupe, agent, add } = await opened();
    await add(2);
    await troupe.restart({ agents: [implement(newer, handlers)] });
    await expect(troupe.advanceUntil(agent.execute('count'))).rejects.toMatchObject({
      code: 'STATE_MISMATCH',
    });
    await troupe.restart({ agents: [counterAgent] });
    expect(await troupe.advanceUntil(agent.execute('count'))).toBe(2);
    await troupe.stop();
  });
});
