/** A cluster that is being filled is nobody's to serve, and begins above all epochs there were. */
import { expect, it } from 'vitest';
import { clusterKey, ensureClusterDocument } from '../../../src/cluster/cluster-document.ts';
import { encodeDocument } from '../../../src/cluster/document.ts';
import { takeShards } from '../../../src/cluster/placement.ts';
import { memoryKeyValues } from '../../../src/engines/memory/key-value.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { failureOf } from '../../helpers/failure-of.ts';

const clock = systemClock();
const plain = { lineage: 'a', shardCount: 8, streamCount: 2 };
const filling = { ...plain, isFilling: true } as const;

it('refuses a cluster that is being filled to all but whoever fills it', async () => {
  const keyValue = memoryKeyValues().open();
  const ensure = (proposed: typeof plain) => ensureClusterDocument({ keyValue, clock, proposed });
  expect(await ensure(filling)).toEqual(filling);
  expect(await failureOf(ensure(plain))).toMatchObject({
    code: 'CONFIG_INVALID',
    detail: expect.stringMatching(/let `troupe restore` of the same backup come to its end/),
  });
  expect(await ensure({ ...filling, lineage: 'b' })).toEqual(filling);
  const found = await keyValue.get(clusterKey);
  await keyValue.compareAndSet(clusterKey, encodeDocument(plain), found?.revision ?? 0);
  expect(await ensure(plain)).toEqual(plain);
  expect(await ensure(filling)).toEqual(plain);
});

it('takes the shards above an epoch that the cluster does not know of', async () => {
  const keyValue = memoryKeyValues().open();
  const take = (holder: string, epochAtLeast?: number) =>
    takeShards({ keyValue, clock, node: 'a', holder, epochAtLeast, ended: async () => undefined });
  expect(await take('one', 41)).toMatchObject({ epoch: 42 });
  expect(await take('two', 7)).toMatchObject({ epoch: 43 });
  expect(await take('three')).toMatchObject({ epoch: 44 });
});
