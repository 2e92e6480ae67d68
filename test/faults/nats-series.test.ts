/**
 * A short form of `npm run nats-faults`: a node and one of its three servers are killed under a
 * checked workload. The whole of it takes minutes.
 */
import { expect, it } from 'vitest';
import { runFaultSeries } from './nats-series-faults.ts';

const workload = { seed: 1, counters: 4, jobs: 2, pauseMs: 30 };
const kept = { lost: 0, doubled: 0, stepsRepeated: 0, complaints: [] };

it('loses and doubles nothing when the node is killed', { timeout: 180_000 }, async () => {
  const { faults, verdict } = await runFaultSeries('node', { ...workload, rounds: 3 });
  expect(verdict).toMatchObject(kept);
  expect(verdict.acknowledged).toBeGreaterThan(50);
  expect(faults).toHaveLength(3);
});

it('loses and doubles nothing when a leader is killed', { timeout: 180_000 }, async () => {
  const { faults, verdict } = await runFaultSeries('leader', { ...workload, rounds: 1 });
  expect(verdict).toMatchObject(kept);
  expect(verdict.acknowledged).toBeGreaterThan(50);
  // Otherwise no stream had to elect another one.
  expect(faults[0]?.stallMs).toBeGreaterThan(1_000);
});
