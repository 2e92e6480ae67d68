/**
 * The bus on servers in trouble: a request runs once or not at all, never long past its deadline,
 * and never when it is said not to have run; messages of one publisher come in order, or not.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TroupeError } from '../../src/core/errors.ts';
import { openNatsBus } from '../../src/engines/nats/bus.ts';
import type { Bus } from '../../src/ports/bus.ts';
import type { SimRandom } from '../../src/testing/sim-random.ts';
import type { NatsModel } from '../helpers/nats-model.ts';
import { inNatsTrouble } from './nats-trouble.ts';

const skewMs = 2_000;
const nodes = 3;

interface Asked {
  readonly deadlineMs: number;
  outcome: 'answered' | 'waiting' | TroupeError['outcome'];
  runs: number;
  lastRunMs: number;
}

interface State {
  readonly buses: readonly Bus[];
  /** Ends the responder of a node. */
  readonly stops: (() => void)[];
  readonly asked: Map<string, Asked>;
  /** What was heard of each publisher, by listener and publisher. */
  readonly heard: Map<string, number[]>;
  readonly published: number[];
}

async function prepare(model: NatsModel): Promise<State> {
  const { clock } = model;
  const buses: Bus[] = [];
  for (let node = 0; node < nodes; node++) {
    buses.push(openNatsBus({ client: await model.connect(), clock, prefix: 'tp.x' }));
  }
  const state: State = { buses, stops: [], asked: new Map(), heard: new Map(), published: [] };
  for (const [node, bus] of buses.entries()) {
    await respond(state, model, node);
    await bus.subscribe('news.*', ({ topic, payload }) => {
      const key = `${node} hears ${topic}`;
      state.heard.set(key, [...(state.heard.get(key) ?? []), Number(Buffer.from(payload))]);
    });
  }
  // Until then a server may not know who listens at another.
  await model.sleep(1_000);
  return state;
}

async function respond({ buses, stops, asked }: State, { clock }: NatsModel, node: number) {
  const stop = await buses[node]?.respond(`node.${node}`, async ({ payload }) => {
    const found = asked.get(Buffer.from(payload).toString());
    if (found === undefined) throw new Error('asked by nobody');
    found.runs += 1;
    found.lastRunMs = clock.monotonic();
    return payload;
  });
  if (stop !== undefined) stops[node] = stop;
}

async function ask({ buses, asked }: State, { clock }: NatsModel, luck: SimRandom, node: number) {
  const id = luck.hex(8);
  const timeoutMs = luck.between(50, 4_000);
  const deadlineMs = clock.monotonic() + timeoutMs;
  const entry: Asked = { deadlineMs, outcome: 'waiting', runs: 0, lastRunMs: 0 };
  asked.set(id, entry);
  const topic = `node.${luck.below(nodes)}`;
  try {
    const answer = await buses[node]?.request(topic, Buffer.from(id), timeoutMs);
    expect(Buffer.from(answer ?? []).toString()).toBe(id);
    entry.outcome = 'answered';
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    entry.outcome = error.outcome;
  }
  expect(clock.monotonic()).toBeLessThan(deadlineMs + 10);
}

async function publish({ buses, published }: State, node: number): Promise<void> {
  const number = (published[node] ?? 0) + 1;
  published[node] = number;
  try {
    await buses[node]?.publish(`news.${node}`, Buffer.from(`${number}`));
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
  }
}

async function act(state: State, model: NatsModel, luck: SimRandom, node: number): Promise<void> {
  const draw = luck.below(20);
  if (draw < 12) await ask(state, model, luck, node);
  else if (draw < 19) await publish(state, node);
  else {
    state.stops[node]?.();
    await respond(state, model, node).catch(() => undefined);
  }
}

function judge({ asked, heard }: State, total: Record<string, number>): void {
  for (const [id, { outcome, runs, deadlineMs, lastRunMs }] of asked) {
    expect([id, runs <= 1]).toEqual([id, true]);
    if (outcome === 'answered') expect([id, runs]).toEqual([id, 1]);
    if (outcome === 'not-executed') expect([id, runs]).toEqual([id, 0]);
    expect(lastRunMs).toBeLessThan(deadlineMs + skewMs + 10);
    const kind = outcome === 'unknown' ? `unknown, ran ${runs}` : outcome;
    count(total, kind, 1);
  }
  for (const numbers of heard.values()) {
    expect(numbers).toEqual([...new Set(numbers)].sort((left, right) => left - right));
    count(total, 'heard', numbers.length);
  }
}

function count(total: Record<string, number>, kind: string, by: number): void {
  total[kind] = (total[kind] ?? 0) + by;
}

it('keeps its word about every request, whatever happens to the servers', async () => {
  const total: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async seed => {
      await inNatsTrouble(seed, {
        prepare,
        work: (state, model) =>
          Array.from({ length: 2 * nodes }, (_, index) => {
            const luck = model.random.fork(`asker ${index}`);
            return () => act(state, model, luck, index % nodes);
          }),
        judge: async state => judge(state, total),
      });
    }),
    { numRuns: 10, endOnFailure: true },
  );
  for (const kind of ['answered', 'not-executed', 'unknown, ran 0', 'unknown, ran 1', 'heard']) {
    expect([kind, (total[kind] ?? 0) > 0]).toEqual([kind, true]);
  }
});
