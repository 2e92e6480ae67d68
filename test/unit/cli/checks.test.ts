/** What the doctor makes of a node that is in a cluster. */
import { expect, it } from 'vitest';
import { checksOf } from '../../../src/cli/checks.ts';
import type { Session } from '../../../src/cli/session.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import type { Json } from '../../../src/gateway/wire.ts';
import { folderOf } from '../../helpers/folder-of.ts';

/** The checks beside those of this machine, when the node answers so. */
async function checksWhen(standing: string, look: () => Json) {
  using folder = folderOf({});
  const server = { name: 's1', version: '2.15.1' };
  const cluster = { name: 'shop', node: 'n1', epoch: 4, replicas: 3, flushing: 'flushed', server };
  const node = { version: '1.2.3', pid: 7, standing, cluster };
  const session = {
    options: { data: folder.path },
    terminal: { env: {} },
    ask: async ({ path }: { readonly path: readonly string[] }) =>
      path[0] === 'node' ? node : look(),
  };
  // Nothing else of a session is used here.
  const checks = await checksOf(session as unknown as Session);
  return checks.slice(checks.findIndex(({ name }) => name === 'node'));
}

it('is told with its place, and that its servers cannot be looked at', async () => {
  const checks = await checksWhen('suspended', () => {
    throw new TroupeError('ENGINE_UNAVAILABLE', { detail: 'no NATS server answers' });
  });
  expect(checks).toEqual([
    { name: 'node', result: 'ok', detail: 'process 7, version 1.2.3, suspended' },
    { name: 'engine', result: 'ok', detail: 'on NATS servers' },
    {
      name: 'place',
      result: 'failed',
      detail: 'NO_QUORUM: n1 has no lease in shop and cannot reach the servers',
    },
    { name: 'servers', result: 'failed', detail: 'ENGINE_UNAVAILABLE: no NATS server answers' },
  ]);
});

it('is told with what it found in its cluster', async () => {
  const found = {
    name: 'shop',
    server: { name: 's1', version: '2.15.1', payloadBytesMax: 1_048_576 },
    reports: [],
    account: { failure: { code: 'CONFIG_INVALID', detail: 'JetStream is off' } },
    replicas: 1,
    isUnflushedTaken: false,
  };
  const checks = await checksWhen('ready', () => found);
  expect(checks.map(({ name, result }) => `${name} ${result}`)).toEqual([
    ...['node ok', 'engine ok', 'place ok', 'servers warning', 'version ok'],
    ...['jetstream failed', 'clocks warning'],
  ]);
  expect(checks[2]?.detail).toBe('n1 in shop, epoch 4, by way of s1');
  expect(checks[5]?.detail).toBe('CONFIG_INVALID: JetStream is off');
});
