/** A client of the modelled servers does what one of real servers does. */
import { describe, expect, it } from 'vitest';
import type { NatsClient, NatsMessage } from '../../../src/engines/nats/client.ts';
import { inNatsModel, type NatsModel } from '../../helpers/nats-model.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = ({ payload }: NatsMessage) => new TextDecoder().decode(payload);

/** Two clients, on different servers. */
async function pair(model: NatsModel): Promise<readonly [NatsClient, NatsClient]> {
  const first = await model.connect();
  for (;;) {
    const second = await model.connect();
    if (second.server.name !== first.server.name) return [first, second];
    await second.close();
  }
}

describe('a client of the modelled servers', () => {
  it('says where it is', async () => {
    await inNatsModel({ seed: 1, servers: 3, version: '2.10.27' }, async model => {
      const client = await model.connect();
      expect(client.status).toBe('connected');
      expect(client.server).toEqual({
        version: '2.10.27',
        name: expect.stringMatching(/^sim-[123]$/),
        cluster: 'simulated',
        payloadBytesMax: 1_048_576,
      });
      expect(client.inbox()).not.toBe(client.inbox());
    });
  });

  it('hears what others publish, in order, on subjects that its patterns stand for', async () => {
    await inNatsModel({ seed: 2, servers: 3 }, async model => {
      const [near, far] = await pair(model);
      const heard: string[] = [];
      await far.subscribe('a.*', message => heard.push(`${message.subject} ${textOf(message)}`));
      await model.sleep(5);
      for (let count = 0; count < 50; count++) near.publish(`a.${count % 3}`, bytes(`${count}`));
      near.publish('a.b.c', bytes('too long'));
      await model.sleep(50);
      expect(heard).toEqual(Array.from({ length: 50 }, (_, count) => `a.${count % 3} ${count}`));
    });
  });

  it('lets one of a queue have each message, and everybody else all of them', async () => {
    await inNatsModel({ seed: 3, servers: 3 }, async model => {
      const [near, far] = await pair(model);
      const counts = { near: 0, far: 0, all: 0 };
      await near.subscribe('q', () => counts.near++, { queue: 'one' });
      await far.subscribe('q', () => counts.far++, { queue: 'one' });
      await far.subscribe('q', () => counts.all++);
      await model.sleep(5);
      for (let count = 0; count < 100; count++) near.publish('q', bytes(''));
      await model.sleep(50);
      expect(counts.all).toBe(100);
      expect(counts.near + counts.far).toBe(100);
      expect(Math.min(counts.near, counts.far)).toBeGreaterThan(20);
    });
  });

  it('gets answers, is told at once when nobody is there, and waits for the silent', async () => {
    await inNatsModel({ seed: 4 }, async model => {
      const client = await model.connect();
      const stop = await client.subscribe('echo', message => {
        if (message.reply !== undefined) {
          client.publish(message.reply, message.payload, { headers: { Name: 'value' } });
        }
      });
      const options = { timeoutMs: 1_000 };
      const reply = await client.request('echo', bytes('hello'), options);
      if (reply.status !== 'answered') throw new Error(reply.status);
      expect(textOf(reply.message)).toBe('hello');
      expect(reply.message.headers).toEqual({ Name: 'value' });
      stop();
      const startMs = model.clock.monotonic();
      expect(await client.request('echo', bytes(''), options)).toEqual({ status: 'nobody' });
      expect(model.clock.monotonic() - startMs).toBeLessThan(10);
      await client.subscribe('silent', () => undefined);
      const late = await client.request('silent', bytes(''), options);
      expect(late).toMatchObject({ status: 'unknown', cause: { code: 'DEADLINE_EXCEEDED' } });
    });
  });

  it('shares no bytes with whoever listens, nor with whoever published', async () => {
    await inNatsModel({ seed: 5 }, async model => {
      const client = await model.connect();
      const heard: NatsMessage[] = [];
      await client.subscribe('x', message => {
        message.payload.fill(0);
        heard.push(message);
      });
      await client.subscribe('x', message => heard.push(message));
      const payload = Buffer.from('hello');
      client.publish('x', payload);
      payload.fill(0);
      await model.sleep(10);
      expect(heard.map(textOf)).toContain('hello');
    });
  });

  it('is over for good when it is closed', async () => {
    await inNatsModel({ seed: 6 }, async model => {
      const client = await model.connect();
      const seen: string[] = [];
      client.onStatus(status => seen.push(status));
      await client.subscribe('silent', () => undefined);
      const asking = client.request('silent', bytes(''), { timeoutMs: 1_000 });
      await client.close();
      await client.close();
      expect(seen).toEqual(['closed']);
      expect(await asking).toMatchObject({ status: 'unknown' });
      expect(client.publish('x', bytes(''))).toBe(false);
      const refused = await client.request('x', bytes(''), { timeoutMs: 10 });
      expect(refused).toMatchObject({ status: 'unavailable' });
      await expect(client.subscribe('x', () => undefined)).rejects.toMatchObject({
        code: 'ENGINE_UNAVAILABLE',
      });
    });
  });

  it('finds no server when all are down, and waits for those that are frozen', async () => {
    await inNatsModel({ seed: 7, servers: 3 }, async model => {
      const { cluster } = model;
      for (const server of cluster.servers) cluster.kill(server);
      await expect(model.connect()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
      for (const server of cluster.servers) cluster.start(server);
      await model.sleep(10_000);
      for (const server of cluster.servers) cluster.pause(server);
      const startMs = model.clock.monotonic();
      await expect(model.connect()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
      expect(model.clock.monotonic() - startMs).toBeGreaterThan(8_000);
    });
  });

  it('keeps its listeners when it comes back', async () => {
    await inNatsModel({ seed: 8, servers: 3 }, async model => {
      const [near, far] = await pair(model);
      let heard = 0;
      await near.subscribe('x', () => heard++);
      const server = model.cluster.servers.find(({ name }) => name === near.server.name);
      if (server !== undefined) model.cluster.kill(server);
      await model.sleep(3_000);
      far.publish('x', bytes(''));
      await model.sleep(10);
      expect(heard).toBe(1);
    });
  });

  it('notices in seconds that it is cut off, although nobody tells it', async () => {
    await inNatsModel({ seed: 9, servers: 3 }, async model => {
      const client = await model.connect();
      const server = model.cluster.servers.find(({ name }) => name === client.server.name);
      if (server !== undefined) model.cluster.cutClients(server);
      await model.sleep(1_500);
      expect(client.status).toBe('connected');
      await model.sleep(3_500);
      expect(client.status).toBe('connected');
      expect(client.server.name).not.toBe(server?.name);
    });
  });
});
