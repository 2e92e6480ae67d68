/** What configuration files say, and that servers read it as it was meant. */
import { expect, it } from 'vitest';
import { configText } from '../../../src/engines/nats/config-text.ts';
import { connectNats } from '../../../src/engines/nats/connection.ts';
import { type ServerConfig, serverConfigText } from '../../../src/engines/nats/server-config.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { natsServers } from '../../helpers/nats-servers.ts';

it('writes values, lists, blocks and comments', () => {
  const fields = {
    name: 'a',
    count: 1,
    isOn: true,
    left: undefined,
    empty: [],
    '# why': 'because',
    'odd name': { list: ['x', { y: 2 }] },
  };
  expect(configText(fields)).toBe(`name: "a"
count: 1
isOn: true
empty: []
# because
"odd name": {
  list: [
    "x"
    {
      y: 2
    }
  ]
}
`);
});

it.each([
  ['2.15.1', undefined, true],
  ['2.10.0', true, true],
  ['2.15.1', false, false],
  ['2.9.10', true, false],
])('of %s with isFlushed %s flushes: %s', (version, isFlushed, expected) => {
  const text = serverConfigText({ name: 's', version, port: 1, storeDirectory: '/x', isFlushed });
  expect(text.includes('sync_interval: "always"')).toBe(expected);
});

it.each(['newest', '2.9.10'] as const)('keeps passwords whole (%s)', async release => {
  const password = 'a"b\\c $HOME # {1k} \'é\t2s';
  const users = [{ name: 'n', role: 'node', key: { user: 'u 1', password } }] as const;
  const configure = (config: ServerConfig) => ({ ...config, access: { users } });
  await using servers = await natsServers({ release, configure });
  const credentials = { user: 'u 1', password };
  const options = { servers: servers.urls, credentials };
  await using client = await connectNats(options, { clock: systemClock() });
  expect(client.status).toBe('connected');
});
