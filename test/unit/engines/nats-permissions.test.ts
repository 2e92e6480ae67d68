/** A node works with the permissions of a node, on streams that an operator has made. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TroupeError } from '../../../src/core/errors.ts';
import { openNatsBlob } from '../../../src/engines/nats/blob.ts';
import { blobConfig } from '../../../src/engines/nats/blob-head.ts';
import { openNatsBus } from '../../../src/engines/nats/bus.ts';
import { connectNats, type OpenConnection } from '../../../src/engines/nats/connection.ts';
import { openNatsKeyValue } from '../../../src/engines/nats/key-value.ts';
import { bucketConfig } from '../../../src/engines/nats/key-value-entry.ts';
import { openNatsLog } from '../../../src/engines/nats/log.ts';
import { inboxPrefixOf } from '../../../src/engines/nats/server-access.ts';
import type { ServerConfig } from '../../../src/engines/nats/server-config.ts';
import { ensureStream } from '../../../src/engines/nats/streams.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import type { KeyValueChange } from '../../../src/ports/key-value.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { put, textsOf } from '../../helpers/log-steps.ts';
import { type NatsServers, natsServers } from '../../helpers/nats-servers.ts';

const clock = systemClock();
const random = systemRandom();
const cluster = 'shop';
const bucket = `tp_${cluster}_main`;
const names = { boss: 'operator', n1: 'node' } as const;

let servers: NatsServers;
beforeAll(async () => {
  servers = await natsServers({ configure });
});
afterAll(() => servers.close());

function configure(config: ServerConfig): ServerConfig {
  const users = Object.entries(names).map(([name, role]) => {
    return { name, role, key: { user: name, password: 'secret' } };
  });
  return { ...config, access: { cluster, users } };
}

function connect(user: keyof typeof names, heard: TroupeError[]): Promise<OpenConnection> {
  const options = {
    servers: servers.urls,
    credentials: { user, password: 'secret' },
    inboxPrefix: inboxPrefixOf(cluster, user),
  };
  return connectNats(options, { clock, onRefused: cause => void heard.push(cause) });
}

it('is refused on streams that nobody has made', async () => {
  await using node = await connect('n1', []);
  const refused = await failureOf(
    openNatsLog({ client: node, clock, random, cluster: 'other', streamCount: 1 }),
  );
  expect(refused.code).toBe('UNAUTHORIZED');
});

it('reads, writes, watches, trims, and keeps large values', async () => {
  const heard: TroupeError[] = [];
  await using boss = await connect('boss', heard);
  const parts = { clock, random, cluster, streamCount: 2, shardCount: 4 };
  await (await openNatsLog({ client: boss, ...parts })).close();
  await ensureStream({ client: boss, clock, random }, bucketConfig(bucket, 1));
  await ensureStream({ client: boss, clock, random }, blobConfig(cluster, 1));

  await using node = await connect('n1', heard);
  await useLog(node, parts);
  await useKeys(node);
  await useBus(node);
  const blob = openNatsBlob({ client: node, clock, random, cluster });
  const bytes = new Uint8Array(1_500_000).fill(7);
  const id = await blob.put(bytes);
  expect(await blob.get(id)).toEqual(bytes);
  expect(await blob.sweep(new Set(), 0)).toBe(1);
  await blob.close();
  expect(heard).toEqual([]);
});

type LogParts = Omit<Parameters<typeof openNatsLog>[0], 'client'>;

async function useLog(client: OpenConnection, parts: LogParts): Promise<void> {
  const log = await openNatsLog({ client, ...parts });
  const first = await put(log, 'counter/a', 0, 'one', '!two');
  const wakeAt = clock.now() - 1;
  const three = [{ bytes: new TextEncoder().encode('three') }];
  expect(await log.append('counter/a', first, three, { wakeAt })).toMatchObject({
    status: 'accepted',
  });
  expect(textsOf(await log.readLatest('counter/a'))).toEqual(['!two', 'three']);
  await log.trim('counter/a', first);
  expect(textsOf(await log.read('counter/a', { after: 0 }))).toContain('three');
  expect((await log.heads({ prefix: 'counter/' })).heads).toMatchObject([{ name: 'counter/a' }]);
  expect((await log.heads({ dueAt: clock.now() })).heads).toMatchObject([{ name: 'counter/a' }]);
  await log.close();
}

async function useKeys(client: OpenConnection): Promise<void> {
  const keys = openNatsKeyValue({ client, clock, random, bucket });
  const { promise, resolve } = Promise.withResolvers<KeyValueChange>();
  const stop = await keys.watch('node/', resolve);
  const made = await keys.create('node/1', Buffer.of(1));
  if (made.status !== 'accepted') throw new Error(made.status);
  expect(await promise).toMatchObject({ kind: 'put', entry: { key: 'node/1' } });
  const changed = await keys.compareAndSet('node/1', Buffer.of(2), made.revision);
  if (changed.status !== 'accepted') throw new Error(changed.status);
  expect(await keys.keys('node/')).toEqual(['node/1']);
  expect((await keys.get('node/1'))?.value).toEqual(Uint8Array.of(2));
  expect((await keys.delete('node/1', changed.revision)).status).toBe('accepted');
  stop();
  await keys.close();
}

async function useBus(client: OpenConnection): Promise<void> {
  const bus = openNatsBus({ client, clock, prefix: `tp.${cluster}` });
  await bus.respond('ask', async ({ payload }) => payload);
  expect(await bus.request('ask', Buffer.of(3), 5_000)).toEqual(Uint8Array.of(3));
  const { promise, resolve } = Promise.withResolvers<string>();
  await bus.subscribe('news.*', ({ topic }) => resolve(topic));
  await bus.publish('news.today', Buffer.of());
  expect(await promise).toBe('news.today');
  await bus.close();
}
