/** The configuration for production, on real servers with everything in it switched on. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TroupeError } from '../../../src/core/errors.ts';
import type { NatsMessage } from '../../../src/engines/nats/client.ts';
import { connectNats, type UserKeyPair, userKey } from '../../../src/engines/nats/connection.ts';
import type { NatsConnectionOptions } from '../../../src/engines/nats/connection-options.ts';
import { inboxPrefixOf } from '../../../src/engines/nats/server-access.ts';
import { type ServerConfig, serverConfigText } from '../../../src/engines/nats/server-config.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { certificateAuthority } from '../../helpers/certificates.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { type NatsServers, natsServers } from '../../helpers/nats-servers.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const json = ({ payload }: NatsMessage) => JSON.parse(new TextDecoder().decode(payload));
const timeoutMs = 5_000;

const authority = certificateAuthority('the authority');
const stranger = certificateAuthority('a stranger');
const clientCertificate = authority.issue('a client');

describe.each(['newest', '2.9.10'] as const)('three servers, release %s', release => {
  let servers: NatsServers;
  const keys = new Map<string, UserKeyPair>();

  beforeAll(async () => {
    for (const name of ['n1', 'n2', 'boss']) keys.set(name, await userKey());
    servers = await natsServers({ release, count: 3, configure });
  });
  afterAll(() => servers.close());

  function configure(config: ServerConfig): ServerConfig {
    const folder = join(config.storeDirectory, '..');
    mkdirSync(folder, { recursive: true });
    const place = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const { cert, key } = authority.issue(config.name);
    const user = (name: string, role: 'node' | 'operator') => ({
      name,
      role,
      key: { nkey: keys.get(name)?.publicKey ?? '' },
    });
    return {
      ...config,
      tls: {
        certFile: place('cert.pem', cert),
        keyFile: place('key.pem', key),
        caFile: place('ca.pem', authority.cert),
        hasClientCertificates: true,
      },
      cluster: config.cluster && {
        ...config.cluster,
        secret: { user: 'route', password: 'p/ss w@rd' },
      },
      access: {
        cluster: 'shop',
        users: [user('n1', 'node'), user('n2', 'node'), user('boss', 'operator')],
        system: { user: 'system', password: 'secret' },
      },
    };
  }

  function connect(name: string, options: Partial<NatsConnectionOptions> = {}) {
    const heard: TroupeError[] = [];
    const onRefused = (cause: TroupeError) => void heard.push(cause);
    const open = connectNats(
      {
        servers: servers.urls,
        credentials: { nkeySeed: keys.get(name)?.seed ?? '' },
        tls: { ca: authority.cert, ...clientCertificate },
        inboxPrefix: inboxPrefixOf('shop', name),
        ...options,
      },
      { clock: systemClock(), onRefused },
    );
    return { open, heard };
  }

  it('lets nodes work and only operators make streams', async () => {
    await using node = await connect('n1').open;
    await using boss = await connect('boss').open;
    const stream = { name: 'tp_shop_log_0', subjects: ['tp.shop.log.0.>'], num_replicas: 1 };
    const create = `$JS.API.STREAM.CREATE.${stream.name}`;
    expect(await node.request(create, bytes(stream), { timeoutMs })).toMatchObject({
      status: 'unavailable',
      cause: { code: 'UNAUTHORIZED' },
    });
    const made = await boss.request(create, bytes(stream), { timeoutMs });
    if (made.status !== 'answered') throw new Error(made.status);
    expect(json(made.message)).toMatchObject({ config: { name: stream.name } });
    const stored = await node.request('tp.shop.log.0.a', bytes(1), { timeoutMs });
    if (stored.status !== 'answered') throw new Error(stored.status);
    expect(json(stored.message)).toMatchObject({ stream: stream.name, seq: 1 });
    const got = await node.request(
      `$JS.API.STREAM.MSG.GET.${stream.name}`,
      bytes({ last_by_subj: 'tp.shop.log.0.a' }),
      { timeoutMs },
    );
    if (got.status !== 'answered') throw new Error(got.status);
    expect(json(got.message)).toMatchObject({ message: { seq: 1 } });
    for (const operation of ['STREAM.UPDATE', 'STREAM.DELETE', 'STREAM.SNAPSHOT']) {
      const denied = await node.request(`$JS.API.${operation}.${stream.name}`, bytes(stream), {
        timeoutMs,
      });
      expect(denied, operation).toMatchObject({ cause: { code: 'UNAUTHORIZED' } });
    }
  });

  it('lets nodes ask each other, and read no answers but their own', async () => {
    await using one = await connect('n1').open;
    const { open, heard } = connect('n2');
    await using two = await open;
    const everybody = await failureOf(one.subscribe('_INBOX.>', () => undefined));
    expect(everybody.code).toBe('UNAUTHORIZED');
    const foreign = `${inboxPrefixOf('shop', 'n2')}.>`;
    expect((await failureOf(one.subscribe(foreign, () => undefined))).code).toBe('UNAUTHORIZED');
    const other = await failureOf(one.subscribe('tp.other.>', () => undefined));
    expect(other.code).toBe('UNAUTHORIZED');
    await two.subscribe('tp.shop.ask.x', ({ reply = '' }) => {
      two.publish(reply, bytes('once'));
      two.publish(reply, bytes('twice'));
    });
    // The interest of one server travels to the others; until then nobody is there.
    let answer = await one.request('tp.shop.ask.x', bytes(0), { timeoutMs });
    while (answer.status === 'nobody') {
      answer = await one.request('tp.shop.ask.x', bytes(0), { timeoutMs });
    }
    expect(answer.status === 'answered' && json(answer.message)).toBe('once');
    two.publish(`${inboxPrefixOf('shop', 'n1')}.guess`, bytes('forged'));
    await two.subscribe('tp.shop.done', () => undefined);
    expect(heard.map(({ code }) => code)).toEqual(['UNAUTHORIZED', 'UNAUTHORIZED']);
  });

  it.each<[string, string, Partial<NatsConnectionOptions>]>([
    ['no credentials', 'UNAUTHORIZED', { credentials: undefined }],
    ['a foreign key', 'UNAUTHORIZED', {}],
    ['a server that nobody vouches for', 'CONFIG_INVALID', { tls: true }],
    [
      'a certificate of a stranger',
      'ENGINE_UNAVAILABLE',
      { tls: { ca: authority.cert, ...stranger.issue('x') } },
    ],
  ])('refuses %s', async (what, code, options) => {
    const { seed } = await userKey();
    const credentials = what === 'a foreign key' ? { credentials: { nkeySeed: seed } } : {};
    const all = { connectTimeoutMs: 500, ...options, ...credentials };
    const refused = await failureOf(connect('n1', all).open);
    expect(refused.code).toBe(code);
    if (what.startsWith('a certificate')) expect(refused.detail).toContain('our certificate');
    expect(refused.message).not.toContain(seed);
  });

  it('takes the key from a file', async () => {
    const file = join(servers.servers[0]?.directory ?? '', 'n1.nk');
    writeFileSync(file, `${keys.get('n1')?.seed}\n`);
    await using node = await connect('n1', { credentials: { file } }).open;
    expect(node.status).toBe('connected');
    const missing = await failureOf(connect('n1', { credentials: { file: `${file}x` } }).open);
    expect(missing).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(missing.detail).toContain(`${file}x`);
  });
});

describe('what would be open to everybody', () => {
  const server = { name: 's1', version: '2.15.1', port: 4222, storeDirectory: '/data' };
  const tls = { certFile: 'c', keyFile: 'k', caFile: 'a' };
  const access = {
    cluster: 'shop',
    users: [{ name: 'n1', role: 'node', key: { nkey: 'U' } }],
  } as const;

  it.each([
    ['a certificate, users', { host: '0.0.0.0' }],
    ['users', { host: '10.0.0.1', tls }],
    ['a certificate', { host: '::', access }],
    [
      'a secret between the servers',
      { tls, access, cluster: { name: 'c', host: '10.0.0.1', port: 1, routes: [] } },
    ],
  ])('is refused without %s', async (what, more) => {
    const refused = await failureOf((async () => serverConfigText({ ...server, ...more }))());
    expect(refused.code).toBe('CONFIG_INVALID');
    expect(refused.detail).toContain(`without ${what}`);
  });

  it('is refused with names that are no words, or no users', async () => {
    const text = (users: readonly string[], cluster = 'shop') =>
      serverConfigText({
        ...server,
        access: {
          cluster,
          users: users.map(name => ({ name, role: 'node', key: { nkey: 'U' } })),
        },
      });
    for (const attempt of [
      async () => text([]),
      async () => text(['a', 'a']),
      async () => text(['a.b']),
      async () => text(['a'], 'x >'),
    ]) {
      expect((await failureOf(attempt())).code).toBe('CONFIG_INVALID');
    }
    expect(text(['a'])).toContain('_INBOX.shop.a.>');
  });
});
