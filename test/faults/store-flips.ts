/**
 * One flipped bit at random places of a store of acknowledged turns of the real runtime: a fresh
 * copy each time, opened through the engine on the disk, every agent loaded and compared. Each flip
 * must be harmless, repaired or reported; never a state that is silently wrong or shorter.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { StoreLimits } from '../../src/engines/embedded/options.ts';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { drawPlace, filesOf, stampOf } from './flip-copies.ts';
import { type Judgement, type StoreTruth, truthIn } from './flip-judge.ts';
import { type Answers, type FlipVariant, fillFlipStore } from './flip-store.ts';
import type { FlipShare, FlipTask } from './flip-worker.ts';

/** How {@link flipStore} works. */
export interface StoreFlipOptions {
  readonly seed: string;
  readonly turns: number;
  readonly agentCount: number;
  readonly places: number;
  /** So many threads judge at once. */
  readonly threads: number;
  readonly limits: Partial<StoreLimits>;
  readonly onFilled?: ((agentCount: number, recordCount: number) => void) | undefined;
  readonly onFlip?: ((flip: StoreFlip) => void) | undefined;
}

/** One flip and what became of it. */
export type StoreFlip = FlipTask & Judgement;

const variants: readonly FlipVariant[] = ['closed', 'killed'];

/** Fills a store, then flips one bit after the other, each in a copy of its own. */
export async function flipStore(options: StoreFlipOptions): Promise<StoreFlip[]> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-flips-'));
  try {
    const answers = await fillFlipStore(folder, options);
    const truths = await truthsIn(folder, options.limits);
    for (const variant of variants) checkAnswers(answers, truths[variant]);
    options.onFilled?.(truths.closed.agents.size, recordCountOf(truths.closed));
    const stamps = variants.map(variant => stampOf(join(folder, variant)));
    const flips = await judgeAll(folder, truths, options);
    const isUnharmed = variants.every((name, at) => stampOf(join(folder, name)) === stamps[at]);
    if (!isUnharmed) throw new Error('a copy wrote into the original, so the verdicts say nothing');
    return flips;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function truthsIn(folder: string, limits: Partial<StoreLimits>) {
  const truths: Partial<Record<FlipVariant, StoreTruth>> = {};
  for (const variant of variants) {
    const copy = join(folder, 'undamaged');
    cpSync(join(folder, variant), copy, { recursive: true });
    truths[variant] = await truthIn(copy, limits);
    rmSync(copy, { recursive: true });
  }
  return truths as Record<FlipVariant, StoreTruth>;
}

/** What lies on the disk must be what callers were answered, before anything is damaged. */
function checkAnswers(answers: Answers, { agents }: StoreTruth): void {
  for (const [address, { sums, version }] of answers) {
    const found = agents.get(address);
    if (found?.version === version && isDeepStrictEqual(sumsOf(found.state), sums)) continue;
    throw new Error(`${address} lies on the disk otherwise than it was answered`);
  }
  if (answers.size === 0) throw new Error('no agent has answered');
}

function sumsOf(state: unknown): unknown {
  // The states of accounts and archives, which are the agents that were asked.
  const { balance, pages, count } = state as Record<string, unknown>;
  return { balance: balance ?? Object.keys(pages ?? {}).length, count };
}

function recordCountOf({ agents }: StoreTruth): number {
  return [...agents.values()].reduce((sum, { records }) => sum + records.length, 0);
}

async function judgeAll(
  folder: string,
  truths: Readonly<Record<FlipVariant, StoreTruth>>,
  options: StoreFlipOptions,
): Promise<StoreFlip[]> {
  const { limits, threads } = options;
  const tasks = tasksOf(folder, options);
  const share = Math.ceil(tasks.length / threads);
  const flips = await Promise.all(
    Array.from({ length: threads }, (_, at) => {
      const own = tasks.slice(at * share, (at + 1) * share);
      return judgeIn({ folder, name: `copy-${at}`, limits, truths, tasks: own }, options.onFlip);
    }),
  );
  return flips.flat();
}

function tasksOf(folder: string, { seed, places }: StoreFlipOptions): FlipTask[] {
  const draw = new SimRandom(`store-flips/${seed}`);
  const files = variants.map(variant => filesOf(join(folder, variant)));
  return Array.from({ length: places }, (_, at) => {
    const index = at % variants.length;
    const place = drawPlace(files[index] ?? [], draw);
    return { ...place, variant: variants[index] ?? 'closed' };
  });
}

function judgeIn(share: FlipShare, onFlip: StoreFlipOptions['onFlip']): Promise<StoreFlip[]> {
  const flips: StoreFlip[] = [];
  const worker = new Worker(new URL('./flip-worker.ts', import.meta.url), { workerData: share });
  return new Promise((resolve, reject) => {
    worker.on('message', (flip: StoreFlip) => {
      flips.push(flip);
      onFlip?.(flip);
    });
    worker.on('error', reject);
    worker.on('exit', code => {
      if (code === 0 && flips.length === share.tasks.length) resolve(flips);
      else reject(new Error(`a thread ended with code ${code} after ${flips.length} places`));
    });
  });
}
