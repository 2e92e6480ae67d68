/** A connection on real servers: what a failure is called, and that nothing waits unseen. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TroupeError } from '../../../src/core/errors.ts';
import type { NatsMessage } from '../../../src/engines/nats/client.ts';
import { connectNats } from '../../../src/engines/nats/connection.ts';
import type { NatsConnectionOptions } from '../../../src/engines/nats/connection-options.ts';
import type { ServerConfig } from '../../../src/engines/nats/server-config.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { freePorts } from '../../helpers/free-ports.ts';
import { echo } from '../../helpers/nats-echo.ts';
import { type NatsServers, natsServers } from '../../helpers/nats-servers.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);
const timeoutMs = 5_000;

let servers: NatsServers;
beforeAll(async () => {
  servers = await natsServers({ configure: withUsers });
});
afterAll(() => servers.close());

/** One user who may do all, one who may do little. */
function withUsers(config: ServerConfig): ServerConfig {
  const little = {
    publish: { allow: ['open.>'] },
    subscribe: { allow: ['open.>', 'own.>'] },
    allow_responses: true,
  };
  const users = [
    { user: 'all', password: 'secret' },
    { user: 'little', password: 'secret', permissions: little },
    { user: 'deaf', password: 'secret', permissions: { subscribe: { deny: '>' } } },
  ];
  return { ...config, more: { authorization: { users } } };
}

function connect(options: Partial<NatsConnectionOptions> = {}, heard: TroupeError[] = []) {
  const credentials = { user: 'all', password: 'secret' };
  return connectNats(
    { servers: servers.urls, credentials, ...options },
    { clock: systemClock(), onRefused: cause => void heard.push(cause) },
  );
}

function connectLittle(heard: TroupeError[] = []) {
  const credentials = { user: 'little', password: 'secret' };
  return connect({ credentials, inboxPrefix: 'own' }, heard);
}

describe('messages', () => {
  it('asks and answers, with headers and the name of the server', async () => {
    await using client = await connect();
    expect(client.server).toMatchObject({ version: servers.version, name: 's1' });
    expect(client.server.payloadBytesMax).toBe(1_048_576);
    const seen: NatsMessage[] = [];
    const stop = await echo(client, 'talk.*', message => seen.push(message));
    const headers = { 'Nats-Expected-Last-Subject-Sequence': '7', Own: 'a b' };
    const reply = await client.request('talk.one', bytes('hello'), { timeoutMs, headers });
    if (reply.status !== 'answered') throw new Error(reply.status);
    expect(text(reply.message.payload)).toBe('hello');
    expect(reply.message.headers).toEqual({});
    expect(reply.message.status).toBe(0);
    expect(reply.message.reply).toBe(undefined);
    expect(seen[0]?.subject).toBe('talk.one');
    expect(seen[0]?.headers).toEqual(headers);
    stop();
    stop();
    expect(await client.request('talk.one', bytes(''), { timeoutMs })).toEqual({
      status: 'nobody',
    });
  });

  it('keeps answers apart, also thousands at once', async () => {
    await using client = await connect();
    await echo(client, 'many');
    const count = 5_000;
    const asked = Array.from({ length: count }, (_, index) =>
      client.request('many', bytes(String(index)), { timeoutMs }),
    );
    const replies = await Promise.all(asked);
    for (const [index, reply] of replies.entries()) {
      if (reply.status !== 'answered') throw new Error(reply.status);
      expect(text(reply.message.payload)).toBe(String(index));
    }
  });

  it('gives each message to one of a queue, and tells the status of an API answer', async () => {
    await using client = await connect();
    let count = 0;
    const take = () => {
      count += 1;
    };
    await client.subscribe('work', take, { queue: 'q' });
    await client.subscribe('work', take, { queue: 'q' });
    for (let index = 0; index < 10; index++) expect(client.publish('work', bytes(''))).toBe(true);
    const inbox = client.inbox();
    const { promise, resolve } = Promise.withResolvers<NatsMessage>();
    await client.subscribe(inbox, resolve);
    client.publish('nobody.there', bytes(''), { reply: inbox });
    expect(await promise).toMatchObject({ status: 503, subject: inbox });
    expect(count).toBe(10);
  });

  it('delivers what was published just before it was closed', async () => {
    await using listener = await connect();
    const { promise, resolve } = Promise.withResolvers<NatsMessage>();
    await listener.subscribe('last', resolve);
    const speaker = await connect();
    speaker.publish('last', bytes('words'));
    await speaker.close();
    expect(text((await promise).payload)).toBe('words');
  });

  it('goes on after a listener that throws, and is loud about it', async () => {
    await using client = await connect();
    const uncaught: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', error => void uncaught.push(error));
    await echo(client, 'throws', () => {
      throw new Error('mine');
    });
    await echo(client, 'works');
    client.publish('throws', bytes(''));
    const reply = await client.request('works', bytes(''), { timeoutMs });
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
    expect(reply.status).toBe('answered');
    expect(uncaught).toEqual([new Error('mine')]);
  });
});

describe('requests that fail', () => {
  it('is unknown after its time, and drops the answer that comes later', async () => {
    await using client = await connect();
    const { promise, resolve } = Promise.withResolvers<NatsMessage>();
    await client.subscribe('slow', resolve);
    const reply = await client.request('slow', bytes(''), { timeoutMs: 20 });
    expect(reply).toMatchObject({
      status: 'unknown',
      cause: { code: 'DEADLINE_EXCEEDED', outcome: 'unknown' },
    });
    client.publish((await promise).reply ?? '', bytes('too late'));
    await echo(client, 'next');
    const next = await client.request('next', bytes('in time'), { timeoutMs });
    expect(next.status === 'answered' && text(next.message.payload)).toBe('in time');
  });

  it('is unavailable without permission, at once', async () => {
    const heard: TroupeError[] = [];
    await using client = await connectLittle(heard);
    const reply = await client.request('secret.one', bytes(''), { timeoutMs: 60_000 });
    expect(reply).toMatchObject({ status: 'unavailable', cause: { code: 'UNAUTHORIZED' } });
    expect(client.publish('secret.two', bytes(''))).toBe(true);
    await echo(client, 'open.x');
    expect((await client.request('open.x', bytes(''), { timeoutMs })).status).toBe('answered');
    expect(heard.map(({ code, detail }) => [code, detail.includes('secret.two')])).toEqual([
      ['UNAUTHORIZED', true],
    ]);
  });

  it('is unavailable when too large, and the connection lives', async () => {
    await using client = await connect();
    await echo(client, 'large');
    const all = new Uint8Array(1_048_576);
    const headers = { A: 'b' };
    expect(client.publish('large', all, { headers })).toBe(false);
    expect(await client.request('large', all, { timeoutMs, headers })).toMatchObject({
      status: 'unavailable',
      cause: { code: 'PAYLOAD_TOO_LARGE', outcome: 'not-executed' },
    });
    expect((await client.request('large', all, { timeoutMs })).status).toBe('answered');
  });

  it.each([
    ['with a space in it', 'a b', undefined],
    ['that is empty', '', undefined],
    ['that would cost the connection', 'x'.repeat(5_000), undefined],
    ['of many bytes in few characters', 'ü'.repeat(1_500), undefined],
    ['with a header of two lines', 'a', { A: 'b\r\nC: d' }],
  ])('is unavailable on a subject %s', async (_, subject, headers) => {
    await using client = await connect();
    const reply = await client.request(subject, bytes(''), { timeoutMs, headers });
    expect(reply).toMatchObject({ status: 'unavailable', cause: { code: 'INVALID_INPUT' } });
    expect(client.publish(subject, bytes(''), { headers })).toBe(false);
    expect(client.status).toBe('connected');
  });

  it('is unavailable when too many wait', async () => {
    await using client = await connect({ requestsMax: 2 });
    await client.subscribe('silent', () => undefined);
    const ask = () => client.request('silent', bytes(''), { timeoutMs: 30 });
    const [, , third] = await Promise.all([ask(), ask(), ask()]);
    expect(third).toMatchObject({ status: 'unavailable', cause: { code: 'OVERLOADED' } });
    expect((await ask()).status).toBe('unknown');
  });
});

describe('subscriptions that fail', () => {
  it('refuses without permission', async () => {
    await using client = await connectLittle();
    const denied = await failureOf(client.subscribe('secret.>', () => undefined));
    expect(denied).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(denied.detail).toContain('secret.>');
    const stop = await client.subscribe('open.>', () => undefined);
    stop();
  });

  it('refuses a user that may not listen for answers', async () => {
    const credentials = { user: 'deaf', password: 'secret' };
    const refused = await failureOf(connect({ credentials }));
    expect(refused).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(refused.detail).toContain('_INBOX');
  });
});

describe('connecting', () => {
  it('is refused with the wrong password, and names no password', async () => {
    const credentials = { user: 'all', password: 'wrong-one' };
    const refused = await failureOf(connect({ credentials }));
    expect(refused.code).toBe('UNAUTHORIZED');
    expect(refused.message).not.toContain('wrong-one');
  });

  it('says where nobody answers', async () => {
    const [port = 0] = await freePorts(1);
    const refused = await failureOf(connect({ servers: `nats://127.0.0.1:${port}` }));
    expect(refused).toMatchObject({ code: 'ENGINE_UNAVAILABLE', outcome: 'not-executed' });
    expect(refused.detail).toContain(`127.0.0.1:${port}`);
  });

  it('says when the servers do not encrypt', async () => {
    const refused = await failureOf(connect({ tls: true }));
    expect(refused.code).toBe('CONFIG_INVALID');
  });

  it('finds the one of several that is up, and takes a user from the address', async () => {
    const [port = 0] = await freePorts(1);
    const { host } = new URL(servers.urls[0] ?? '');
    const address = `nats://127.0.0.1:${port}, nats://all:secret@${host}`;
    await using client = await connect({ servers: address, credentials: undefined });
    expect(client.status).toBe('connected');
  });
});
