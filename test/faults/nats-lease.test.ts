/**
 * A lease on servers in trouble: never do two believe to hold it, no election takes it away, and
 * when all is well again somebody has it.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Lease } from '../../src/cluster/lease.ts';
import { claimLease } from '../../src/cluster/lease-claim.ts';
import { type LeaseWatch, watchLeases } from '../../src/cluster/lease-watch.ts';
import { TroupeError } from '../../src/core/errors.ts';
import { openNatsKeyValue } from '../../src/engines/nats/key-value.ts';
import { bucketConfig } from '../../src/engines/nats/key-value-entry.ts';
import { ensureStream } from '../../src/engines/nats/streams.ts';
import type { KeyValue } from '../../src/ports/key-value.ts';
import type { SimRandom } from '../../src/testing/sim-random.ts';
import { inNatsModel, type NatsModel } from '../helpers/nats-model.ts';
import { inNatsTrouble } from './nats-trouble.ts';

const key = 'nodes/a';
const bucket = 'tp_x_main';
const contenders = 3;

interface State {
  readonly leases: Set<Lease>;
  readonly counts: Record<'claimed' | 'expired' | 'released' | 'died' | 'refused', number>;
  life: number;
}

async function openKeys({ connect, clock, random }: NatsModel): Promise<KeyValue> {
  return openNatsKeyValue({ client: await connect(), clock, random, bucket });
}

async function prepare({ connect, clock, random }: NatsModel): Promise<State> {
  const client = await connect();
  await ensureStream({ client, clock, random }, bucketConfig(bucket, 3));
  const counts = { claimed: 0, expired: 0, released: 0, died: 0, refused: 0 };
  return { leases: new Set(), counts, life: 0 };
}

/** One life of a contender: it watches, claims, holds for a while, and gives back or dies. */
async function live(state: State, model: NatsModel, luck: SimRandom): Promise<void> {
  const { leases, counts } = state;
  const { clock } = model;
  state.life += 1;
  const incarnation = state.life;
  let keyValue: KeyValue | undefined;
  let watch: LeaseWatch | undefined;
  try {
    keyValue = await openKeys(model);
    watch = await watchLeases({ keyValue, clock, prefix: 'nodes/' });
    for (let step = luck.below(20); step > 0; step--) {
      await model.sleep(1_000);
      const isOverdue = watch.lease(key)?.isOverdue === true;
      if (isOverdue && (await watch.expire(key))) counts.expired += 1;
    }
    const holder = `life ${incarnation}`;
    const lease = await claimLease({ keyValue, clock, key, holder, incarnation });
    counts.claimed += 1;
    leases.add(lease);
    await model.sleep(luck.exponential(20_000));
    if (luck.chance(0.6) && (await lease.release())) counts.released += 1;
    else counts.died += 1;
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    if (error.code === 'CONFIG_INVALID') counts.refused += 1;
  }
  // Whoever cannot write any more is as good as dead: what it held lapses.
  await watch?.close();
  await keyValue?.close();
}

function judgeNow({ leases }: State): void {
  const held = [...leases].filter(lease => lease.isHeld);
  if (held.length > 1) throw new Error(`${held.map(each => each.token)} are held at once`);
}

it('is never held by two, whatever happens to the servers', async () => {
  const total = { claimed: 0, expired: 0, released: 0, died: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async seed => {
      await inNatsTrouble(seed, {
        prepare,
        work: (state, model) => [
          async () => judgeNow(state),
          ...Array.from({ length: contenders }, (_, index) => {
            const luck = model.random.fork(`contender ${index}`);
            return () => live(state, model, luck);
          }),
        ],
        async judge(state, model) {
          judgeNow(state);
          const keyValue = await openKeys(model);
          const { clock } = model;
          await model.sleep(20_000);
          const holder = 'the last';
          const lease = await claimLease({ keyValue, clock, key, holder, incarnation: 1_000 });
          await model.sleep(60_000);
          expect(lease.isHeld).toBe(true);
          for (const name of Object.keys(total) as (keyof typeof total)[]) {
            total[name] += state.counts[name];
          }
        },
      });
    }),
    { numRuns: 15, endOnFailure: true },
  );
  for (const name of ['claimed', 'released', 'died', 'refused'] as const) {
    expect([name, total[name] > 5]).toEqual([name, true]);
  }
});

it('outlasts the death of the servers one by one, as an upgrade is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async seed => {
      await inNatsModel({ seed, servers: 3 }, async model => {
        await prepare(model);
        const keyValue = await openKeys(model);
        const { clock, cluster } = model;
        const lease = await claimLease({ keyValue, clock, key, holder: 'a', incarnation: 1 });
        const states: string[] = [];
        lease.onState(state => states.push(state));
        for (const server of cluster.servers) {
          await model.sleep(model.random.between(0, 3_000));
          cluster.kill(server);
          await model.sleep(3_000);
          cluster.start(server);
          await model.sleep(15_000);
        }
        expect([seed, states, lease.isHeld]).toEqual([seed, [], true]);
      });
    }),
    { numRuns: 30, endOnFailure: true },
  );
});
