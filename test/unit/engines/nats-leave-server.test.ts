/** A connection that leaves its server goes to another one, and what was in flight breaks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNats } from '../../../src/engines/nats/connection.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { type NatsServers, natsServers } from '../../helpers/nats-servers.ts';
import { reached } from '../../helpers/nats-status.ts';

const clock = systemClock();
const none = new Uint8Array();

let servers: NatsServers;

beforeAll(async () => {
  servers = await natsServers({ count: 3 });
}, 60_000);

afterAll(() => servers.close());

describe('a connection that leaves its server', () => {
  it('is with another one afterwards', async () => {
    for (let time = 1; time <= 4; time += 1) {
      await using client = await connectNats({ servers: servers.urls }, { clock });
      const { name } = client.server;
      const isDown = reached(client, 'disconnected');
      client.leaveServer();
      await isDown;
      await reached(client, 'connected');
      expect(client.server.name).not.toBe(name);
    }
  });

  it('breaks what is in flight, whose fate is then unknown', async () => {
    await using client = await connectNats({ servers: servers.urls }, { clock });
    await using other = await connectNats({ servers: servers.urls }, { clock });
    await other.subscribe('asked', () => undefined);
    const reply = client.request('asked', none, { timeoutMs: 20_000 });
    client.leaveServer();
    expect(await reply).toMatchObject({ status: 'unknown', cause: { outcome: 'unknown' } });
    await reached(client, 'connected');
  });

  it('goes on with what it listened to', async () => {
    await using client = await connectNats({ servers: servers.urls }, { clock });
    await using other = await connectNats({ servers: servers.urls }, { clock });
    await client.subscribe('questions', message => {
      client.publish(message.reply ?? '', none);
    });
    const isDown = reached(client, 'disconnected');
    client.leaveServer();
    await isDown;
    await reached(client, 'connected');
    // Servers tell each other who listens, a moment later.
    let { status } = await other.request('questions', none, { timeoutMs: 5_000 });
    for (let time = 1; status === 'nobody' && time <= 500; time += 1) {
      ({ status } = await other.request('questions', none, { timeoutMs: 5_000 }));
    }
    expect(status).toBe('answered');
  });

  it('does nothing when it is closed, or alone', async () => {
    const client = await connectNats({ servers: servers.urls }, { clock });
    await client.close();
    client.leaveServer();
    expect(client.status).toBe('closed');
    await using alone = await natsServers();
    await using lonely = await connectNats({ servers: alone.urls }, { clock });
    const isDown = reached(lonely, 'disconnected');
    lonely.leaveServer();
    await isDown;
    await reached(lonely, 'connected');
  });
});
