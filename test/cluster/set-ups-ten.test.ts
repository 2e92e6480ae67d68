/**
 * Ten set-ups that do not work, on real servers. Each is told by one error, with its code, the
 * place and what to do about it, and `troupe doctor` names the same; what was acknowledged before
 * is there when the set-up is mended.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { leaseSpanMsDefault } from '../../src/cluster/lease-time.ts';
import { connectNats } from '../../src/engines/nats/connection.ts';
import { accessFields, inboxPrefixOf } from '../../src/engines/nats/server-access.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { failureOf } from '../helpers/failure-of.ts';
import { natsCaller } from '../helpers/nats-caller.ts';
import { shelf } from './shelf.ts';
import { expectFound, expectToTell, openShop, type Shop } from './shop.ts';

const entry = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const shelves = fileURLToPath(new URL('shelf.ts', import.meta.url));

const keys = (['operator', 'node', 'poor'] as const).map(name => {
  const role = name === 'operator' ? ('operator' as const) : ('node' as const);
  return { name, role, key: { user: name, password: 'secret' } };
});

/** How a user comes in. */
function as(user: (typeof keys)[number]['name'], password = 'secret') {
  return { credentials: { user, password }, inboxPrefix: inboxPrefixOf('shop', user) };
}

function addressOf({ servers }: Shop, user: string, password = 'secret'): string {
  return servers.urls.map(url => url.replace('//', `//${user}:${password}@`)).join(',');
}

describe('ten set-ups that do not work', { timeout: 120_000 }, () => {
  it('1. no server', async () => {
    await using shop = await openShop();
    const [server] = shop.servers.servers;
    await server?.kill();
    const failure = await failureOf(shop.node().start());
    const place = `127.0.0.1:${server?.port}`;
    await expectToTell(failure, {
      code: 'ENGINE_UNAVAILABLE',
      place: `no NATS server answers at ${place}`,
      remedy: 'correct `servers`, or start one with `troupe engine up`',
    });
    expectFound(await shop.doctor(), 'servers', 'ENGINE_UNAVAILABLE', place, 'troupe engine up');
    await server?.start();
    await shop.expectKept();
  });

  it('2. too old for three replicas', async () => {
    const cluster = { replicas: 1, unflushed: true };
    await using shop = await openShop({ release: '2.9.10', count: 3, cluster });
    // Three is what servers that form a cluster are asked for.
    const other = { name: 'other', replicas: undefined };
    const failure = await failureOf(shop.node(other).start());
    await expectToTell(failure, {
      code: 'ENGINE_UNSUPPORTED',
      place: 'is 2.9.10, and before 2.10.23 with 3 replicas',
      remedy: 'upgrade it, or ask for one replica',
    });
    const found = await shop.doctor('--name', 'other', '--unflushed');
    expectFound(
      found,
      'version',
      'ENGINE_UNSUPPORTED',
      's1 is 2.9.10',
      'upgrade it, or ask for one',
    );
    await shop.expectKept();
  });

  it('3. JetStream off', async () => {
    await using shop = await openShop();
    await shop.restart(config => ({ ...config, access: undefined, more: { jetstream: false } }));
    await expectToTell(await failureOf(shop.node().start()), {
      code: 'CONFIG_INVALID',
      place: 'JetStream is off on the NATS server s1',
      remedy: 'switch it on in its configuration',
    });
    expectFound(await shop.doctor(), 'jetstream', 'CONFIG_INVALID', 's1', 'switch it on');

    const { accounts, ...access } = accessFields({ users: [], isOpen: true });
    const account = { ...Reflect.get(accounts as object, 'TROUPE'), jetstream: undefined };
    const more = { ...access, accounts: { ...(accounts as object), TROUPE: account } };
    await shop.restart(config => ({ ...config, access: undefined, more }), false);
    await expectToTell(await failureOf(shop.node().start()), {
      code: 'CONFIG_INVALID',
      place: 'JetStream is off for this account',
      remedy: 'switch it on in the configuration of the server',
    });
    expectFound(await shop.doctor(), 'jetstream', 'CONFIG_INVALID', 'this account', 'switch it on');
    await shop.restart();
    await shop.expectKept();
  });

  it('4. wrong credentials', async () => {
    const access = { cluster: 'shop', users: keys };
    const configure = (config: object) => ({ ...config, access }) as never;
    await using shop = await openShop({ configure, cluster: as('operator') });
    const failure = await failureOf(shop.node(as('operator', 'wrong')).start());
    const place = `127.0.0.1:${shop.servers.servers[0]?.port}`;
    await expectToTell(failure, {
      code: 'UNAUTHORIZED',
      place: `NATS at ${place} refuses the credentials`,
      remedy: 'correct `credentials`',
    });
    const found = await shop.doctor('--cluster', addressOf(shop, 'operator', 'wrong'));
    expectFound(found, 'servers', 'UNAUTHORIZED', place, 'correct `credentials`');
    await shop.expectKept();
  });

  it.each([
    ['to write leases', '$KV.>', '$KV.tp_shop.nodes.', 'start'],
    ['to append', 'tp.shop.>', 'tp.shop.log.', 'turn'],
  ])('5. permission missing %s', async (_what, subject, place, when) => {
    const fields = accessFields({ cluster: 'shop', users: keys });
    const poor = JSON.parse(JSON.stringify(fields));
    const users: { user: string; permissions: { publish: { allow: string[] } } }[] =
      poor.accounts.TROUPE_shop.users;
    const { publish } = users.find(({ user }) => user === 'poor')?.permissions ?? {};
    if (publish === undefined) throw new Error('there is no such user');
    publish.allow = publish.allow.filter(allowed => allowed !== subject);
    const configure = (config: object) => ({ ...config, access: undefined, more: poor }) as never;
    await using shop = await openShop({ configure, cluster: as('operator') });
    const node = shop.node(as('poor'));
    const adding = async () => node.agents.get(shelf, 'one').execute('add', 1);
    if (when === 'turn') await node.start();
    const failure = await failureOf(when === 'turn' ? adding() : node.start());
    await node.stop();
    await expectToTell(failure, {
      code: 'UNAUTHORIZED',
      place: `may not publish on ${place}`,
      remedy: 'give it the permissions of a node',
    });
    const prefix = inboxPrefixOf('shop', 'poor');
    const asPoor = ['--cluster', addressOf(shop, 'poor'), '--inbox-prefix', prefix];
    expectFound(
      await shop.doctor(...asPoor),
      'permissions',
      'UNAUTHORIZED',
      `may not publish on ${place.split('.').slice(0, 2).join('.')}`,
      'give it the permissions of a node',
    );
    await shop.expectKept();
  });

  it('6. a stream with a foreign configuration', async () => {
    await using shop = await openShop();
    await using client = await connectNats(
      { servers: shop.servers.urls },
      { clock: systemClock() },
    );
    const { api } = natsCaller(client);
    const name = 'tp_shop_log_3';
    const { config } = await api(`STREAM.INFO.${name}`);
    const update = (more: object) =>
      api(`STREAM.UPDATE.${name}`, { ...(config as object), ...more });
    expect(await update({ discard: 'old' })).not.toHaveProperty('error');
    await expectToTell(await failureOf(shop.node().start()), {
      code: 'CONFIG_INVALID',
      place: `the stream ${name} on the NATS server cannot be used: its discard is "old"`,
      remedy: 'must be "new"; change it there, or name another cluster',
    });
    const texts = [
      'CONFIG_INVALID',
      name,
      'its discard is "old" and must be "new"; change it there',
    ];
    expectFound(await shop.doctor(), 'streams', ...texts);
    expect(await update({})).not.toHaveProperty('error');
    await shop.expectKept();
  });

  it('7. more replicas than servers', async () => {
    await using shop = await openShop();
    const three = { name: 'other', replicas: 3 };
    await expectToTell(await failureOf(shop.node(three).start()), {
      code: 'CONFIG_INVALID',
      place: 'STREAM.CREATE.KV_tp_other was refused: replicas > 1 not supported',
      remedy: 'the server is not part of a cluster; ask for one replica, or start three servers',
    });
    const found = await shop.doctor('--name', 'other', '--replicas', '3');
    const texts = ['CONFIG_INVALID', '3 copies', '1 server with', 'ask for fewer replicas'];
    expectFound(found, 'replicas', ...texts);
    // Of a cluster that is there, the number is fixed.
    const more = await failureOf(shop.node({ replicas: 3 }).start());
    await expectToTell(more, {
      code: 'CONFIG_INVALID',
      place: 'cluster.replicas is 3, and the cluster shop was made with 1',
      remedy: 'leave it out',
    });
    expectFound(await shop.doctor('--replicas', '3'), 'replicas', 'CONFIG_INVALID', 'leave it out');
    await shop.expectKept();
  });

  it('8. the disk of the server full', async () => {
    await using shop = await openShop({ configure: limited(2_000_000) });
    const node = shop.node({}, leaseSpanMsDefault);
    await node.start();
    const one = node.agents.get(shelf, 'one');
    expect(await one.execute('look')).toMatchObject({ count: 3 });
    const fill = async () => {
      for (let index = 0; index < 100; index += 1) {
        const filler = node.agents.get(shelf, `filler-${index}`);
        await filler.execute('write', 'x'.repeat(60_000));
      }
    };
    const failure = await failureOf(fill());
    await expectToTell(failure, {
      code: 'DISK_FULL',
      place: 'tp_shop_log_',
      remedy: 'make room on the disks of the NATS servers, or raise their `max_file_store`',
    });
    expect(failure.outcome).toBe('not-executed');
    // Who is in memory can be read; the lease, which is written there too, lasts for a while.
    expect(await one.execute('look')).toMatchObject({ count: 3 });
    expectFound(await shop.doctor(), 'storage', 'DISK_FULL', 's1', 'raise `max_file_store`');
    const late = await failureOf(shop.node({ name: 'other' }).start());
    await shop.restart(limited(100_000_000));
    // The node that runs goes on by itself.
    expect(await one.execute('add', 0, { timeout: '20s' })).toBe(3);
    await node.stop();
    await shop.expectKept();
    await expectToTell(late, {
      code: 'DISK_FULL',
      place: 'KV_tp_other',
      remedy: 'make room on the disks of the NATS servers',
    });
  });

  it('9. a message above the limit of the servers', async () => {
    await using shop = await openShop();
    await shop.restart(config => ({ ...config, more: { max_payload: 65_536 } }));
    const node = shop.node();
    await node.start();
    const large = node.agents.get(shelf, 'large').execute('write', 'x'.repeat(100_000));
    const failure = await failureOf(large);
    await expectToTell(failure, {
      code: 'PAYLOAD_TOO_LARGE',
      place: 'a record of shelf/large has',
      remedy: 'change less at once, or keep large values outside',
    });
    expect(failure.outcome).toBe('rolled-back');
    // What was stored when more was taken is larger than what is taken now.
    expect(await node.agents.get(shelf, 'one').execute('look')).toMatchObject({ length: 100_000 });
    await node.stop();
    const { checks } = await shop.doctor();
    expect(checks).toContainEqual({
      name: 'message size',
      result: 'warning',
      detail: expect.stringMatching(/s1 takes .* 65,536 bytes: .*PAYLOAD_TOO_LARGE; raise/),
    });
    await shop.restart();
    await shop.expectKept();
  });

  it.each([
    ['behind', -60_000, 'ahead of'],
    ['ahead', 60_000, 'behind'],
  ])('10. a clock that is far %s', async (_how, offMs, servers) => {
    await using shop = await openShop();
    const url = shop.servers.urls[0] ?? '';
    const dev = ['dev', shelves, '--no-watch', '--cluster', url, '--data', shop.directory];
    const place = `the clock of the NATS server s1 is`;
    const started = await withClock(offMs, [...dev, '--json']);
    expect(started.exitCode).toBe(1);
    const { error } = JSON.parse(started.errors.trim().split('\n').at(-1) ?? '');
    expect(error.detail).toMatch(/is (59|60)\.\d s/);
    await expectToTell(error, {
      code: 'CONFIG_INVALID',
      place,
      remedy: '10 s are the limit; keep the clocks of all machines in step with NTP',
    });
    expect(error.detail).toContain(`${servers} that of this machine`);
    const doctor = ['doctor', '--cluster', url, '--name', 'shop', '--json'];
    const { exitCode, output } = await withClock(offMs, doctor);
    const found = { exitCode, checks: JSON.parse(output) };
    expectFound(found, 'clocks', 'CONFIG_INVALID', place, '10 s are the limit', 'NTP');
    await shop.expectKept();
  });
});

/** What the streams of a server may take. */
function limited(storeBytesMax: number) {
  return (config: object) => ({ ...config, storeBytesMax }) as never;
}

/** Runs a command in a process whose wall clock is off by so much. */
function withClock(offMs: number, typed: readonly string[]) {
  const shift = `const now = Date.now; Date.now = () => now() + ${offMs};`;
  const preload = `data:text/javascript,${encodeURIComponent(shift)}`;
  const given = ['--import', preload, entry, ...typed];
  return new Promise<{ exitCode: number; output: string; errors: string }>(resolve => {
    execFile(process.execPath, given, (error, output, errors) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, output, errors });
    });
  });
}
