/** A cluster is copied to a directory, goes on in it, and from there into another cluster. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterDefaults } from '../../src/cluster/cluster-document.ts';
import { openBackup } from '../../src/engines/embedded/backup-reader.ts';
import { openNatsCopies } from '../../src/engines/nats/copy-cluster.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { systemDisk } from '../../src/engines/system/disk.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import {
  type ClusterCopyReport,
  copyFromCluster,
  copyIntoCluster,
} from '../../src/node/cluster-copies.ts';
import { composeTroupe } from '../../src/node/create-troupe.ts';
import { countBackup, openData, restoreData } from '../../src/node/data-directory.ts';
import { slicesOf } from '../../src/node/log-census.ts';
import type { StoredRecord } from '../../src/ports/log.ts';
import { decodeRecord } from '../../src/state/record.ts';
import { silentLogger as logger } from '../../src/telemetry/logger.ts';
import { clusterNode, shortLeaseMs } from '../helpers/cluster-node.ts';
import { type NatsServers, natsServers } from '../helpers/nats-servers.ts';
import { effects, shopAgents } from './copied-shop.ts';

let servers: NatsServers;
let root: string;

beforeAll(async () => {
  servers = await natsServers({ hasAccount: true });
  root = await mkdtemp(join(tmpdir(), 'troupe-copies-'));
}, 60_000);

afterAll(async () => {
  await servers.close();
  await rm(root, { recursive: true, force: true });
});

type ShopNode = ReturnType<typeof onCluster>;

function onCluster(name: string) {
  return clusterNode({ agents: shopAgents, cluster: { servers: servers.urls, name } });
}

function onDirectory(data: string): ShopNode {
  return composeTroupe({ agents: shopAgents, data, logger });
}

function copyOf(name: string, directory: string, { urls }: NatsServers = servers) {
  const cluster = { servers: urls, name };
  return { cluster, directory, logger, leaseSpanMs: shortLeaseMs };
}

/** Runs a node for as long as `act` takes. */
async function during<Value>(
  troupe: ShopNode,
  act: (troupe: ShopNode) => Promise<Value>,
): Promise<Value> {
  await troupe.start();
  try {
    return await act(troupe);
  } finally {
    await troupe.stop();
  }
}

/** Leaves something of everything behind. */
async function workOn(troupe: ShopNode, word: string): Promise<void> {
  const alice = troupe.agents.get('shop/alice');
  for (let count = 0; count < 30; count += 1) await alice.execute('add', 1);
  await alice.execute('add', 1, { idempotencyKey: word });
  // It waits for a signal, and its caller for nothing.
  alice.request('work', word);
  await expect.poll(() => effects).toContain(`before ${word}`);
  await alice.execute('lose', word);
  await expect.poll(async () => (await lettersOf(troupe)).includes(word)).toBe(true);
  for (let count = 0; count < 20; count += 1) {
    await troupe.agents.get(`shop/${word}-${count}`).execute('add', count);
  }
  await alice.execute('remind', '4s');
}

/** Everything is there, and goes on. */
async function goOn(troupe: ShopNode, word: string, expected: { count: number; rung: number }) {
  const alice = troupe.agents.get('shop/alice');
  const { count, rung } = expected;
  expect(await alice.execute('look')).toMatchObject({ count });
  expect(await alice.execute('add', 1, { idempotencyKey: word })).toBe(count);
  expect(await alice.execute('look')).toMatchObject({ count });
  expect(await lettersOf(troupe)).toContain(word);
  await alice.signal('go', {});
  await expect.poll(() => effects).toContain(`behind ${word}`);
  expect(effects.filter(effect => effect.endsWith(word))).toEqual([
    `before ${word}`,
    `behind ${word}`,
  ]);
  await expect.poll(async () => (await alice.execute('look')).rung, { timeout: 10_000 }).toBe(rung);
  expect(await troupe.agents.get(`shop/${word}-7`).execute('look')).toMatchObject({ count: 7 });
}

async function lettersOf(troupe: ShopNode): Promise<unknown[]> {
  const { items } = await troupe.deadLetters.list();
  return items.map(({ input }) => input);
}

/** Every place that a snapshot names lies before all that there is. */
async function expectNoPlaceNamed(batches: AsyncIterable<readonly StoredRecord[]>): Promise<void> {
  const [places, named]: [number[], number[]] = [[], []];
  for await (const records of batches) {
    for (const { seq, bytes } of records) {
      places.push(seq);
      for (const op of decodeRecord(bytes, String(seq)).ops) {
        if (op[0] === 'image') named.push(...(op[1].cuts ?? []).map(cut => cut.seq));
      }
    }
  }
  expect(named.length).toBeGreaterThan(2);
  expect(Math.max(...named)).toBeLessThan(Math.min(...places));
}

async function* batchesIn(directory: string): AsyncGenerator<readonly StoredRecord[]> {
  await using backup = await openBackup(systemDisk(directory), systemRandom());
  yield* slicesOf(backup, 'shop/alice');
}

async function* batchesOf(
  name: string,
  { urls }: NatsServers = servers,
): AsyncGenerator<readonly StoredRecord[]> {
  await using copies = await openNatsCopies({
    connection: { servers: urls, clientName: 'test' },
    ...{ name, clock: systemClock(), random: systemRandom() },
  });
  await using source = await copies.open(clusterDefaults);
  for await (const batch of source.batches()) yield* batch.map(({ records }) => records);
}

const same = ({ logCount, recordCount, recordBytes, digest }: ClusterCopyReport) => {
  return { logCount, recordCount, recordBytes, digest };
};

describe('a backup of a cluster', () => {
  it('goes on in a directory, and from there in a new cluster', async () => {
    await during(onCluster('first'), async troupe => {
      await workOn(troupe, 'one');
      expect(await troupe.agents.get('shop/alice').execute('look')).toMatchObject({ rung: 0 });
    });
    const backup = join(root, 'from-first');
    const copied = await copyFromCluster(copyOf('first', backup));
    expect(copied).toMatchObject({ logCount: 22, epoch: 2 });
    await expectNoPlaceNamed(batchesIn(backup));
    expect(await countBackup(backup)).toEqual({ ...same(copied), damagedNames: [] });

    const data = join(root, 'data');
    const restored = await restoreData({ backup, directory: data });
    expect(restored.epoch).toBe(3);
    await during(onDirectory(data), async troupe => {
      await goOn(troupe, 'one', { count: 31, rung: 1 });
      await workOn(troupe, 'two');
    });

    const second = join(root, 'from-data');
    await using opened = await openData(data);
    await opened.backUp(second);
    const counted = await countBackup(second);
    const into = await copyIntoCluster(copyOf('second', second));
    expect(same(into)).toEqual({ ...counted, damagedNames: undefined });
    await expectNoPlaceNamed(batchesOf('second'));
    expect(into.epoch).toBe(opened.epoch + 1);
    expect([restored.lineage, opened.lineage]).not.toContain(into.lineage);
    await during(onCluster('second'), troupe => goOn(troupe, 'two', { count: 62, rung: 2 }));
  }, 60_000);

  it.each([{ release: '2.9.10' }, { count: 3 }] as const)(
    'fills servers with %o',
    async which => {
      await using others = await natsServers({ ...which, hasAccount: true });
      const backup = join(root, 'from-data');
      const into = await copyIntoCluster(copyOf('third', backup, others));
      expect(same(into)).toEqual({ ...(await countBackup(backup)), damagedNames: undefined });
      await expectNoPlaceNamed(batchesOf('third', others));
      const again = join(root, `from-third-${others.servers.length}`);
      expect(same(await copyFromCluster(copyOf('third', again, others)))).toEqual(same(into));
    },
    60_000,
  );
});
