/** What servers say of themselves: asked as a node asks, on servers as they are recommended. */
import { describe, expect, it } from 'vitest';
import { connectNats } from '../../../src/engines/nats/connection.ts';
import type { ServerConfig } from '../../../src/engines/nats/server-config.ts';
import { askServers, serversSubject } from '../../../src/engines/nats/server-reports.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { natsServers } from '../../helpers/nats-servers.ts';

const clock = systemClock();

/** A clock that is off by so much. */
const wrongClock = (offMs: number): Clock => ({ ...clock, now: () => clock.now() + offMs });

describe('servers as recommended', () => {
  it.each([
    ['newest', true],
    ['2.9.10', false],
  ] as const)('three of release %s say whether they flush: %s', async (release, isFlushed) => {
    await using servers = await natsServers({ release, count: 3, hasAccount: true });
    await using client = await connectNats({ servers: servers.urls }, { clock });
    const reports = await askServers({ client, clock });
    expect(reports).toMatchObject(
      ['s1', 's2', 's3'].map(name => ({ name, version: servers.version, isFlushed })),
    );
    for (const { clockAheadMs, clockDoubtMs } of reports) {
      // Servers tell their time in full milliseconds or finer, and we read it in full ones.
      expect(Math.abs(clockAheadMs)).toBeLessThanOrEqual(clockDoubtMs + 2);
    }
    const [late] = await askServers({ client, clock: wrongClock(-60_000) });
    expect(Math.abs((late?.clockAheadMs ?? 0) - 60_000)).toBeLessThanOrEqual(
      (late?.clockDoubtMs ?? 0) + 2,
    );
  });

  it('tell which of them does not flush, and only those that are up', async () => {
    const configure = (config: ServerConfig) => ({ ...config, isFlushed: config.name !== 's2' });
    await using servers = await natsServers({ count: 3, hasAccount: true, configure });
    await using client = await connectNats({ servers: servers.urls[0] ?? '' }, { clock });
    const flushed = async () =>
      (await askServers({ client, clock })).map(({ name, isFlushed }) => [name, isFlushed]);
    expect(await flushed()).toEqual([
      ['s1', true],
      ['s2', false],
      ['s3', true],
    ]);
    await servers.servers[2]?.kill();
    await expect.poll(flushed).toEqual([
      ['s1', true],
      ['s2', false],
    ]);
  });

  it('let a node ask, with nothing but its permissions', async () => {
    const key = { user: 'n1', password: 'secret' };
    const users = [{ name: 'n1', role: 'node', key }] as const;
    const configure = (config: ServerConfig) => ({
      ...config,
      access: { cluster: 'shop', users },
    });
    await using servers = await natsServers({ configure });
    const options = { servers: servers.urls, credentials: key, inboxPrefix: '_INBOX.shop.n1' };
    await using client = await connectNats(options, { clock });
    expect(await askServers({ client, clock })).toMatchObject([{ isFlushed: true }]);
  });
});

describe('other servers', () => {
  it('say nothing, which is told at once', async () => {
    await using servers = await natsServers();
    await using client = await connectNats({ servers: servers.urls }, { clock });
    expect(await askServers({ client, clock, timeoutMs: 60_000 })).toEqual([]);
  });

  it('may have somebody there who says something else', async () => {
    await using servers = await natsServers();
    await using client = await connectNats({ servers: servers.urls }, { clock });
    const answers = ['', '{', '[]', '{"server":{"name":"x"},"data":{"version":"1"}}', 'null'];
    await client.subscribe(serversSubject, ({ reply = '' }) => {
      for (const answer of answers) client.publish(reply, new TextEncoder().encode(answer));
    });
    expect(await askServers({ client, clock, quietMs: 20 })).toEqual([]);
  });

  it('may be away', async () => {
    await using servers = await natsServers();
    const client = await connectNats({ servers: servers.urls }, { clock });
    await client.close();
    const refused = await failureOf(askServers({ client, clock }));
    expect(refused.code).toBe('ENGINE_UNAVAILABLE');
  });
});
