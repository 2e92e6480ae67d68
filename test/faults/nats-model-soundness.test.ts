/**
 * The model must lie no more than the servers do: whatever befalls replicated servers of a good
 * version that flush, what they acknowledged stays, in one chain, and all replicas come to agree.
 */
import { describe, expect, it } from 'vitest';
import type { NatsClient } from '../../src/engines/nats/client.ts';
import {
  drawNatsFaults,
  natsFaultKinds,
  scheduleNatsFaults,
} from '../../src/testing/sim-nats-faults.ts';
import { machineOf } from '../../src/testing/sim-nats-stream.ts';
import { inNatsModel, type NatsModel } from '../helpers/nats-model.ts';

const seeds = Array.from({ length: 12 }, (_, place) => place + 1);
const minutes = 20;
const contenders = 3;

interface Tally {
  readonly acknowledged: Map<number, string>;
  unknown: number;
  refused: number;
}

describe('modelled servers that are replicated and flush', () => {
  it.each(seeds)('keep what they acknowledge, with seed %i', { timeout: 30_000 }, async seed => {
    const { tally, chain } = await inNatsModel({ seed, servers: 3 }, async model => {
      const tally: Tally = { acknowledged: new Map(), unknown: 0, refused: 0 };
      const first = await model.connect();
      await createStream(first);
      const untilMs = minutes * 60_000;
      const plan = { kinds: natsFaultKinds, fromMs: 5_000, untilMs, gapMs: 40_000 };
      scheduleNatsFaults(model.cluster, drawNatsFaults(model.random, plan));
      await Promise.all(
        Array.from({ length: contenders }, (_, place) => contend(model, tally, `${place}`)),
      );
      model.cluster.healAll();
      await model.sleep(60_000);
      return { tally, chain: finalChain(model) };
    });
    // Enough must have happened for this to mean anything.
    expect(tally.acknowledged.size).toBeGreaterThan(300);
    expect(tally.unknown).toBeGreaterThan(0);
    for (const [seq, id] of tally.acknowledged) expect(chain.get(seq)?.id).toBe(id);
    let previous = 0;
    for (const [seq, { expected }] of chain) {
      expect(expected).toBe(previous);
      previous = seq;
    }
  });

  it('do the same twice with the same seed', async () => {
    const run = () =>
      inNatsModel({ seed: 99, servers: 3 }, async model => {
        const tally: Tally = { acknowledged: new Map(), unknown: 0, refused: 0 };
        await createStream(await model.connect());
        const plan = { kinds: natsFaultKinds, fromMs: 1_000, untilMs: 120_000, gapMs: 10_000 };
        scheduleNatsFaults(model.cluster, drawNatsFaults(model.random, plan));
        await contend(model, tally, 'one', 120_000);
        return model.trace.hash;
      });
    expect(await run()).toBe(await run());
  });
});

async function createStream(client: NatsClient): Promise<void> {
  const body = { name: 'S', subjects: ['s.>'], num_replicas: 3, allow_direct: true };
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const reply = await client.request('$JS.API.STREAM.CREATE.S', bytes, { timeoutMs: 5_000 });
  expect(reply.status).toBe('answered');
}

/** Appends again and again behind what it believes to be the end. */
async function contend(
  model: NatsModel,
  tally: Tally,
  name: string,
  untilMs = minutes * 60_000,
): Promise<void> {
  const client = await model.connect();
  let expected = 0;
  for (let number = 0; model.cluster.scheduler.nowMs < untilMs; number++) {
    const id = `${name}-${number}`;
    const reply = await client.request('s.one', new TextEncoder().encode(id), {
      timeoutMs: 2_000,
      headers: { 'Nats-Expected-Last-Subject-Sequence': `${expected}` },
    });
    if (reply.status === 'unknown') tally.unknown++;
    if (reply.status === 'answered') {
      const answer = JSON.parse(new TextDecoder().decode(reply.message.payload));
      if (answer.error === undefined) tally.acknowledged.set(answer.seq, id);
      else tally.refused++;
      expected = answer.seq || Number(/\d+$/.exec(answer.error.description)?.[0] ?? expected);
    }
    await model.sleep(model.random.between(50, 1_500));
  }
  await client.close();
}

/** What all replicas hold in the end, with what each message was sent behind. */
function finalChain({ cluster }: NatsModel): Map<number, { id: string; expected: number }> {
  const replicas = cluster.assets.streams.get('S')?.group.replicas ?? [];
  const chains = replicas.map(replica => {
    const { store } = machineOf(replica);
    const chain = new Map<number, { id: string; expected: number }>();
    for (let seq = 1; seq <= store.lastSeq; seq++) {
      const message = store.get(seq);
      if (message === undefined) continue;
      const expected = Number(message.headers['Nats-Expected-Last-Subject-Sequence']);
      chain.set(seq, { id: new TextDecoder().decode(message.payload), expected });
    }
    return chain;
  });
  const [chain = new Map()] = chains;
  for (const other of chains) expect(other).toEqual(chain);
  return chain;
}
