/** What is not copied, and what a copy that was cut off leaves: one clear error each. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountAgent } from '../../examples/account/account.agent.ts';
import { ledgerAgent } from '../../examples/account/ledger.agent.ts';
import { openNatsCopies } from '../../src/engines/nats/copy-cluster.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import { copyIntoCluster } from '../../src/node/cluster-copies.ts';
import { silentLogger as logger } from '../../src/telemetry/logger.ts';
import { clusterNode, shortLeaseMs } from '../helpers/cluster-node.ts';
import { failureOf } from '../helpers/failure-of.ts';
import { type NatsServers, natsServers } from '../helpers/nats-servers.ts';
import { command } from '../helpers/pretended-terminal.ts';

let servers: NatsServers;
let root: string;

beforeAll(async () => {
  servers = await natsServers({ hasAccount: true });
  root = await mkdtemp(join(tmpdir(), 'troupe-refusals-'));
}, 60_000);

afterAll(async () => {
  await servers.close();
  await rm(root, { recursive: true, force: true });
});

const agents = [accountAgent, ledgerAgent] as const;
const keyCount = 300;

function nodeOn(name: string) {
  return clusterNode({ agents, cluster: { servers: servers.urls, name } });
}

/** A cluster with some agents, and no node. */
async function filled(name: string): Promise<void> {
  const troupe = nodeOn(name);
  await troupe.start();
  const moves = Array.from({ length: keyCount }, (_, key) =>
    troupe.agents.get(`account/${key}`).execute('move', { amount: key }),
  );
  await Promise.all(moves);
  await troupe.stop();
}

const troupe = (...typed: string[]) => command([...typed, '--cluster', servers.urls.join(',')]);
const digestIn = (output: string) => /digest +(\w+)/.exec(output)?.[1];

describe('troupe backup and restore of a cluster', () => {
  it('copy it, and say what is in it, the same on both ways', async () => {
    await filled('whole');
    const backup = join(root, 'whole');
    const copied = await troupe('backup', backup, '--name', 'whole');
    expect(copied).toMatchObject({ exitCode: 0, errors: '' });
    expect(copied.output).toMatch(/written to +\S+whole\nagents +301\nrecords +\d+\n/);
    const restored = await troupe('restore', backup, '--name', 'other');
    expect(restored).toMatchObject({ exitCode: 0, errors: '' });
    expect(restored.output).toMatch(/^written to +the cluster other\n/);
    expect(digestIn(copied.output)).toHaveLength(64);
    expect(digestIn(restored.output)).toBe(digestIn(copied.output));
    const data = join(root, 'whole-data');
    const embedded = await command(['restore', backup, '--data', data]);
    expect(digestIn(embedded.output)).toBe(digestIn(copied.output));
    const again = await command(['backup', join(root, 'whole-again'), '--data', data]);
    expect(digestIn(again.output)).toBe(digestIn(copied.output));
  });

  it('refuse a cluster that is not there, and make none', async () => {
    const { exitCode, errors } = await troupe('backup', join(root, 'none'), '--name', 'nobody');
    expect([exitCode, errors]).toEqual([
      1,
      expect.stringMatching(/^CONFIG_INVALID .* keep no cluster of the name nobody/),
    ]);
    await using copies = await openNatsCopies({
      connection: { servers: servers.urls, clientName: 'test' },
      ...{ name: 'nobody', clock: systemClock(), random: systemRandom() },
    });
    expect(await copies.exists()).toBe(false);
  });

  it('refuse a cluster while a node serves it', async () => {
    const node = nodeOn('busy');
    await node.start();
    await node.agents.get('account/a').execute('move', { amount: 1 });
    const backup = join(root, 'busy');
    const { exitCode, errors } = await troupe('backup', backup, '--name', 'busy');
    expect([exitCode, errors]).toEqual([
      1,
      expect.stringMatching(/^CONFIG_INVALID .*which renews its lease.*stop that one/s),
    ]);
    expect(await node.agents.get('account/a').execute('balance')).toBe(1);
    await node.stop();
    expect(await troupe('backup', backup, '--name', 'busy')).toMatchObject({ exitCode: 0 });
  }, 60_000);

  it('refuse to fill a cluster that has data, and harm nothing', async () => {
    const backup = join(root, 'whole');
    const before = await troupe('backup', join(root, 'before'), '--name', 'other');
    const { exitCode, errors } = await troupe('restore', backup, '--name', 'other');
    expect([exitCode, errors]).toEqual([
      1,
      expect.stringMatching(/^CONFIG_INVALID .*the cluster other has data already; name another/s),
    ]);
    const after = await troupe('backup', join(root, 'after'), '--name', 'other');
    expect(digestIn(after.output)).toBe(digestIn(before.output));
  }, 60_000);

  it('fill a cluster that a node has begun and given nothing', async () => {
    const node = nodeOn('begun');
    await node.start();
    await node.stop();
    const restored = await troupe('restore', join(root, 'whole'), '--name', 'begun');
    expect(restored).toMatchObject({ exitCode: 0, errors: '' });
  });

  it('refuse what is no finished backup', async () => {
    const { exitCode, errors } = await troupe('restore', root, '--name', 'unfit');
    expect([exitCode, errors]).toEqual([
      1,
      expect.stringMatching(/no finished backup.*make a new one in an empty directory/s),
    ]);
  });

  it('refuse particulars without an address', async () => {
    const { exitCode, errors } = await command(['backup', root, '--name', 'x']);
    expect([exitCode, errors]).toEqual([2, expect.stringContaining('--name needs --cluster')]);
  });
});

describe('a copy whose servers go away', () => {
  it('leaves no backup, and says so', async () => {
    const backup = join(root, 'cut');
    const copying = troupe('backup', backup, '--name', 'whole');
    await untilThere(join(backup, 'meta.unfinished'));
    await servers.servers[0]?.kill();
    const { exitCode, errors } = await copying;
    await servers.servers[0]?.start();
    expect(exitCode).toBe(1);
    expect(errors).toMatch(/^(ENGINE_|NO_QUORUM)/);
    expect(await command(['restore', backup, '--data', join(root, 'cut-data')])).toMatchObject({
      exitCode: 1,
      errors: expect.stringMatching(/no finished backup/),
    });
  }, 60_000);

  it('leaves a cluster that no node serves, and that the same restore goes on with', async () => {
    const intoHalf = (backup: string) => {
      const cluster = { servers: servers.urls, name: 'half' };
      const directory = join(root, backup);
      return copyIntoCluster({ cluster, directory, logger, leaseSpanMs: shortLeaseMs });
    };
    const filling = failureOf(intoHalf('whole'));
    await untilFilled('half');
    await servers.servers[0]?.kill();
    expect(await filling).toMatchObject({
      detail: expect.stringMatching(/filled in part.*the same restore, started again, goes on/),
    });
    await servers.servers[0]?.start();
    expect(await failureOf(nodeOn('half').start())).toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringMatching(/being filled from a backup, or that was cut off/),
    });
    const copied = await troupe('backup', join(root, 'half'), '--name', 'half');
    expect(copied.errors).toMatch(/being filled from a backup/);
    expect(await failureOf(intoHalf('busy'))).toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringMatching(/begun to be filled from another backup/),
    });
    expect(await intoHalf('whole')).toMatchObject({ logCount: 301 });
    const node = nodeOn('half');
    await node.start();
    expect(await node.agents.get('account/77').execute('balance')).toBe(77);
    await node.stop();
  }, 120_000);
});

async function untilThere(path: string): Promise<void> {
  while (!existsSync(path)) await wait(1);
}

/** Until some logs of a cluster are there, by what the server says. */
async function untilFilled(name: string): Promise<void> {
  const url = `${servers.servers[0]?.monitorUrl}/jsz?streams=true&accounts=true`;
  for (;;) {
    const text = await (await fetch(url)).text();
    const states = text.split(`"name": "tp_${name}_log_`).slice(1);
    const counts = states.map(state => Number(/"messages": (\d+)/.exec(state)?.[1] ?? 0));
    // Each has a fence for a moment.
    if (counts.reduce((sum, count) => sum + count, 0) > 2 * counts.length) return;
    await wait(1);
  }
}
