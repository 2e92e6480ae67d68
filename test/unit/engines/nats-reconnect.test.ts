/** A connection whose server goes, stands still or changes its mind, on real servers. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TroupeError } from '../../../src/core/errors.ts';
import { connectNats } from '../../../src/engines/nats/connection.ts';
import type { ServerConfig } from '../../../src/engines/nats/server-config.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { echo } from '../../helpers/nats-echo.ts';
import { natsServers } from '../../helpers/nats-servers.ts';
import { reached } from '../../helpers/nats-status.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);
const timeoutMs = 5_000;

describe('a server that goes', () => {
  it('ends what waits, buffers nothing, and comes back with its subscriptions', async () => {
    await using own = await natsServers();
    const [server] = own.servers;
    await using client = await connectNats({ servers: own.urls }, { clock: systemClock() });
    const seen: string[] = [];
    await client.subscribe('kept', message => void seen.push(text(message.payload)));
    const down = reached(client, 'disconnected');
    await client.subscribe('silent', () => undefined);
    const asked = client.request('silent', bytes(''), { timeoutMs: 60_000 });
    await server?.kill();
    expect(await asked).toMatchObject({
      status: 'unknown',
      cause: { code: 'ENGINE_UNAVAILABLE', outcome: 'unknown' },
    });
    await down;
    expect(client.publish('kept', bytes('while down'))).toBe(false);
    expect(await client.request('kept', bytes(''), { timeoutMs })).toMatchObject({
      status: 'unavailable',
      cause: { code: 'ENGINE_UNAVAILABLE', outcome: 'not-executed' },
    });
    expect(await failureOf(client.subscribe('new', () => undefined))).toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      outcome: 'not-executed',
    });
    const up = reached(client, 'connected');
    await server?.start();
    await up;
    expect(client.publish('kept', bytes('after'))).toBe(true);
    await echo(client, 'flush');
    expect((await client.request('flush', bytes(''), { timeoutMs })).status).toBe('answered');
    expect(seen).toEqual(['after']);
  });

  it('delivers later nothing that it was given before, however hard it is pushed', async () => {
    await using own = await natsServers();
    const [server] = own.servers;
    await using client = await connectNats({ servers: own.urls }, { clock: systemClock() });
    const taken: { life: number; isTaken: boolean }[] = [];
    const wrong: unknown[] = [];
    let life = 0;
    let arrived = 0;
    client.onStatus(status => {
      if (status === 'connected') life += 1;
    });
    await client.subscribe('pushed', message => {
      const number = Number(text(message.payload));
      arrived += 1;
      const was = taken[number];
      if (was?.isTaken !== true || was.life !== life) wrong.push({ number, was, life });
    });
    const push = () => {
      const isTaken = client.publish('pushed', bytes(String(taken.length)));
      taken.push({ life, isTaken });
    };
    await echo(client, 'flush');
    const flush = () => client.request('flush', bytes(''), { timeoutMs });
    for (let round = 1; round <= 3; round++) {
      push();
      expect((await flush()).status).toBe('answered');
      const killed = server?.kill().then(() => server.start());
      while (life < round) {
        for (let count = 0; count < 20; count++) push();
        await new Promise(setImmediate);
      }
      await killed;
    }
    expect((await flush()).status).toBe('answered');
    expect(wrong).toEqual([]);
    expect(arrived).toBeGreaterThanOrEqual(3);
    expect(taken.filter(({ isTaken }) => !isTaken).length).toBeGreaterThan(0);
  });

  it('leaves a frozen server for another one at once, when it has been given up', async () => {
    await using own = await natsServers({ count: 3 });
    await using client = await connectNats({ servers: own.urls }, { clock: systemClock() });
    const down = reached(client, 'disconnected');
    const { name } = client.server;
    await own.servers.find(server => server.name === name)?.kill('SIGSTOP');
    await down;
    const brokeAt = performance.now();
    await reached(client, 'connected');
    expect(client.server.name).not.toBe(name);
    // To dial the frozen one costs 3 s.
    expect(performance.now() - brokeAt).toBeLessThan(2_000);
  });

  it('goes to another server of a cluster that it was not told of', async () => {
    await using own = await natsServers({ count: 3 });
    const [first] = own.servers;
    const options = { servers: first?.url ?? '' };
    await using client = await connectNats(options, { clock: systemClock() });
    expect(client.server).toMatchObject({ name: 's1', cluster: 'test' });
    const down = reached(client, 'disconnected');
    await first?.kill();
    await down;
    await reached(client, 'connected');
    expect(client.server.name).not.toBe('s1');
  });

  it('may be frozen: what is sent stays bounded, and it is given up', async () => {
    await using own = await natsServers();
    const [server] = own.servers;
    const unreadBytesMax = 3_000_000;
    const options = { servers: own.urls, unreadBytesMax };
    await using client = await connectNats(options, { clock: systemClock() });
    await server?.kill('SIGSTOP');
    const down = reached(client, 'disconnected');
    const payload = new Uint8Array(100_000);
    let sent = 0;
    while (client.publish('flood', payload)) sent += payload.length;
    expect(sent).toBeGreaterThan(unreadBytesMax - 2 * payload.length);
    expect(sent).toBeLessThanOrEqual(unreadBytesMax);
    expect(await client.request('flood', payload, { timeoutMs })).toMatchObject({
      status: 'unavailable',
      cause: { code: 'OVERLOADED' },
    });
    await down;
    const up = reached(client, 'connected');
    await server?.kill('SIGCONT');
    await up;
    for (let index = 0; index < 100; index++) {
      while (!client.publish('flood', payload)) await new Promise(setImmediate);
    }
  });

  it('is closed for good, also while it is down', async () => {
    await using own = await natsServers();
    const client = await connectNats({ servers: own.urls }, { clock: systemClock() });
    await client.subscribe('silent', () => undefined);
    const down = reached(client, 'disconnected');
    await own.servers[0]?.kill();
    await down;
    const closed = reached(client, 'closed');
    await client.close();
    await closed;
    await client.close();
    expect(client.publish('silent', bytes(''))).toBe(false);
    expect(await client.request('silent', bytes(''), { timeoutMs })).toMatchObject({
      status: 'unavailable',
      cause: { code: 'ENGINE_UNAVAILABLE' },
    });
    expect(await failureOf(client.subscribe('silent', () => undefined))).toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
    });
  });

  it('ends what waits when it is closed', async () => {
    await using own = await natsServers();
    const client = await connectNats({ servers: own.urls }, { clock: systemClock() });
    await client.subscribe('silent', () => undefined);
    const asked = client.request('silent', bytes(''), { timeoutMs: 60_000 });
    await client.close();
    expect(await asked).toMatchObject({ status: 'unknown', cause: { outcome: 'unknown' } });
  });
});

describe('permissions that change', () => {
  it('end what may not go on, and requests at once; both come back with them', async () => {
    const permissions = { subscribe: { deny: ['none'] } };
    const users = [{ user: 'all', password: 'secret', permissions }];
    const configure = (config: ServerConfig) => ({ ...config, more: { authorization: { users } } });
    await using own = await natsServers({ configure });
    const [server] = own.servers;
    const file = join(server?.directory ?? '', 'conf');
    const before = readFileSync(file, 'utf8');
    const reload = (config: string) => {
      writeFileSync(file, config);
      process.kill(server?.pid ?? 0, 'SIGHUP');
    };
    const options = { servers: own.urls, credentials: { user: 'all', password: 'secret' } };
    await using client = await connectNats(options, { clock: systemClock() });
    const { promise, resolve } = Promise.withResolvers<TroupeError>();
    await client.subscribe('kept', () => undefined, { onEnded: resolve });
    const ask = () => client.request('nobody.there', bytes(''), { timeoutMs });
    reload(before.replace('"none"', '"kept", "_INBOX.>"'));
    expect(await promise).toMatchObject({ code: 'UNAUTHORIZED' });
    await expect.poll(ask).toMatchObject({
      status: 'unavailable',
      cause: { code: 'UNAUTHORIZED', outcome: 'not-executed' },
    });
    reload(before);
    await expect.poll(ask, { timeout: 5_000 }).toEqual({ status: 'nobody' });
  });
});
