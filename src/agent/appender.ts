/**
 * The way of an agent's records into its log: several turns in one append, one append in flight,
 * and the answer to "was it stored?" when the engine does not know. What is released when, and what
 * happens after a failure, the activation decides.
 */
import { TroupeError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { AppendResult, Log, Seq, StoredRecord } from '../ports/log.ts';
import { decodeRecord } from '../state/record.ts';

/** A record on its way, with what its acceptance sets free. */
export interface PendingRecord {
  readonly id: string;
  readonly bytes: Uint8Array;
  /** The hash of the record before it. */
  readonly previous: Uint8Array;
  readonly isSnapshot: boolean;
  /** The agent's wake time after this record. */
  readonly wakeAt: number;
}

/** How an append ended for good. */
export type AppendEnd =
  | { readonly status: 'accepted'; readonly seq: Seq }
  | { readonly status: 'lost'; readonly cause: TroupeError }
  | { readonly status: 'unknown'; readonly cause: TroupeError };

/** What an appender needs. */
export interface AppenderOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly name: string;
  readonly tail: Seq;
  readonly wakeAt: number;
  /** At most so many bytes in one append, beside a single larger record. */
  readonly appendBytesMax: number;
  /** Between attempts to learn what became of an append. */
  readonly resolveDelayMs: number;
  /** So often an append is repeated before its fate is left open. */
  readonly resolveAttemptsMax: number;
  /** Called for each append in order; after anything but `accepted` the appender is closed. */
  onEnd(records: readonly PendingRecord[], end: AppendEnd): void;
}

/** Appends the records of one activation. */
export class Appender {
  readonly #options: AppenderOptions;
  #queue: PendingRecord[] = [];
  #inFlight: PendingRecord[] | undefined;
  #tail: Seq;
  #wakeAt: number;
  #isClosed = false;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#tail = options.tail;
    this.#wakeAt = options.wakeAt;
  }

  /** How many records are not accepted yet. */
  get pendingCount(): number {
    return this.#queue.length + (this.#inFlight?.length ?? 0);
  }

  /** The place of the last accepted record. */
  get tail(): Seq {
    return this.#tail;
  }

  /** The wake time that the log knows. */
  get wakeAt(): number {
    return this.#wakeAt;
  }

  /** Appends a record behind all that were pushed before. */
  push(record: PendingRecord): void {
    this.#queue.push(record);
    if (this.#inFlight === undefined) this.#launch();
  }

  /** Gives up what is not in flight; what is in flight is reported no more. */
  close(): void {
    this.#isClosed = true;
    this.#queue = [];
  }

  #launch(): void {
    const batch = this.#takeBatch();
    if (batch === undefined) return;
    this.#inFlight = batch;
    const { log, name } = this.#options;
    const { wakeAt } = batch[batch.length - 1] as PendingRecord;
    const options = wakeAt === this.#wakeAt ? undefined : { wakeAt };
    log.append(name, this.#tail, batch, options).then(
      result => this.#decided(batch, wakeAt, result),
      error => this.#finish(batch, { status: 'lost', cause: asTroupeError(error) }),
    );
  }

  #decided(batch: readonly PendingRecord[], wakeAt: number, result: AppendResult): void {
    if (result.status === 'accepted') this.#finish(batch, result);
    else if (result.status !== 'unknown') this.#finish(batch, lost(result, this.#options.name));
    else {
      this.#resolve(batch, { wakeAt }, result.cause).then(
        end => this.#finish(batch, end),
        error => this.#finish(batch, { status: 'unknown', cause: asTroupeError(error) }),
      );
    }
  }

  #takeBatch(): PendingRecord[] | undefined {
    const queue = this.#queue;
    if (queue.length === 0 || this.#isClosed) return undefined;
    let bytes = 0;
    let count = 0;
    for (const record of queue) {
      bytes += record.bytes.length;
      if (count > 0 && bytes > this.#options.appendBytesMax) break;
      count += 1;
      // A snapshot ends its append, so that the place of the append is the place of the snapshot.
      if (record.isSnapshot) break;
    }
    if (count === queue.length) {
      this.#queue = [];
      return queue;
    }
    return queue.splice(0, count);
  }

  /**
   * Learns what became of an append by finding the own record: repeat the same records with the
   * same expectation until accepted or refused; after a refusal look at what stands behind the
   * expected place. A foreign record that names the expected one as its predecessor means lost; any
   * other foreign record settles nothing.
   */
  async #resolve(
    batch: readonly PendingRecord[],
    options: { wakeAt: number },
    cause: TroupeError,
  ): Promise<AppendEnd> {
    const { log, name, resolveAttemptsMax } = this.#options;
    for (let attempt = 0; attempt < resolveAttemptsMax; attempt += 1) {
      await this.#pause(attempt);
      const result = await log.append(name, this.#tail, batch, options);
      if (result.status === 'accepted') return result;
      // An engine that failed for good has no better answer later.
      if (result.status === 'unavailable' && result.cause.code === 'ENGINE_FAILED') break;
      if (result.status !== 'conflict') continue;
      const found = await this.#find(batch);
      if (found !== undefined) return found;
    }
    return { status: 'unknown', cause };
  }

  async #find(batch: readonly PendingRecord[]): Promise<AppendEnd | undefined> {
    const { log, name } = this.#options;
    const slice = await log.read(name, { after: this.#tail, recordsMax: batch.length });
    const first = slice.records[0];
    if (first === undefined) return undefined;
    return this.#judge(batch, slice.records, first);
  }

  #judge(
    batch: readonly PendingRecord[],
    records: readonly StoredRecord[],
    first: StoredRecord,
  ): AppendEnd | undefined {
    const own = batch[0] as PendingRecord;
    const record = decodeRecord(first.bytes, this.#options.name);
    if (record.id === own.id) {
      const last = records[batch.length - 1];
      return last === undefined ? undefined : { status: 'accepted', seq: last.seq };
    }
    const cause = new TroupeError('VERSION_CONFLICT', {
      detail: `${this.#options.name} was written by someone else (record ${record.id})`,
    });
    if (Buffer.compare(record.previous, own.previous) === 0) return { status: 'lost', cause };
    return { status: 'unknown', cause };
  }

  #pause(attempt: number): Promise<void> {
    if (attempt === 0) return Promise.resolve();
    return new Promise(resolve => {
      this.#options.clock.setTimer(
        this.#options.resolveDelayMs * 2 ** Math.min(attempt - 1, 4),
        resolve,
      );
    });
  }

  #finish(batch: readonly PendingRecord[], end: AppendEnd): void {
    this.#inFlight = undefined;
    if (this.#isClosed) return;
    if (end.status === 'accepted') {
      this.#tail = end.seq;
      this.#wakeAt = (batch[batch.length - 1] as PendingRecord).wakeAt;
    } else this.close();
    this.#options.onEnd(batch, end);
    if (this.#inFlight === undefined) this.#launch();
  }
}

function lost(
  result: Extract<AppendResult, { status: 'conflict' | 'unavailable' }>,
  name: string,
): AppendEnd {
  if (result.status === 'unavailable') return { status: 'lost', cause: result.cause };
  return {
    status: 'lost',
    cause: new TroupeError('VERSION_CONFLICT', { detail: `${name} was written by someone else` }),
  };
}

function asTroupeError(error: unknown): TroupeError {
  if (TroupeError.is(error)) return error;
  return new TroupeError('ENGINE_FAILED', {
    detail: `the log failed: ${String(error)}`,
    cause: error,
  });
}
