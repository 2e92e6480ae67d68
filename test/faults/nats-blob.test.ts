/**
 * Blobs on servers in trouble, stored, read and swept by several at once: what was stored and is
 * kept is always found, and never damaged.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TroupeError } from '../../src/core/errors.ts';
import { openNatsBlob } from '../../src/engines/nats/blob.ts';
import { blobConfig, blobSubjects } from '../../src/engines/nats/blob-head.ts';
import { askJetStream, isObject } from '../../src/engines/nats/jetstream.ts';
import { ensureStream } from '../../src/engines/nats/streams.ts';
import type { Blob } from '../../src/ports/blob.ts';
import { patternBytes } from '../../src/testing/law-checks.ts';
import type { SimRandom } from '../../src/testing/sim-random.ts';
import type { NatsModel } from '../helpers/nats-model.ts';
import { inNatsTrouble } from './nats-trouble.ts';

const cluster = 'x';
const contents = [0, 10, 600_000, 1_100_000].flatMap(size => [
  patternBytes(size, 1),
  patternBytes(size + 1, 2),
]);
const ids = contents.map(bytes => createHash('sha256').update(bytes).digest('hex'));

interface State {
  readonly blobs: readonly Blob[];
  /** What was stored after it was last to be kept; all of it has to be found. */
  readonly stored: Set<number>;
  /** What a sweep may take now. */
  readonly free: Set<number>;
  readonly counts: Record<'put' | 'found' | 'absent' | 'swept' | 'failed', number>;
}

async function prepare({ connect, clock, random }: NatsModel): Promise<State> {
  const client = await connect();
  await ensureStream({ client, clock, random }, blobConfig(cluster, 3));
  const open = async () => openNatsBlob({ client: await connect(), clock, random, cluster });
  const blobs = [await open(), await open(), await open()];
  const counts = { put: 0, found: 0, absent: 0, swept: 0, failed: 0 };
  // Half of the contents are kept for good, the others never.
  const free = new Set(contents.keys().filter(index => index % 2 === 0));
  return { blobs, stored: new Set(), free, counts };
}

async function act(state: State, blob: Blob, luck: SimRandom): Promise<void> {
  const index = luck.below(contents.length);
  const draw = luck.below(10);
  try {
    if (draw < 4) await put(state, blob, index);
    else if (draw < 9) await get(state, blob, index);
    else await sweep(state, blob);
  } catch (error) {
    if (!TroupeError.is(error) || error.code === 'LOG_CORRUPT') throw error;
    state.counts.failed += 1;
  }
}

async function put({ stored, free, counts }: State, blob: Blob, index: number): Promise<void> {
  expect(await blob.put(contents[index] ?? new Uint8Array())).toBe(ids[index]);
  if (!free.has(index)) stored.add(index);
  counts.put += 1;
}

async function get({ stored, counts }: State, blob: Blob, index: number): Promise<void> {
  const isDue = stored.has(index);
  const bytes = await blob.get(ids[index] ?? '');
  if (bytes === undefined) {
    if (isDue) throw new Error(`blob ${index} is lost`);
    counts.absent += 1;
  } else {
    expect(Buffer.compare(bytes, contents[index] ?? new Uint8Array())).toBe(0);
    counts.found += 1;
  }
}

async function sweep({ free, counts }: State, blob: Blob): Promise<void> {
  const keep = new Set(ids.filter((_, index) => !free.has(index)));
  counts.swept += await blob.sweep(keep, 0);
}

/** All is found or can be stored; and a sweep of everything leaves nothing behind. */
async function judge(state: State, { connect, sleep }: NatsModel): Promise<void> {
  const [blob] = state.blobs;
  if (blob === undefined) throw new Error('there are blobs');
  for (const index of contents.keys()) {
    await get(state, blob, index);
    await put(state, blob, index);
    await get({ ...state, stored: new Set(contents.keys()) }, blob, index);
  }
  // What was begun and given up goes after ten minutes.
  await sleep(700_000);
  await blob.sweep(new Set(), 0);
  const body = { subjects_filter: `${blobSubjects(cluster)}.>` };
  const operation = `STREAM.INFO.tp_${cluster}_blob`;
  const info = await askJetStream(await connect(), operation, body, 5_000);
  const { state: found } = info.status === 'answered' ? info.value : {};
  const { subjects } = isObject(found) ? found : {};
  expect(Object.keys(subjects ?? {})).toEqual([`${blobSubjects(cluster)}.sweep`]);
}

it('are found while they are kept, whatever happens to the servers', async () => {
  const total = { put: 0, found: 0, absent: 0, swept: 0, failed: 0 };
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async seed => {
      await inNatsTrouble(seed, {
        prepare,
        work: (state, model) =>
          state.blobs.map((blob, index) => {
            const luck = model.random.fork(`worker ${index}`);
            return () => act(state, blob, luck);
          }),
        async judge(state, model) {
          await judge(state, model);
          for (const name of Object.keys(total) as (keyof typeof total)[]) {
            total[name] += state.counts[name];
          }
        },
      });
    }),
    { numRuns: 6, endOnFailure: true },
  );
  for (const count of Object.values(total)) expect(count).toBeGreaterThan(2);
});
