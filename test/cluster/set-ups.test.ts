/** Servers that cannot carry what agents promise, and servers that go away and come back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../src/index.ts';
import { clusterNode } from '../helpers/cluster-node.ts';
import { freePorts } from '../helpers/free-ports.ts';
import { type NatsServers, natsServers } from '../helpers/nats-servers.ts';

const state = z.object({ count: z.number().default(0) });
const actions = {
  add: turn({ input: z.number(), output: z.number() }),
  count: read({ output: z.number() }),
};
const counter = defineAgent('counter', { state, actions });
const sketch = defineAgent('sketch', { state, actions, consistency: 'none' });
const counterAgent = implement(counter, {
  add(ctx, by) {
    ctx.state.count += by;
    return ctx.state.count;
  },
  count: ctx => ctx.state.count,
});
const sketchAgent = implement(sketch, {
  add(ctx, by) {
    ctx.state.count += by;
    return ctx.state.count;
  },
  count: ctx => ctx.state.count,
});

describe('servers that say nothing about flushing', () => {
  let servers: NatsServers;
  beforeAll(async () => {
    servers = await natsServers();
  }, 60_000);
  afterAll(() => servers.close());

  it('are refused where agents promise to keep what they acknowledge', async () => {
    const troupe = clusterNode({
      agents: [counterAgent],
      cluster: { servers: servers.urls, name: 'a' },
    });
    await expect(troupe.start()).rejects.toMatchObject({
      code: 'ENGINE_UNSUPPORTED',
      detail: expect.stringMatching(/do not say .* counter cannot keep .* unflushed: true/),
    });
  });

  it('are taken where the program accepts it, and where nothing is kept', async () => {
    const cluster = { servers: servers.urls, name: 'b' };
    const accepting = clusterNode({
      agents: [counterAgent],
      cluster: { ...cluster, unflushed: true },
    });
    await accepting.start();
    expect(await accepting.agents.get(counter, 'one').execute('add', 1)).toBe(1);
    await accepting.stop();
    const keeping = clusterNode({ agents: [sketchAgent], cluster });
    await keeping.start();
    expect(await keeping.agents.get(sketch, 'one').execute('add', 1)).toBe(1);
    await keeping.stop();
  });

  it('are told apart from clusters that were made otherwise', async () => {
    const cluster = { servers: servers.urls, unflushed: true };
    const made = clusterNode({ agents: [counterAgent], cluster: { ...cluster, name: 'c' } });
    await made.start();
    await made.stop();
    const other = { ...cluster, name: 'c', replicas: 3 };
    await expect(
      clusterNode({ agents: [counterAgent], cluster: other }).start(),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringMatching(/cluster\.replicas is 3, and the cluster c was made with 1/),
    });
    const more = { ...cluster, name: 'd', replicas: 3 };
    await expect(
      clusterNode({ agents: [counterAgent], cluster: more }).start(),
    ).rejects.toMatchObject({ code: expect.stringMatching(/CONFIG_INVALID/) });
  });
});

describe('servers that acknowledge too early', () => {
  it('are refused', async () => {
    await using servers = await natsServers({
      hasAccount: true,
      configure: config => ({ ...config, isFlushed: false }),
    });
    const cluster = { servers: servers.urls };
    const troupe = clusterNode({ agents: [counterAgent], cluster });
    await expect(troupe.start()).rejects.toMatchObject({
      code: 'ENGINE_UNSUPPORTED',
      detail: expect.stringMatching(/acknowledges what is not on its disk/),
    });
  });
});

describe('servers that are not there', () => {
  it('are told at once', async () => {
    const [port] = await freePorts(1);
    const troupe = clusterNode({ agents: [counterAgent], cluster: `nats://127.0.0.1:${port}` });
    await expect(troupe.start()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });

  it('make the node refuse its callers at once, and go on when they are back', async () => {
    await using servers = await natsServers({ hasAccount: true });
    const troupe = clusterNode({ agents: [counterAgent], cluster: { servers: servers.urls } });
    await troupe.start();
    const one = troupe.agents.get(counter, 'one');
    expect(await one.execute('add', 1)).toBe(1);
    await servers.servers[0]?.kill();
    // Reads go on while the lease lasts, and end with it.
    expect(await one.execute('count')).toBe(1);
    const refused = () =>
      one.execute('count').then(
        () => 'read',
        error => error.code,
      );
    await expect.poll(refused, { timeout: 10_000 }).toBe('NO_QUORUM');
    await expect(one.execute('add', 1)).rejects.toMatchObject({
      code: 'NO_QUORUM',
      outcome: 'not-executed',
    });
    await servers.servers[0]?.start();
    await expect.poll(refused, { timeout: 15_000 }).toBe('read');
    expect(await one.execute('add', 1, { timeout: '20s' })).toBe(2);
    await troupe.stop();
  });
});
