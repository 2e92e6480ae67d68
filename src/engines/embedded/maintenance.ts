/**
 * What a store does for itself beside commits: checkpoints of the index, and rewriting segments of
 * which little is wanted any more. One task at a time, in small steps, and never in a commit's way.
 */
import { type TroupeError, wrapError } from '../../core/errors.ts';
import type { Seq } from '../../ports/log.ts';
import type { ChainReader } from './chain-reader.ts';
import { writeCheckpoint } from './checkpoint.ts';
import { isDiskFull } from './committer.ts';
import { chooseSources, compact } from './compaction.ts';
import { recordBytes } from './frame.ts';
import type { StoreState } from './state.ts';

/** A checkpoint is due when the log grew by so many times the size of the index. */
const indexSizesPerCheckpoint = 2;
const bytesPerRow = 40;
/** Trims that wait to be counted; more are left out, the estimate then lags. */
const trimsMax = 4_096;
/** The records that are counted for one trim. */
const walkMax = 4_096;
/**
 * After so many trims within one segment only one in so many is counted, with so much weight: to
 * look at every record that goes cost a busy store half of its worker's time.
 */
const sampleFromTrims = 64;
const sampleWeight = 32;

interface Trim {
  readonly row: number;
  readonly from: Seq;
  readonly before: Seq;
  readonly weight: number;
}

/** What maintenance stands on. */
export interface MaintenanceParts {
  readonly state: StoreState;
  readonly chains: ChainReader;
  /** Called when the device failed during background work. */
  readonly onFailed: (error: TroupeError) => void;
}

/** The background work of one store. */
export class Maintenance {
  readonly #state: StoreState;
  readonly #parts: MaintenanceParts;
  #trims: Trim[] = [];
  /** Since the active segment was begun. */
  #trimCount = 0;
  #running: Promise<void> | undefined;
  #isStopped = true;
  /** The place from which a checkpoint's due date counts. */
  #checkpointFrom = 0;
  /** No compaction before the log reaches this place: the last one found the disk full. */
  #compactFrom = 0;
  /** Whether something changed since compaction last found nothing to do. */
  #mayCompact = true;

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
    this.#state = parts.state;
  }

  /** Begins to work; the log was last checkpointed at `checkpointFrom`. */
  start(checkpointFrom: Seq): void {
    this.#isStopped = false;
    this.#checkpointFrom = checkpointFrom;
    this.nudge();
  }

  /** Called after each commit: starts what is due. */
  nudge(): void {
    if (this.#isStopped || this.#running !== undefined || this.#next() === undefined) return;
    this.#running = this.#work();
  }

  /** Ends what is under way and begins nothing more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** Runs a task while no background work goes on. */
  async exclusively<Result>(task: () => Promise<Result>): Promise<Result> {
    while (this.#running !== undefined) await this.#running;
    const result = task();
    this.#running = result.then(
      () => this.#ended(),
      () => this.#ended(),
    );
    return result;
  }

  /** Notes that the records of a log from one place to before another are not wanted any more. */
  trimmed(row: number, from: Seq, before: Seq): void {
    this.#trimCount += 1;
    const isSampling = this.#trimCount > sampleFromTrims;
    if (isSampling && this.#trimCount % sampleWeight !== 0) return;
    if (this.#trims.length >= trimsMax) return;
    this.#trims.push({ row, from, before, weight: isSampling ? sampleWeight : 1 });
    this.nudge();
  }

  /** The segments changed, so that compaction may find something to do. */
  segmentAdded(): void {
    this.#mayCompact = true;
    this.#trimCount = 0;
  }

  #next(): (() => Promise<void>) | undefined {
    if (this.#isCheckpointDue()) return () => this.#checkpoint();
    if (this.#trims.length > 0) return () => this.#countDead();
    const { end } = this.#state.segments;
    return this.#mayCompact && end >= this.#compactFrom ? () => this.#compact() : undefined;
  }

  #isCheckpointDue(): boolean {
    const { pages } = this.#state.index;
    const indexBytes = pages.rowCount * bytesPerRow + pages.nameBytes;
    const { checkpointBytesMin } = this.#state.context.limits;
    const wanted = Math.max(checkpointBytesMin, indexBytes * indexSizesPerCheckpoint);
    return this.#state.segments.end - this.#checkpointFrom >= wanted;
  }

  async #work(): Promise<void> {
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        if (this.#isStopped) break;
        await next();
        await this.#state.context.breathe();
      }
    } catch (error) {
      const failure = wrapError('ENGINE_FAILED', error, 'background work', 'not-executed');
      this.#parts.onFailed(failure);
      this.#isStopped = true;
    }
    this.#running = undefined;
  }

  async #checkpoint(): Promise<void> {
    this.#checkpointFrom = this.#state.segments.end;
    await this.#unlessFull(() => writeCheckpoint(this.#state));
  }

  async #compact(): Promise<void> {
    const sources = chooseSources(this.#state);
    this.#mayCompact = sources.length > 0;
    if (sources.length === 0) return;
    const { segments, context } = this.#state;
    const isDone = await this.#unlessFull(() =>
      compact(this.#state, sources, () => this.#isStopped),
    );
    if (!isDone) this.#compactFrom = segments.end + context.limits.segmentBytes / 4;
  }

  /** Adds up, by segment, what a trim made dead. */
  async #countDead(): Promise<void> {
    const trim = this.#trims.shift();
    if (trim === undefined) return;
    const { index, segments } = this.#state;
    const nameLength = index.nameBytes(trim.row).length;
    try {
      let { previous } = await this.#parts.chains.record(trim.row, trim.before);
      for (let count = 0; count < walkMax && previous >= Math.max(trim.from, 1); count += 1) {
        const record = await this.#parts.chains.record(trim.row, previous);
        const segment = segments.find(previous);
        const bytes = recordBytes(nameLength, record.body.length) * trim.weight;
        if (segment !== undefined) segment.deadBytes += bytes;
        previous = record.previous;
      }
      this.#mayCompact = true;
    } catch {
      // Only an estimate: what is gone needs no counting, and damage is reported to who reads it.
    }
  }

  /** A full disk only puts work off; everything else says that the device cannot be trusted. */
  async #unlessFull(task: () => Promise<unknown>): Promise<boolean> {
    try {
      await task();
      return true;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      return false;
    }
  }

  #ended(): void {
    this.#running = undefined;
    this.nudge();
  }
}
