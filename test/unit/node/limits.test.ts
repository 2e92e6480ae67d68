/** The limits of a node, each with what its row in the table says. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { NodeLimitOptions } from '../../../src/agent/limit-options.ts';
import { MemoryLogs } from '../../../src/engines/memory/log.ts';
import { defineAgent, implement, read, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';
import { troupeOn } from '../../helpers/troupe-on.ts';

let gate: Promise<void> = Promise.resolve();

const contract = {
  state: z.object({ count: z.number().default(0) }),
  limits: { mailboxLengthMax: 4 },
};
const actions = {
  add: turn({ input: z.number(), output: z.number() }),
  block: turn(),
  count: read({ output: z.number() }),
};
const handlers = {
  add(ctx: { state: { count: number } }, by: number) {
    ctx.state.count += by;
    return ctx.state.count;
  },
  block: () => gate,
  count: (ctx: { readonly state: { readonly count: number } }) => ctx.state.count,
};
const kept = defineAgent('kept', {
  ...contract,
  events: { said: z.number() },
  actions: { ...actions, say: turn({ input: z.number() }), pass: turn({ input: z.string() }) },
});
const keptAgent = implement(kept, {
  ...handlers,
  say: (ctx, times) => {
    for (let index = 0; index < times; index += 1) ctx.emit('said', index);
  },
  pass: (ctx, key) => ctx.send(kept, key, 'add', 7),
});
const volatile = defineAgent('volatile', { ...contract, consistency: 'none', actions });
const volatileAgent = implement(volatile, handlers);

async function opened(limits: NodeLimitOptions = {}) {
  const troupe = await createTestTroupe({ agents: [keptAgent, volatileAgent], limits });
  return { troupe, agent: troupe.agents.get(kept, 'a') };
}

function blocked(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  return resolve;
}

describe('limits of a node', () => {
  it('mailboxLengthMax: refuses at once, and takes more when there is room', async () => {
    const { troupe, agent } = await opened();
    const open = blocked();
    const block = agent.execute('block');
    await troupe.settled();
    const waiting = [1, 2, 3, 4].map(by => agent.execute('add', by));
    await expect(agent.execute('add', 5)).rejects.toMatchObject({
      code: 'MAILBOX_FULL',
      outcome: 'not-executed',
      retryAfterMs: 100,
    });
    open();
    await troupe.advanceUntil(Promise.all([block, ...waiting]));
    expect(await troupe.advanceUntil(agent.execute('add', 0))).toBe(10);
    await troupe.stop();
  });

  it('requestsMax: refuses further calls from outside', async () => {
    const { troupe, agent } = await opened({ requestsMax: 2 });
    const open = blocked();
    const calls = [agent.execute('block'), agent.execute('add', 1)];
    await expect(agent.execute('count')).rejects.toMatchObject({ code: 'OVERLOADED' });
    open();
    await troupe.advanceUntil(Promise.all(calls));
    expect(await troupe.advanceUntil(agent.execute('count'))).toBe(1);
    await troupe.stop();
  });

  it('residentMax: the idle leave, and come back; `none` that has changed stays', async () => {
    const { troupe } = await opened({ residentMax: 3 });
    for (let key = 0; key < 10; key += 1) {
      await troupe.advanceUntil(troupe.agents.get(kept, `k${key}`).execute('add', key));
    }
    expect(await troupe.advanceUntil(troupe.agents.get(kept, 'k0').execute('add', 1))).toBe(1);
    for (let key = 0; key < 3; key += 1) {
      await troupe.advanceUntil(troupe.agents.get(volatile, `v${key}`).execute('add', 1));
    }
    await expect(
      troupe.advanceUntil(troupe.agents.get(volatile, 'v3').execute('add', 1)),
    ).rejects.toMatchObject({
      code: 'OVERLOADED',
      outcome: 'not-executed',
    });
    await troupe.advance('1h');
    expect(await troupe.advanceUntil(troupe.agents.get(volatile, 'v0').execute('count'))).toBe(1);
    await troupe.stop();
  });

  it('residentMax: what an agent has promised arrives even when there is no room', async () => {
    const { troupe, agent } = await opened({ residentMax: 1 });
    await troupe.advanceUntil(agent.execute('pass', 'b'));
    await troupe.advance('1m');
    expect(await troupe.advanceUntil(troupe.agents.get(kept, 'b').execute('count'))).toBe(7);
    await troupe.stop();
  });

  it('idle: lets a changed `none` go only after the time that its type sets', async () => {
    const idling = defineAgent('idling', {
      ...contract,
      consistency: 'none',
      limits: { idle: '1h' },
      actions,
    });
    const agents = [implement(idling, handlers)];
    const troupe = await createTestTroupe({ agents, limits: { residentMax: 1 } });
    const agent = troupe.agents.get(idling, 'a');
    await troupe.advanceUntil(agent.execute('add', 1));
    await troupe.advance('59m');
    await expect(
      troupe.advanceUntil(troupe.agents.get(idling, 'b').execute('add', 1)),
    ).rejects.toMatchObject({ code: 'OVERLOADED' });
    expect(await troupe.advanceUntil(agent.execute('count'))).toBe(1);
    await troupe.advance('61m');
    expect(await troupe.advanceUntil(agent.execute('count'))).toBe(0);
    await troupe.stop();
  });

  it('slowTurn: warns with the number of messages that wait', async () => {
    const { troupe, agent } = await opened({ slowTurn: '1s' });
    const open = blocked();
    const calls = [agent.execute('block'), agent.execute('add', 1), agent.execute('add', 1)];
    await troupe.advance('2s');
    expect(troupe.logged.filter(({ message }) => message.startsWith('slow turn'))).toMatchObject([
      { level: 'warn', data: { action: 'block', waiting: 2 } },
    ]);
    open();
    await troupe.advanceUntil(Promise.all(calls));
    await troupe.stop();
  });

  it('listenerQueueMax: drops the oldest for a listener, and logs it', async () => {
    const { troupe, agent } = await opened({ listenerQueueMax: 3 });
    const heard: number[] = [];
    agent.on('said', index => heard.push(index));
    await troupe.advanceUntil(agent.execute('say', 5));
    await troupe.settled();
    expect(heard).toEqual([2, 3, 4]);
    expect(troupe.logged).toContainEqual(
      expect.objectContaining({ data: expect.objectContaining({ dropped: 2 }) }),
    );
    await troupe.stop();
  });

  it('dedupWindow: refuses a longer timeout without a key', async () => {
    const { troupe, agent } = await opened({ dedupWindow: '1m' });
    await expect(agent.execute('add', 1, { timeout: '2m' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      outcome: 'not-executed',
    });
    const keyed = agent.execute('add', 1, { timeout: '2m', idempotencyKey: 'k' });
    expect(await troupe.advanceUntil(keyed)).toBe(1);
    await troupe.stop();
  });

  it('pageLengthMax: refuses longer pages', async () => {
    const { troupe } = await opened();
    await expect(troupe.agents.list({ limit: 1_001 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await troupe.stop();
  });
});

describe('a log that lost its end', () => {
  it('is not served, however often it is asked for', async () => {
    const logs = new MemoryLogs({});
    const troupe = troupeOn({ agents: [keptAgent], log: logs.open() });
    await troupe.start();
    const agent = troupe.agents.get(kept, 'a');
    await agent.execute('add', 1);
    await agent.execute('add', 1);
    logs.regress('kept/a', 1);
    for (let times = 0; times < 3; times += 1) {
      await expect(agent.execute('add', 1)).rejects.toMatchObject({ code: 'LOG_REGRESSED' });
    }
    await troupe.stop();
  });
});

describe('topics', () => {
  it('tell the life of agents, to patterns as well', async () => {
    const { troupe, agent } = await opened();
    const heard: string[] = [];
    troupe.bus.subscribe('agent.lifecycle.*', ({ kind, agent: address }) =>
      heard.push(`${kind} ${address}`),
    );
    troupe.bus.subscribe('news.>', (data, { topic }) => heard.push(`${topic} ${String(data)}`));
    await troupe.settled();
    await troupe.advanceUntil(agent.execute('add', 1));
    await troupe.advanceUntil(agent.delete());
    await troupe.advanceUntil(troupe.bus.publish('news.local.today', 'rain'));
    await troupe.settled();
    expect(heard).toEqual([
      'activated kept/a',
      'created kept/a',
      'deleted kept/a',
      'news.local.today rain',
    ]);
    await expect(troupe.bus.publish('agent.lifecycle.made', 1)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await troupe.stop();
  });
});
