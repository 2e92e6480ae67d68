/**
 * A series of faults against a node with a checked workload: harm is done again and again, each
 * time after all agents have answered again, and in the end there is a verdict.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { SeriesNode } from './nats-series-life.ts';
import { type Fault, type MeasuredFault, measureFaults } from './nats-series-measure.ts';
import type { SeriesResult } from './nats-series-report.ts';

/** How a series is run. */
export interface SeriesOptions {
  readonly rounds: number;
  readonly seed: number;
  /** How many agents take turns (default 8), and how many do jobs (default 3). */
  readonly counters?: number | undefined;
  readonly jobs?: number | undefined;
  /** How long each caller waits before it asks again (default 40). */
  readonly pauseMs?: number | undefined;
  /** After a fault callers go on for this long, and up to a half longer (default 1,000). */
  readonly calmMs?: number | undefined;
  /** Hears of each fault when what followed it is over. */
  readonly onFault?: ((fault: MeasuredFault) => void) | undefined;
}

/** The servers of a series, and the way to where its node lives. */
export interface SeriesServers {
  readonly version: string;
  readonly urls: readonly string[];
  readonly wrapper?: readonly string[] | undefined;
}

/** Where a fault is done. */
export interface Scene {
  readonly node: SeriesNode;
  readonly random: SimRandom;
}

/** Does harm, and tells what it did when it has been taken back. */
export type Act = (scene: Scene, round: number) => Promise<Fault>;

/** Runs a series. */
export async function runSeries(
  { version, urls, wrapper }: SeriesServers,
  options: SeriesOptions,
  act: Act,
): Promise<SeriesResult> {
  const { rounds, seed, onFault, counters = 8, jobs = 3, pauseMs = 40 } = options;
  const { calmMs = 1_000 } = options;
  const directory = await mkdtemp(join(tmpdir(), 'troupe-series-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const node = new SeriesNode({ servers: urls, directory, counters, jobs, pauseMs, wrapper });
  stack.defer(() => node.close());
  const random = new SimRandom(`faults ${seed}`);
  const faults: Fault[] = [];
  await node.begin().ready;
  let isServing = await node.serves(Date.now());
  for (let round = 0; round < rounds && isServing; round += 1) {
    faults.push(await act({ node, random }, round));
    await node.serves(Date.now());
    // Some trouble comes only when servers meet again.
    await wait(calmMs * (1 + random.next() / 2));
    isServing = await node.serves(Date.now());
    const measured = measureFaults(node.history, faults).at(-1);
    if (measured !== undefined) onFault?.(measured);
  }
  const verdict = await node.finish();
  return { version, faults: measureFaults(node.history, faults), verdict };
}
