/**
 * Group commit. Everything that waits is decided in the order it came, written as one commit,
 * flushed once, applied to the index and only then answered. The first flush that fails ends it for
 * good: what the device has by then nobody knows.
 */
import { TroupeError, textOf, wrapError } from '../../core/errors.ts';
import type { AppendResult, Seq } from '../../ports/log.ts';
import { applyRecord, type IndexChange } from './apply.ts';
import { CommitBuilder } from './commit-builder.ts';
import { commitHeaderBytes, recordKind } from './frame.ts';
import { fileHeaderBytes } from './header.ts';
import { createSegment, type Segment } from './segment.ts';
import { plainHeader } from './segment-header.ts';
import type { StoreState } from './state.ts';
import type { Work } from './work.ts';

/** Who wants to know of commits. */
export interface CommitterListener {
  readonly committed: () => void;
  readonly segmentAdded: () => void;
  /** Nothing is committed any more. */
  readonly failed: (error: TroupeError) => void;
}

interface Applied {
  readonly row: number;
  readonly change: IndexChange;
}

interface Settlement {
  readonly work: Work;
  readonly result: AppendResult;
}

/** A commit is small when a reserve holds so many of it. */
const smallCommitsPerReserve = 64;

const conflict: AppendResult = { status: 'conflict' };

/** The only writer of a store's segments. */
export class Committer {
  readonly #state: StoreState;
  readonly #builder: CommitBuilder;
  readonly #on: CommitterListener;
  #queue: Work[] = [];
  #queueBytes = 0;
  #running: Promise<void> | undefined;
  #failure: TroupeError | undefined;
  /** The tails as they will be when the commit in hand is durable, by row. */
  readonly #tails = new Map<number, Seq>();
  /** The same for when to wake. */
  readonly #wakes = new Map<number, number>();

  constructor(state: StoreState, on: CommitterListener) {
    this.#state = state;
    this.#builder = new CommitBuilder(state.meta.salt);
    this.#on = on;
  }

  /** Why nothing is committed any more, if so. */
  get failure(): TroupeError | undefined {
    return this.#failure;
  }

  /** Takes something to commit. It is answered through its `settle`. */
  enqueue(work: Work): void {
    const refusal = this.#failure ?? this.#overload(work);
    if (refusal !== undefined) {
      work.settle(unavailable(refusal));
      return;
    }
    this.#queue.push(work);
    this.#queueBytes += work.byteLength;
    // What is issued in the same tick belongs into the same commit.
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Ends all commits, because something else than a commit found the device failing. */
  fail(error: TroupeError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const waiting = this.#queue;
    this.#queue = [];
    this.#queueBytes = 0;
    for (const work of waiting) work.settle(unavailable(error));
    this.#on.failed(error);
  }

  /**
   * Writes a commit without records, which proves all before it to have been flushed, and gives
   * back what was reserved.
   */
  async mark(): Promise<void> {
    await this.idle();
    if (this.#failure !== undefined) return;
    const segment = this.#state.segments.active;
    this.#builder.start(segment.end, 0);
    const bytes = this.#builder.finish(segment.end);
    try {
      await giveBack(segment);
      await segment.file.write(segment.size, bytes);
      await segment.file.flush();
      grow(segment, bytes.length);
    } catch (error) {
      await this.#undo(segment, [], error);
    }
  }

  #overload(work: Work): TroupeError | undefined {
    const { queueLengthMax, queueBytesMax } = this.#state.context.limits;
    const isFull =
      this.#queue.length >= queueLengthMax || this.#queueBytes + work.byteLength > queueBytesMax;
    if (!isFull) return undefined;
    return new TroupeError('OVERLOADED', {
      detail: `${this.#queue.length} appends wait for the disk`,
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#commit(this.#take());
    this.#running = undefined;
  }

  #take(): Work[] {
    const { batchBytesMax } = this.#state.context.limits;
    let bytes = 0;
    let count = 0;
    for (const work of this.#queue) {
      if (count > 0 && bytes + work.byteLength > batchBytesMax) break;
      bytes += work.byteLength;
      count += 1;
    }
    this.#queueBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  async #commit(works: Work[]): Promise<void> {
    const bytes = works.reduce((sum, work) => sum + work.byteLength, 0);
    const segment = await this.#room(works, bytes + commitHeaderBytes);
    if (segment === undefined) return;
    this.#builder.start(segment.end, bytes);
    const applied: Applied[] = [];
    const settlements = works.map(work => ({ work, result: this.#decide(work, applied) }));
    this.#tails.clear();
    this.#wakes.clear();
    if (this.#builder.recordCount > 0 && !(await this.#store(segment, settlements))) return;
    for (const { row, change } of applied) applyRecord(this.#state.index, row, change);
    for (const { work, result } of settlements) work.settle(result);
    this.#on.committed();
  }

  /** The segment for the next commit: a new one when the active one is full. */
  async #room(works: readonly Work[], bytes: number): Promise<Segment | undefined> {
    const { segments, context, meta } = this.#state;
    const { active } = segments;
    const fits = active.size + bytes <= context.limits.segmentBytes;
    if (fits || active.size === fileHeaderBytes) return active;
    try {
      await giveBack(active);
      const header = plainHeader(active.end, active.base, active.end);
      const next = await createSegment(context.disk, header, meta.salt);
      await context.faultPoint('segment.created', 'before-durable');
      segments.add(next);
      this.#on.segmentAdded();
      return next;
    } catch (error) {
      this.#refuse(works, error);
      return undefined;
    }
  }

  #decide(work: Work, applied: Applied[]): AppendResult {
    const { row } = work;
    const tail = this.#tails.get(row) ?? this.#state.index.tail(row);
    if (work.kind === recordKind.data && work.previous !== tail) return conflict;
    let previous = work.previous;
    for (const [at, record] of work.records.entries()) {
      const isLast = at === work.records.length - 1;
      const change: IndexChange = {
        kind: work.kind,
        position: this.#builder.nextPosition,
        previous,
        isSnapshot: record.isSnapshot === true,
        extra: isLast ? this.#extraOf(work) : undefined,
      };
      this.#builder.add({ ...change, name: work.name, body: record.bytes });
      if (row >= 0) applied.push({ row, change });
      previous = change.position;
    }
    if (work.kind !== recordKind.trim) this.#tails.set(row, previous);
    if (work.kind === recordKind.data && work.extra !== undefined) this.#wakes.set(row, work.extra);
    return { status: 'accepted', seq: previous };
  }

  #extraOf({ kind, row, extra }: Work): number | undefined {
    if (kind !== recordKind.trim) return extra;
    return this.#wakes.get(row) ?? this.#state.index.wakeAt(row);
  }

  async #store(segment: Segment, settlements: readonly Settlement[]): Promise<boolean> {
    const { faultPoint } = this.#state.context;
    const bytes = this.#builder.finish(segment.end);
    try {
      await faultPoint('commit.before-write', 'before-durable');
      await this.#reserve(segment, bytes.length);
      await segment.file.write(segment.size, bytes);
      await faultPoint('commit.written', 'ambiguous');
      await segment.file.flush();
      await faultPoint('commit.flushed', 'after-durable');
    } catch (error) {
      await this.#undo(segment, settlements, error);
      return false;
    }
    grow(segment, bytes.length);
    return true;
  }

  /** Lengthens the file ahead of small commits. Without space for it, commits go on without. */
  async #reserve(segment: Segment, bytes: number): Promise<void> {
    const { reserveBytes, segmentBytes } = this.#state.context.limits;
    const from = segment.size + bytes;
    const isSmall = bytes * smallCommitsPerReserve <= reserveBytes;
    if (!isSmall || from <= segment.fileBytes) return;
    const length = Math.min(reserveBytes, segmentBytes - from);
    if (length <= 0) return;
    try {
      await segment.file.write(from, new Uint8Array(length));
      segment.fileBytes = from + length;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await segment.file.truncate(segment.size);
      segment.fileBytes = segment.size;
    }
  }

  /**
   * Without space nothing was stored once the file is cut back and that is flushed; after any other
   * failure nobody knows what will be found.
   */
  async #undo(segment: Segment, settlements: readonly Settlement[], error: unknown): Promise<void> {
    if (isDiskFull(error) && (await this.#cutBack(segment))) {
      for (const { work } of settlements) work.settle(unavailable(error));
      return;
    }
    const detail = `writing ${segment.path}: ${textOf(error)}`;
    const failure = new TroupeError('ENGINE_FAILED', { detail, outcome: 'unknown', cause: error });
    this.fail(notStored(failure));
    for (const { work, result } of settlements) {
      const isDecided = result.status === 'conflict';
      work.settle(isDecided ? result : { status: 'unknown', cause: failure });
    }
  }

  async #cutBack(segment: Segment): Promise<boolean> {
    try {
      await segment.file.truncate(segment.size);
      await segment.file.flush();
      segment.fileBytes = segment.size;
      return true;
    } catch {
      // The failure that led here is the one that is reported, as `unknown`.
      return false;
    }
  }

  #refuse(works: readonly Work[], error: unknown): void {
    const cause = wrapError('ENGINE_FAILED', error, 'making a segment', 'not-executed');
    for (const work of works) work.settle(unavailable(cause));
    if (cause.code !== 'DISK_FULL') this.fail(notStored(cause));
  }
}

/** Whether an error says that the device has no space. */
export function isDiskFull(error: unknown): error is TroupeError {
  return TroupeError.is(error) && error.code === 'DISK_FULL';
}

async function giveBack(segment: Segment): Promise<void> {
  if (segment.fileBytes === segment.size) return;
  await segment.file.truncate(segment.size);
  segment.fileBytes = segment.size;
}

function grow(segment: Segment, bytes: number): void {
  segment.size += bytes;
  segment.fileBytes = Math.max(segment.fileBytes, segment.size);
}

function unavailable(cause: TroupeError): AppendResult {
  return { status: 'unavailable', cause };
}

/** The same failure, as those see it who come after it. */
function notStored(cause: TroupeError): TroupeError {
  const { detail } = cause;
  return new TroupeError('ENGINE_FAILED', { detail, outcome: 'not-executed', cause });
}
