/**
 * What a store does for itself beside commits: checkpoints of the index, and rewriting segments of
 * which little is wanted any more. One task at a time, in small steps, and never in a commit's way.
 */
import { TroupeError, wrapError } from '../../core/errors.ts';
import type { Seq } from '../../ports/log.ts';
import { writeCheckpoint } from './checkpoint.ts';
import type { StoreState } from './state.ts';

/** A checkpoint is due when the log grew by so many times the size of the index. */
const indexSizesPerCheckpoint = 2;
const bytesPerRow = 40;

/** The background work of one store. */
export class Maintenance {
  readonly #state: StoreState;
  readonly #onFailed: (error: TroupeError) => void;
  #running: Promise<void> | undefined;
  #isStopped = true;
  /** The place from which a checkpoint's due date counts. */
  #checkpointFrom = 0;

  constructor(state: StoreState, onFailed: (error: TroupeError) => void) {
    this.#state = state;
    this.#onFailed = onFailed;
  }

  /** Begins to work; the newest checkpoint began at `checkpointBegin`. */
  start(checkpointBegin: Seq): void {
    this.#isStopped = false;
    this.#checkpointFrom = checkpointBegin;
    this.nudge();
  }

  /** Called after each commit: starts what is due. */
  nudge(): void {
    if (this.#isStopped || this.#running !== undefined || !this.#isDue()) return;
    this.#running = this.#work().finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends what is under way and begins nothing more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** Notes that the records of a log between two places are not wanted any more. */
  trimmed(_row: number, _from: Seq, _before: Seq): void {}

  #isDue(): boolean {
    const { pages } = this.#state.index;
    const indexBytes = pages.rowCount * bytesPerRow + pages.nameBytes;
    const { checkpointBytesMin } = this.#state.context.limits;
    const wanted = Math.max(checkpointBytesMin, indexBytes * indexSizesPerCheckpoint);
    return this.#state.segments.end - this.#checkpointFrom >= wanted;
  }

  async #work(): Promise<void> {
    try {
      this.#checkpointFrom = this.#state.segments.end;
      await writeCheckpoint(this.#state);
    } catch (error) {
      // A full disk only puts it off; everything else says that the device cannot be trusted.
      if (TroupeError.is(error) && error.code === 'DISK_FULL') return;
      this.#onFailed(wrapError('ENGINE_FAILED', error, 'background work', 'not-executed'));
    }
  }
}
