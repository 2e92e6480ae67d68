/**
 * Keys and values on servers in trouble: what is accepted forms one chain, what is said not to have
 * happened is never seen, revisions rise, and whoever watches sees the last.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TroupeError } from '../../src/core/errors.ts';
import { openNatsKeyValue } from '../../src/engines/nats/key-value.ts';
import { bucketConfig } from '../../src/engines/nats/key-value-entry.ts';
import { ensureStream } from '../../src/engines/nats/streams.ts';
import type { KeyValue, KeyValueChange } from '../../src/ports/key-value.ts';
import type { SimRandom } from '../../src/testing/sim-random.ts';
import type { NatsModel } from '../helpers/nats-model.ts';
import { inNatsTrouble } from './nats-trouble.ts';

const bucket = 'tp_x_main';
const keys = ['nodes/a', 'nodes/b', 'map'];
const writers = 4;

interface Operation {
  readonly key: string;
  readonly text: string;
  /** 0 for a creation. */
  readonly expected: number;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly outcome: 'accepted' | 'conflict' | 'not-executed' | 'unknown';
  readonly revision: number;
}

interface State {
  readonly stores: readonly KeyValue[];
  readonly operations: Operation[];
  readonly changes: KeyValueChange[][];
  readonly seen: { readonly key: string; readonly text: string; readonly revision: number }[];
}

async function prepare({ connect, clock, random }: NatsModel): Promise<State> {
  const client = await connect();
  await ensureStream({ client, clock, random }, bucketConfig(bucket, 3));
  const stores: KeyValue[] = [];
  const changes: KeyValueChange[][] = [];
  for (let count = 0; count < writers; count++) {
    const store = openNatsKeyValue({ client: await connect(), clock, random, bucket });
    const seen: KeyValueChange[] = [];
    await store.watch(count === 0 ? '' : 'nodes/', change => seen.push(change));
    stores.push(store);
    changes.push(seen);
  }
  return { stores, operations: [], changes, seen: [] };
}

/** One write, on what the writer reads, or on what it read long ago. */
async function write(state: State, store: KeyValue, luck: SimRandom, model: NatsModel) {
  const key = luck.pick(keys) ?? 'map';
  const entry = await store.get(key).catch(() => undefined);
  if (entry !== undefined) {
    const text = Buffer.from(entry.value).toString();
    state.seen.push({ key, text, revision: entry.revision });
  }
  if (luck.chance(0.3)) await model.sleep(luck.exponential(2_000));
  const text = luck.hex(8);
  const expected = entry?.revision ?? 0;
  const beganMs = model.clock.monotonic();
  let outcome: Operation['outcome'] = 'unknown';
  let revision = 0;
  try {
    const result = await attempt(store, { key, text, expected, isDeletion: luck.chance(0.15) });
    outcome = result.status;
    if (result.status === 'accepted') revision = result.revision;
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    if (error.outcome === 'not-executed') outcome = 'not-executed';
  }
  const endedMs = model.clock.monotonic();
  state.operations.push({ key, text, expected, beganMs, endedMs, outcome, revision });
}

interface Attempt {
  readonly key: string;
  readonly text: string;
  readonly expected: number;
  readonly isDeletion: boolean;
}

function attempt(store: KeyValue, { key, text, expected, isDeletion }: Attempt) {
  if (expected === 0) return store.create(key, Buffer.from(text));
  if (isDeletion) return store.delete(key, expected);
  return store.compareAndSet(key, Buffer.from(text), expected);
}

async function judge(state: State): Promise<void> {
  const { stores, operations, changes, seen } = state;
  for (const change of changes.flat()) if (change.kind === 'put') seen.push(textIn(change));
  for (const key of keys) {
    const mine = operations.filter(each => each.key === key);
    const accepted = mine.filter(each => each.outcome === 'accepted');
    mustBeAChain(accepted);
    const texts = new Set(seen.filter(each => each.key === key).map(each => each.text));
    const isRefuted = ({ outcome, text }: Operation) =>
      (outcome === 'conflict' || outcome === 'not-executed') && texts.has(text);
    expect(mine.filter(isRefuted)).toEqual([]);
    const final = await stores[0]?.get(key);
    const last = Math.max(0, ...accepted.map(each => each.revision));
    if (final !== undefined) expect(final.revision).toBeGreaterThanOrEqual(last);
    // The others watch nodes only.
    const watches = key === 'map' ? changes.slice(0, 1) : changes;
    for (const all of watches) mustEndWith(all, key, final?.revision);
  }
}

/** No two were accepted on the same, and what began later has the higher revision. */
function mustBeAChain(accepted: readonly Operation[]): void {
  const sets = accepted.filter(each => each.expected > 0).map(each => each.expected);
  expect(new Set(sets).size).toBe(sets.length);
  for (const one of accepted) {
    expect(one.revision).toBeGreaterThan(one.expected);
    for (const other of accepted) {
      if (one.endedMs < other.beganMs) expect(one.revision).toBeLessThan(other.revision);
      const isBetween = one.expected < other.revision && other.revision < one.revision;
      // A creation expects no value; a value that stood there was deleted before.
      if (isBetween && one.expected > 0) throw new Error(`${other.text} lies within ${one.text}`);
    }
  }
}

function mustEndWith(all: readonly KeyValueChange[], key: string, revision?: number): void {
  const own = all.filter(change => textIn(change).key === key);
  const revisions = own.map(change => textIn(change).revision);
  expect(revisions).toEqual(revisions.toSorted((left, right) => left - right));
  const last = own.at(-1);
  if (revision === undefined) expect(last?.kind ?? 'delete').toBe('delete');
  else expect(revisions.at(-1)).toBe(revision);
}

function textIn(change: KeyValueChange): { key: string; text: string; revision: number } {
  if (change.kind === 'delete') return { key: change.key, text: '', revision: change.revision };
  const { key, value, revision } = change.entry;
  return { key, text: Buffer.from(value).toString(), revision };
}

it('form one chain for each key, whatever happens to the servers', async () => {
  const total: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async seed => {
      await inNatsTrouble(seed, {
        prepare,
        work: (state, model) =>
          state.stores.map((store, index) => {
            const luck = model.random.fork(`writer ${index}`);
            return () => write(state, store, luck, model);
          }),
        async judge(state) {
          await judge(state);
          for (const { outcome } of state.operations) total[outcome] = (total[outcome] ?? 0) + 1;
        },
      });
    }),
    { numRuns: 12, endOnFailure: true },
  );
  for (const kind of ['accepted', 'conflict', 'unknown']) {
    expect([kind, (total[kind] ?? 0) > 10]).toEqual([kind, true]);
  }
});
