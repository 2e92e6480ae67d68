/** The log on NATS with the permissions that a node has in production. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectNats } from '../../../src/engines/nats/connection.ts';
import { openNatsLog } from '../../../src/engines/nats/log.ts';
import { inboxPrefixOf } from '../../../src/engines/nats/server-access.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { type NatsServers, natsServers } from '../../helpers/nats-servers.ts';

const clock = systemClock();
let servers: NatsServers;

beforeAll(async () => {
  const user = (name: string, role: 'node' | 'operator') => ({
    name,
    role,
    key: { user: name, password: 'secret' },
  });
  const access = { cluster: 'shop', users: [user('n1', 'node'), user('boss', 'operator')] };
  servers = await natsServers({ configure: config => ({ ...config, access }) });
});
afterAll(() => servers.close());

async function openAs(name: string) {
  const credentials = { user: name, password: 'secret' };
  const inboxPrefix = inboxPrefixOf('shop', name);
  const heard: unknown[] = [];
  const onRefused = (cause: unknown) => void heard.push(cause);
  const options = { servers: servers.urls, credentials, inboxPrefix };
  const client = await connectNats(options, { clock, onRefused });
  const layout = { cluster: 'shop', streamCount: 1, shardCount: 1 };
  const opening = openNatsLog({ client, clock, random: systemRandom(), ...layout });
  return { client, heard, opening };
}

it('is made by an operator and used by nodes', async () => {
  const early = await openAs('n1');
  const error = await failureOf(early.opening);
  expect(error.code).toBe('UNAUTHORIZED');
  expect(error.detail).toContain("start one node with the operator's credentials");
  await early.client.close();

  const operator = await openAs('boss');
  await (await operator.opening).close();
  await operator.client.close();

  const node = await openAs('n1');
  const log = await node.opening;
  let tail = 0;
  for (const text of ['one', 'two', 'S']) {
    const records = [{ bytes: Buffer.from(text), isSnapshot: text === 'S' }];
    const result = await log.append('a/1', tail, records, { wakeAt: 5 });
    if (result.status !== 'accepted') throw new Error(result.status);
    tail = result.seq;
  }
  expect((await log.read('a/1', { after: 0 })).records).toHaveLength(3);
  await log.trim('a/1', tail);
  expect((await log.read('a/1', { after: 0 })).records).toHaveLength(1);
  expect((await log.readLatest('a/1')).tail).toBe(tail);
  const heads = [{ name: 'a/1', tail, wakeAt: 5 }];
  expect(await log.heads({})).toEqual({ heads });
  expect(await log.heads({ dueAt: 5 })).toEqual({ heads });
  expect(node.heard).toEqual([]);
  await log.close();
  await node.client.close();
});
