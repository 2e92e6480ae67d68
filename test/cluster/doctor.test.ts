/** `troupe doctor` on clusters of real servers: what it finds, and that it leaves nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../src/cli/check.ts';
import { connectNats, userKey } from '../../src/engines/nats/connection.ts';
import { inboxPrefixOf } from '../../src/engines/nats/server-access.ts';
import type { ServerConfig } from '../../src/engines/nats/server-config.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { certificateAuthority } from '../helpers/certificates.ts';
import { folderOf } from '../helpers/folder-of.ts';
import { natsCaller } from '../helpers/nats-caller.ts';
import { natsServers } from '../helpers/nats-servers.ts';
import { command } from '../helpers/pretended-terminal.ts';
import { runProgram } from '../helpers/run-program.ts';
import { type DoctorAnswer, expectFound, openShop, type Shop } from './shop.ts';

const entry = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const shelves = fileURLToPath(new URL('shelf.ts', import.meta.url));

function checkOf({ checks }: DoctorAnswer, name: string): Check | undefined {
  return checks.find(check => check.name === name);
}

function notOk({ checks }: DoctorAnswer): readonly Check[] {
  return checks.filter(({ result }) => result !== 'ok');
}

/** Every stream there is, with all that its server says of its content. */
async function contentOf({ servers }: Shop): Promise<readonly unknown[]> {
  await using client = await connectNats({ servers: servers.urls }, { clock: systemClock() });
  const { api } = natsCaller(client);
  const { streams } = await api('STREAM.NAMES');
  const names = [...(streams as string[])].sort();
  const details = { subjects_filter: '>', deleted_details: true };
  return await Promise.all(
    names.map(async name => {
      const { config, state, error } = await api(`STREAM.INFO.${name}`, details);
      expect(error).toBeUndefined();
      return { name, config, state };
    }),
  );
}

describe('a look at a cluster', { timeout: 120_000 }, () => {
  it.each([
    ['newest', 1, []],
    ['newest', 3, []],
    ['2.9.10', 1, ['--unflushed']],
  ] as const)('leaves nothing behind: %s, %i servers', async (release, count, flags) => {
    const cluster = { unflushed: release === '2.9.10' };
    await using shop = await openShop({ release, count, cluster });
    const before = await contentOf(shop);
    expect(before).toHaveLength(19);
    const found = await shop.doctor(...flags);
    expect(found).toMatchObject({ exitCode: 0 });
    const warnings = release === '2.9.10' ? ['version', 'promises'] : [];
    expect(notOk(found).map(({ name }) => name)).toEqual(warnings);
    expect(checkOf(found, 'permissions')?.detail).toMatch(/may do all 12 things/);
    // Nor does a look at a cluster that is not there make it.
    expect(await shop.doctor('--name', 'other', ...flags)).toMatchObject({ exitCode: 0 });
    expect(await contentOf(shop)).toEqual(before);
    await shop.expectKept();
  });

  it('names `unflushed` where that is why a promise can be made', async () => {
    await using shop = await openShop({
      configure: config => ({ ...config, isFlushed: false }),
      cluster: { unflushed: true },
    });
    const refused = await shop.doctor();
    expectFound(
      refused,
      'promises',
      'ENGINE_UNSUPPORTED',
      '`strong` is refused',
      'unflushed: true',
    );
    const accepted = await shop.doctor('--unflushed');
    expect(accepted.exitCode).toBe(0);
    expect(notOk(accepted)).toEqual([
      {
        name: 'promises',
        result: 'warning',
        detail: expect.stringMatching(/only because of `unflushed`: s1 acknowledges/),
      },
    ]);
    expect(await shop.doctor('--name', 'no cluster')).toMatchObject({ exitCode: 1 });
  });

  it('names the server that is away, and fails when most are', async () => {
    await using shop = await openShop({ count: 3 });
    const [, second, third] = shop.servers.servers;
    await third?.kill();
    const streamsNow = async () => checkOf(await shop.doctor(), 'streams');
    // Those that s3 led elect another leader first.
    await expect.poll(streamsNow, { timeout: 30_000 }).toMatchObject({
      result: 'warning',
      detail: expect.stringMatching(/^s3 is away, with copies of 19 streams/),
    });
    expect(checkOf(await shop.doctor(), 'replicas')).toMatchObject({
      result: 'warning',
      detail: expect.stringMatching(/3 copies .* 2 servers/),
    });
    await second?.kill();
    const { exitCode, checks } = await shop.doctor();
    expect(exitCode).toBe(1);
    const failed = checks.filter(({ result }) => result === 'failed');
    expect(failed.map(({ detail }) => detail).join('\n')).toMatch(/NO_QUORUM/);
  });

  it('comes in as a node does: with its key, its inbox, and encrypted', async () => {
    using folder = folderOf({});
    const authority = certificateAuthority('the authority');
    const place = (name: string, text: string) => {
      writeFileSync(join(folder.path, name), text);
      return join(folder.path, name);
    };
    const { cert, key } = authority.issue('s1');
    const tls = {
      certFile: place('cert.pem', cert),
      keyFile: place('key.pem', key),
      caFile: place('ca.pem', authority.cert),
    };
    const node = await userKey();
    const users = [{ name: 'n1', role: 'node', key: { nkey: node.publicKey } }] as const;
    const access = { cluster: 'shop', users };
    const configure = (config: ServerConfig) => ({ ...config, tls, access });
    await using servers = await natsServers({ configure });
    const typed = ['doctor', '--cluster', servers.urls.join(','), '--name', 'shop', '--json'];
    const own = [
      ...['--credentials', place('n1.nk', node.seed), '--ca', tls.caFile],
      ...['--inbox-prefix', inboxPrefixOf('shop', 'n1')],
    ];
    const { exitCode, output } = await command([...typed, ...own]);
    const found = { exitCode, checks: JSON.parse(output) };
    expect(found.exitCode).toBe(0);
    expect(checkOf(found, 'permissions')).toMatchObject({ result: 'ok' });
    expect(checkOf(found, 'cluster')?.detail).toMatch(/may not make it: .* operator/);
    // Without the key nobody is let in.
    expect(await command([...typed, '--ca', tls.caFile])).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(/UNAUTHORIZED: NATS at .* refuses the credentials/),
    });
  });
});

describe('a node', { timeout: 120_000 }, () => {
  it('tells of its cluster while it runs, and is missed when it is killed', async () => {
    await using shop = await openShop();
    const url = shop.servers.urls[0] ?? '';
    const env = { TROUPE_DATA: shop.directory };
    const dev = ['dev', shelves, '--no-watch', '--data', shop.directory, '--cluster', url];
    const program = runProgram([process.execPath, entry, ...dev], {});
    try {
      await program.said(/running shelf on the cluster/);
      const { exitCode, output } = await command(['doctor', '--json'], { env });
      const own = { exitCode, checks: JSON.parse(output) };
      expect(own.exitCode).toBe(0);
      expect(checkOf(own, 'place')?.detail).toMatch(/^node-\w+ in troupe, epoch 1, by way of s1$/);
      expect(checkOf(own, 'promises')).toMatchObject({ result: 'ok' });
      expect(checkOf(own, 'leases')?.detail).toMatch(/^node-\w+ runs$/);
      const running = await shop.doctor('--name', 'troupe');
      expect(notOk(running)).toEqual([]);
      expect(checkOf(running, 'leases')?.detail).toMatch(/^node-\w+ runs$/);
    } finally {
      await program.kill();
    }
    const killed = await shop.doctor('--name', 'troupe');
    expect(killed.exitCode).toBe(0);
    expect(notOk(killed)).toEqual([
      {
        name: 'leases',
        result: 'warning',
        detail: expect.stringMatching(/has the shards and did not renew its lease/),
      },
    ]);
    // Its directory says only who it is.
    const { output } = await command(['doctor', '--json'], { env });
    const left = { exitCode: 0, checks: JSON.parse(output) };
    expect(checkOf(left, 'data format')?.detail).toMatch(/on the servers of its cluster/);
  });
});

describe('options', () => {
  it.each([['--name', 'shop'], ['--unflushed'], ['--inbox-prefix', 'x']])(
    'of a cluster need one: %s',
    async (...flags) => {
      const { exitCode, errors } = await command(['doctor', ...flags]);
      expect({ exitCode, errors }).toEqual({
        exitCode: 2,
        errors: expect.stringContaining(`${flags[0]} needs --cluster`),
      });
    },
  );

  it('that cannot be meant are told with their code', async () => {
    const typed = ['doctor', '--cluster', 'http://x', '--json'];
    const { exitCode, output } = await command(typed);
    expectFound({ exitCode, checks: JSON.parse(output) }, 'servers', 'CONFIG_INVALID', 'http://x');
  });
});
