/**
 * The way of an agent's records into its log: several turns in one append, one append in flight,
 * and the answer to "was it stored?" when the engine does not know. What is released when, and what
 * happens after a failure, the activation decides.
 */
import { TroupeError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { AppendResult, Log, Seq, StoredRecord } from '../ports/log.ts';
import type { ChainHash } from '../state/hash.ts';
import { decodeRecord } from '../state/record.ts';

/** A record on its way, with what its acceptance sets free. */
export interface PendingRecord {
  readonly id: string;
  readonly bytes: Uint8Array;
  /** The hash of the record before it. */
  readonly previous: ChainHash;
  readonly isSnapshot: boolean;
  /** The agent's wake time after this record. */
  readonly wakeAt: number;
}

/** How an append ended for good. */
export type AppendEnd = { readonly status: 'accepted'; readonly seq: Seq } | FailedEnd;

/** How an append ended that was not accepted: surely not stored, or left open. */
export interface FailedEnd {
  readonly status: 'lost' | 'unknown';
  readonly cause: TroupeError;
}

/** What an appender needs of the node. */
export interface AppenderHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly limits: {
    /** At most so many bytes in one append, beside a single larger record. */
    readonly appendBytesMax: number;
    /** Between attempts to learn what became of an append. */
    readonly resolveDelayMs: number;
    /** So often an append is repeated before its fate is left open. */
    readonly resolveAttemptsMax: number;
  };
}

/** Whose records are appended, and who is told: an object that is there anyway, not closures. */
export interface AppenderOwner<R extends PendingRecord> {
  readonly address: string;
  readonly host: AppenderHost;
  /** Called for each append that was accepted, in order. */
  appended(records: readonly R[], seq: Seq): void;
  /** Called once, for the first append that was not: `behind` are those that were not sent. */
  appendFailed(records: readonly R[], behind: readonly R[], end: FailedEnd): void;
}

/** Appends the records of one activation. */
export class Appender<R extends PendingRecord> {
  readonly #owner: AppenderOwner<R>;
  #queue: R[] = [];
  #inFlight: R[] | undefined;
  #tail: Seq;
  #wakeAt: number;
  #isClosed = false;
  #onDecided: ((result: AppendResult) => void) | undefined;
  #onThrown: ((error: unknown) => void) | undefined;

  constructor(owner: AppenderOwner<R>, tail: Seq, wakeAt: number) {
    this.#owner = owner;
    this.#tail = tail;
    this.#wakeAt = wakeAt;
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

  /** The newest record that is not accepted yet. */
  get last(): R | undefined {
    return this.#queue.at(-1) ?? this.#inFlight?.at(-1);
  }

  /** Appends a record behind all that were pushed before. */
  push(record: R): void {
    const isFirst = this.#queue.length === 0;
    if (isFirst && this.#inFlight === undefined && !this.#isClosed) this.#launch([record]);
    else {
      this.#queue.push(record);
      this.#launchNext();
    }
  }

  /** Gives up all that is not accepted, and returns it: of what is in flight nothing is heard. */
  close(): readonly R[] {
    const open = [...(this.#inFlight ?? []), ...this.#queue];
    this.#isClosed = true;
    this.#queue = [];
    return open;
  }

  #launchNext(): void {
    if (this.#inFlight !== undefined) return;
    const batch = this.#takeBatch();
    if (batch !== undefined) this.#launch(batch);
  }

  #launch(batch: R[]): void {
    this.#inFlight = batch;
    const { address, host } = this.#owner;
    const { wakeAt } = batch[batch.length - 1] as R;
    const options = wakeAt === this.#wakeAt ? undefined : { wakeAt };
    // One append is in flight at a time, so its answer needs no closure of its own.
    this.#onDecided ??= result => this.#decided(result);
    this.#onThrown ??= error => this.#threw(error);
    host.log.append(address, this.#tail, batch, options).then(this.#onDecided, this.#onThrown);
  }

  #decided(result: AppendResult): void {
    const batch = this.#inFlight as R[];
    if (result.status === 'accepted') this.#finish(batch, result);
    else if (result.status !== 'unknown') this.#finish(batch, lost(result, this.#owner.address));
    else {
      this.#resolve(batch, result.cause).then(
        end => this.#finish(batch, end),
        error => this.#finish(batch, { status: 'unknown', cause: asTroupeError(error) }),
      );
    }
  }

  #threw(error: unknown): void {
    this.#finish(this.#inFlight as R[], { status: 'lost', cause: asTroupeError(error) });
  }

  #takeBatch(): R[] | undefined {
    const queue = this.#queue;
    if (queue.length === 0 || this.#isClosed) return undefined;
    let bytes = 0;
    let count = 0;
    for (const record of queue) {
      bytes += record.bytes.length;
      if (count > 0 && bytes > this.#owner.host.limits.appendBytesMax) break;
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
  async #resolve(batch: readonly PendingRecord[], cause: TroupeError): Promise<AppendEnd> {
    const { address, host } = this.#owner;
    const { resolveAttemptsMax } = host.limits;
    const { wakeAt } = batch[batch.length - 1] as PendingRecord;
    for (let attempt = 0; attempt < resolveAttemptsMax; attempt += 1) {
      await this.#pause(attempt);
      const result = await host.log.append(address, this.#tail, batch, { wakeAt });
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
    const { address, host } = this.#owner;
    const slice = await host.log.read(address, { after: this.#tail, recordsMax: batch.length });
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
    const record = decodeRecord(first.bytes, this.#owner.address);
    if (record.id === own.id) {
      const last = records[batch.length - 1];
      return last === undefined ? undefined : { status: 'accepted', seq: last.seq };
    }
    const cause = new TroupeError('VERSION_CONFLICT', {
      detail: `${this.#owner.address} was written by someone else (record ${record.id})`,
    });
    if (record.previous === own.previous) return { status: 'lost', cause };
    return { status: 'unknown', cause };
  }

  #pause(attempt: number): Promise<void> {
    if (attempt === 0) return Promise.resolve();
    return new Promise(resolve => {
      const { clock, limits } = this.#owner.host;
      clock.setTimer(limits.resolveDelayMs * 2 ** Math.min(attempt - 1, 4), resolve);
    });
  }

  #finish(batch: readonly R[], end: AppendEnd): void {
    this.#inFlight = undefined;
    if (this.#isClosed) return;
    if (end.status !== 'accepted') {
      this.#owner.appendFailed(batch, this.close(), end);
      return;
    }
    this.#tail = end.seq;
    this.#wakeAt = (batch[batch.length - 1] as R).wakeAt;
    this.#owner.appended(batch, end.seq);
    this.#launchNext();
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
