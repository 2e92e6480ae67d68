/** Judges a share of the places in a thread of its own, and tells of each as it goes. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { StoreLimits } from '../../src/engines/embedded/options.ts';
import { copyWithFlip, type FlipPlace } from './flip-copies.ts';
import { judgeCopy, type StoreTruth } from './flip-judge.ts';
import type { FlipVariant } from './flip-store.ts';

/** One place in one of the two copies of the store. */
export interface FlipTask extends FlipPlace {
  readonly variant: FlipVariant;
}

/** What a worker is given. */
export interface FlipShare {
  readonly folder: string;
  readonly name: string;
  readonly limits: Partial<StoreLimits>;
  readonly truths: Readonly<Record<FlipVariant, StoreTruth>>;
  readonly tasks: readonly FlipTask[];
}

// Only `runFlips` starts this module, with data of this shape.
const share = workerData as FlipShare;
const copy = join(share.folder, share.name);
for (const task of share.tasks) {
  copyWithFlip(join(share.folder, task.variant), copy, task);
  const judged = await judgeCopy(copy, share.truths[task.variant], share.limits);
  parentPort?.postMessage({ ...task, ...judged });
}
