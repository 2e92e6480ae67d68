/** Servers that know each user, and let a node do no more than it needs. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accountAgent } from '../../examples/account/account.agent.ts';
import { ledgerAgent } from '../../examples/account/ledger.agent.ts';
import { inboxPrefixOf } from '../../src/engines/nats/server-access.ts';
import { clusterNode } from '../helpers/cluster-node.ts';
import { type NatsServers, natsServers } from '../helpers/nats-servers.ts';

const cluster = 'shop';
const users = (['operator', 'node'] as const).map(role => {
  return { name: role, role, key: { user: role, password: 'secret' } };
});

let servers: NatsServers;
beforeAll(async () => {
  const access = { cluster, users };
  servers = await natsServers({ configure: config => ({ ...config, access }) });
}, 60_000);
afterAll(() => servers.close());

function nodeAs(user: 'operator' | 'node', password = 'secret') {
  const inboxPrefix = inboxPrefixOf(cluster, user);
  const credentials = { user, password };
  return clusterNode({
    agents: [accountAgent, ledgerAgent],
    cluster: { servers: servers.urls, name: cluster, credentials, inboxPrefix },
  });
}

it('lets a node run where an operator has made the cluster, and tells where none has', async () => {
  const early = nodeAs('node');
  await expect(early.start()).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    detail: expect.stringMatching(/let a node start once with the operator's key/),
  });

  const maker = nodeAs('operator');
  await maker.start();
  await maker.stop();

  const node = nodeAs('node');
  await node.start();
  const alice = node.agents.get('account/alice');
  expect(await alice.execute('move', { amount: 3 })).toBe(3);
  expect(await alice.execute('balance')).toBe(3);
  await node.stop();
});

it('lets nobody in with a wrong password', async () => {
  await expect(nodeAs('node', 'wrong').start()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});
