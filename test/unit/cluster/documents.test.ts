/** The documents of a cluster: written once, or under a number that rises, whoever comes when. */
import { describe, expect, it } from 'vitest';
import { clusterKey, ensureClusterDocument } from '../../../src/cluster/cluster-document.ts';
import { placementKey, takeShards } from '../../../src/cluster/placement.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import { memoryKeyValues } from '../../../src/engines/memory/key-value.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { failureOf } from '../../helpers/failure-of.ts';

const clock = { ...systemClock(), setTimer: (_ms: number, task: () => void) => soon(task) };

function soon(task: () => void) {
  const immediate = setImmediate(task);
  return { cancel: () => clearImmediate(immediate) };
}

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const proposed = (lineage: string) => ({ lineage, shardCount: 8, streamCount: 2 });

describe('the document of a cluster', () => {
  it('is that of whoever comes first', async () => {
    const keyValue = memoryKeyValues().open();
    const ensure = (lineage: string) =>
      ensureClusterDocument({ keyValue, clock, proposed: proposed(lineage) });
    const [one, other] = await Promise.all([ensure('a'), ensure('b')]);
    expect(one).toEqual(other);
    expect(await ensure('c')).toEqual(one);
  });

  it('is found when the answer was lost', async () => {
    const store = memoryKeyValues();
    const keyValue = store.open();
    const ensure = () => ensureClusterDocument({ keyValue, clock, proposed: proposed('a') });
    store.faults.next('unknown-stored');
    expect(await ensure()).toEqual(proposed('a'));
    expect(store.faults.fired('unknown-stored')).toBe(1);
  });

  it('is not taken from somebody else', async () => {
    const [code, format] = ['LOG_CORRUPT', 'ENGINE_UNSUPPORTED'];
    for (const [value, expected] of [
      [{ format: 1, lineage: 'a' }, code],
      [{ lineage: 'a' }, code],
      [null, code],
      [{ format: 2 }, format],
    ] as const) {
      const keyValue = memoryKeyValues().open();
      await keyValue.create(clusterKey, bytesOf(value));
      const opening = ensureClusterDocument({ keyValue, clock, proposed: proposed('b') });
      expect(await failureOf(opening)).toMatchObject({ code: expected });
    }
  });

  it('gives up where it is there and is never shown', async () => {
    const keyValue = memoryKeyValues().open();
    await keyValue.create(clusterKey, bytesOf({}));
    const blind = { ...handles(keyValue), get: async () => undefined };
    const opening = ensureClusterDocument({ keyValue: blind, clock, proposed: proposed('a') });
    expect(await failureOf(opening)).toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });
});

/** A handle whose methods can be replaced one by one. */
function handles(keyValue: ReturnType<ReturnType<typeof memoryKeyValues>['open']>) {
  return {
    get: keyValue.get.bind(keyValue),
    create: keyValue.create.bind(keyValue),
    compareAndSet: keyValue.compareAndSet.bind(keyValue),
    delete: keyValue.delete.bind(keyValue),
    keys: keyValue.keys.bind(keyValue),
    watch: keyValue.watch.bind(keyValue),
    close: keyValue.close.bind(keyValue),
  };
}

describe('taking the shards', () => {
  it('raises the epoch with each start, also of the same node', async () => {
    const keyValue = memoryKeyValues().open();
    const asked: string[] = [];
    const take = (node: string, holder: string) =>
      takeShards({ keyValue, clock, node, holder, ended: async other => void asked.push(other) });
    expect(await take('a', 'a1')).toEqual({ epoch: 1, node: 'a', holder: 'a1' });
    expect((await take('a', 'a2')).epoch).toBe(2);
    expect(asked).toEqual([]);
    expect((await take('b', 'b1')).epoch).toBe(3);
    expect(asked).toEqual(['a']);
  });

  it('gives each epoch to one only', async () => {
    const store = memoryKeyValues();
    const ended = async () => undefined;
    const takers = Array.from({ length: 6 }, (_, index) =>
      takeShards({ keyValue: store.open(), clock, node: `n${index}`, holder: `h${index}`, ended }),
    );
    const epochs = (await Promise.all(takers)).map(({ epoch }) => epoch);
    expect(epochs.sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('takes nothing from a node that serves', async () => {
    const keyValue = memoryKeyValues().open();
    const ended = async () => {
      throw new TroupeError('CONFIG_INVALID', { detail: 'it serves' });
    };
    await takeShards({ keyValue, clock, node: 'a', holder: 'a1', ended });
    const before = await keyValue.get(placementKey);
    const taking = takeShards({ keyValue, clock, node: 'b', holder: 'b1', ended });
    expect(await failureOf(taking)).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await keyValue.get(placementKey)).toEqual(before);
  });

  it('finds its own write when the answer was lost, and raises the epoch once', async () => {
    const store = memoryKeyValues();
    const keyValue = store.open();
    const ended = async () => undefined;
    await takeShards({ keyValue, clock, node: 'a', holder: 'a1', ended });
    store.faults.next('unknown-stored');
    const taken = await takeShards({ keyValue, clock, node: 'a', holder: 'a2', ended });
    expect(taken).toEqual({ epoch: 2, node: 'a', holder: 'a2' });
  });

  it('takes no document that does not say whose they are', async () => {
    const keyValue = memoryKeyValues().open();
    await keyValue.create(placementKey, bytesOf({ format: 1, epoch: 'x' }));
    const ended = async () => undefined;
    const taking = takeShards({ keyValue, clock, node: 'a', holder: 'a1', ended });
    expect(await failureOf(taking)).toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('gives up where others go on changing it', async () => {
    const keyValue = memoryKeyValues().open();
    const ended = async () => undefined;
    const beaten = { ...handles(keyValue), create: async () => ({ status: 'conflict' }) as const };
    const taking = takeShards({ keyValue: beaten, clock, node: 'a', holder: 'a1', ended });
    expect(await failureOf(taking)).toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });
});
