/** The servers that tests run against: found, started, killed, started again. */
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { natsServers } from '../../helpers/nats-servers.ts';

it.each(['newest', '2.9.10'] as const)('runs one server (%s)', async release => {
  await using servers = await natsServers({ release });
  expect(await greetingOf(servers.servers[0]?.port ?? 0)).toMatchObject({
    version: servers.version,
    jetstream: true,
  });
  if (release === '2.9.10') expect(servers.version).toBe('2.9.10');
});

it.each(['newest', '2.9.10'] as const)('runs three servers as one cluster (%s)', async release => {
  await using cluster = await natsServers({ release, count: 3 });
  expect(await greetingOf(cluster.servers[2]?.port ?? 0)).toMatchObject({ cluster: 'test' });
  const [first] = cluster.servers;
  await first?.kill();
  await first?.start({ isWhole: true });
  expect(await greetingOf(first?.port ?? 0)).toMatchObject({ server_name: 's1' });
});

/** The first line that a server sends. */
function greetingOf(port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', (bytes: Buffer) => {
      socket.destroy();
      resolve(JSON.parse(bytes.toString().replace(/^INFO /, '')));
    });
  });
}
