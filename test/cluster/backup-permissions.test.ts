/** Who may copy a cluster in production: a node its logs, an operator into new streams. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accountAgent } from '../../examples/account/account.agent.ts';
import { ledgerAgent } from '../../examples/account/ledger.agent.ts';
import { inboxPrefixOf } from '../../src/engines/nats/server-access.ts';
import { copyFromCluster, copyIntoCluster } from '../../src/node/cluster-copies.ts';
import { silentLogger as logger } from '../../src/telemetry/logger.ts';
import { clusterNode, shortLeaseMs } from '../helpers/cluster-node.ts';
import { failureOf } from '../helpers/failure-of.ts';
import { type NatsServers, natsServers } from '../helpers/nats-servers.ts';

const users = (['operator', 'node'] as const).map(role => {
  return { name: role, role, key: { user: role, password: 'secret' } };
});

let servers: NatsServers;
let root: string;
beforeAll(async () => {
  const access = { cluster: 'shop', users };
  servers = await natsServers({ configure: config => ({ ...config, access }) });
  root = await mkdtemp(join(tmpdir(), 'troupe-permissions-'));
}, 60_000);
afterAll(async () => {
  await servers.close();
  await rm(root, { recursive: true, force: true });
});

function clusterAs(user: 'operator' | 'node') {
  const inboxPrefix = inboxPrefixOf('shop', user);
  const credentials = { user, password: 'secret' };
  return { servers: servers.urls, name: 'shop', credentials, inboxPrefix };
}

it('lets a node make a backup, and an operator restore it, and tells who may not', async () => {
  const maker = clusterNode({
    agents: [accountAgent, ledgerAgent],
    cluster: clusterAs('operator'),
  });
  await maker.start();
  await maker.agents.get('account/alice').execute('move', { amount: 3 });
  await maker.stop();

  const rest = { logger, leaseSpanMs: shortLeaseMs };
  const directory = join(root, 'backup');
  const copied = await copyFromCluster({ ...rest, cluster: clusterAs('node'), directory });
  expect(copied.logCount).toBe(2);

  // Clusters of other names would need accounts of their own; the streams of this one are removed.
  await servers.servers[0]?.kill();
  await rm(join(servers.servers[0]?.directory ?? root, 'store'), { recursive: true });
  await servers.servers[0]?.start();
  const early = copyIntoCluster({ ...rest, cluster: clusterAs('node'), directory });
  expect(await failureOf(early)).toMatchObject({
    code: 'UNAUTHORIZED',
    detail: expect.stringMatching(/operator's key/),
  });
  const into = await copyIntoCluster({ ...rest, cluster: clusterAs('operator'), directory });
  expect(into.digest).toBe(copied.digest);
}, 60_000);
