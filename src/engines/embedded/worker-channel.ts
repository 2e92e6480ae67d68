/**
 * The requests of one thread to its storage worker. Those of one tick leave in one message, and at
 * most two messages are under way: the worker always has work, and meanwhile requests gather.
 */
import type { Worker } from 'node:worker_threads';
import { TroupeError } from '../../core/errors.ts';
import type { AppendResult } from '../../ports/log.ts';
import { MessageReader, MessageWriter } from './message-bytes.ts';
import {
  type AppendRequest,
  answerKind,
  type Control,
  readError,
  readSlice,
  readValue,
  requestKind,
  writeAppend,
  writeJson,
} from './messages.ts';

const messagesMax = 2;

/**
 * So many reads leave without waiting for more: in larger messages this thread and the worker would
 * take turns. Appends gather for as long as they can, as each message costs a flush.
 */
const gatheredMax = 64;

/** Somebody who waits for an answer. */
class Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: TroupeError) => void;
  readonly #isAppend: boolean;

  constructor(
    resolve: (value: unknown) => void,
    reject: (error: TroupeError) => void,
    isAppend: boolean,
  ) {
    this.resolve = resolve;
    this.reject = reject;
    this.#isAppend = isAppend;
  }

  /** The worker is gone, and nobody knows what became of it. */
  lose(cause: TroupeError): void {
    if (this.#isAppend) this.resolve({ status: 'unknown', cause });
    else this.reject(cause);
  }
}

/** A line to a storage worker. */
export class WorkerChannel {
  readonly #worker: Worker;
  readonly #onFailed: (error: TroupeError) => void;
  readonly #requests = new MessageWriter();
  readonly #waiting = new WaitingList();
  #postedCount = 0;
  #takenCount = 0;
  /** How many requests that are no appends the next message holds. */
  #gathered = 0;
  #isDue = false;
  #lost: TroupeError | undefined;

  constructor(worker: Worker, onFailed: (error: TroupeError) => void) {
    this.#worker = worker;
    this.#onFailed = onFailed;
    worker.on('message', (message: ArrayBuffer) => this.#take(message));
    worker.on('error', cause => this.#lose(cause));
    worker.on('exit', () => this.#lose(undefined));
  }

  /** Sends an append. */
  append(append: AppendRequest): Promise<AppendResult> {
    const lost = this.#lost;
    if (lost?.code === 'NOT_STARTED') return Promise.reject(lost);
    if (lost !== undefined) return Promise.resolve({ status: 'unavailable', cause: lost });
    return new Promise((resolve, reject) => {
      // An append is answered with an AppendResult.
      const waiting = new Waiting(resolve as (value: unknown) => void, reject, true);
      this.#send(requestKind.append, waiting, writer => writeAppend(writer, append));
    });
  }

  /** Sends a request of another kind. */
  request<Answer>(kind: number, write: (writer: MessageWriter) => void): Promise<Answer> {
    const lost = this.#lost;
    if (lost !== undefined) return Promise.reject(lost);
    return new Promise((resolve, reject) => {
      // The kind decides what the answer is; the caller names it.
      const waiting = new Waiting(resolve as (value: unknown) => void, reject, false);
      this.#send(kind, waiting, write);
      this.#gathered += 1;
      if (this.#gathered >= gatheredMax) this.#post();
    });
  }

  /** Sends something rare. */
  control<Answer>(control: Control): Promise<Answer> {
    return this.request(requestKind.control, writer => writeJson(writer, control));
  }

  /** Ends the worker, which has nothing to do any more. */
  async end(): Promise<void> {
    const closed = new TroupeError('NOT_STARTED', { detail: 'the log is closed' });
    this.#lost ??= closed;
    // The store was closed before what still waits was looked at, so that none of it was done.
    for (const waiting of this.#waiting.clear()) waiting.reject(closed);
    await this.#worker.terminate();
  }

  #send(kind: number, waiting: Waiting, write: (writer: MessageWriter) => void): void {
    const { length } = this.#requests;
    const id = this.#waiting.add(waiting);
    this.#requests.byte(kind);
    this.#requests.integer(id);
    try {
      write(this.#requests);
    } catch (error) {
      // A caller without types gave something else than bytes: no half request may leave.
      this.#requests.rewind(length);
      this.#waiting.take(id);
      throw error;
    }
    if (this.#isDue) return;
    this.#isDue = true;
    // What is asked for in this turn goes along.
    queueMicrotask(() => this.#isDue && this.#post());
  }

  #post(): void {
    if (this.#postedCount - this.#takenCount >= messagesMax) return;
    this.#isDue = false;
    this.#gathered = 0;
    this.#postedCount += 1;
    const message = this.#requests.take();
    this.#worker.postMessage(message, [message]);
  }

  #take(message: ArrayBuffer): void {
    const reader = new MessageReader(message);
    this.#takenCount = reader.integer();
    while (reader.hasMore) this.#answer(reader);
    if (this.#isDue) queueMicrotask(() => this.#isDue && this.#post());
  }

  #answer(reader: MessageReader): void {
    const kind = reader.byte();
    if (kind === answerKind.failed) {
      this.#onFailed(readError(reader));
      return;
    }
    const waiting = this.#waiting.take(reader.integer());
    const read = readers[kind];
    if (kind === answerKind.thrown) waiting?.reject(readError(reader));
    else waiting?.resolve(read?.(reader));
  }

  #lose(cause: unknown): void {
    if (this.#lost !== undefined) return;
    const detail = 'the storage worker ended';
    const lost = new TroupeError('ENGINE_FAILED', { detail, outcome: 'unknown', cause });
    this.#lost = new TroupeError('ENGINE_FAILED', { detail, outcome: 'not-executed', cause });
    for (const waiting of this.#waiting.clear()) waiting.lose(lost);
    this.#onFailed(this.#lost);
  }
}

/**
 * Who waits, by a number that is free again when the answer is there. Not a map: one that is added
 * to and deleted from all the time is copied again and again, and each old copy, once it is in V8's
 * old space, keeps all that came after it until the next full collection.
 */
class WaitingList {
  readonly #slots: (Waiting | undefined)[] = [];
  readonly #free: number[] = [];

  add(waiting: Waiting): number {
    const id = this.#free.pop() ?? this.#slots.length;
    this.#slots[id] = waiting;
    return id;
  }

  take(id: number): Waiting | undefined {
    const waiting = this.#slots[id];
    if (waiting === undefined) return undefined;
    this.#slots[id] = undefined;
    this.#free.push(id);
    return waiting;
  }

  /** Takes all that wait. */
  clear(): Waiting[] {
    this.#free.length = 0;
    return this.#slots.splice(0).filter(waiting => waiting !== undefined);
  }
}

const conflict: AppendResult = { status: 'conflict' };

/** How the body of each kind of answer is read. */
const readers: Readonly<Record<number, (reader: MessageReader) => unknown>> = {
  [answerKind.accepted]: (reader): AppendResult => ({ status: 'accepted', seq: reader.number() }),
  [answerKind.conflict]: () => conflict,
  [answerKind.unavailable]: (reader): AppendResult => ({
    status: 'unavailable',
    cause: readError(reader),
  }),
  [answerKind.unknown]: (reader): AppendResult => ({ status: 'unknown', cause: readError(reader) }),
  [answerKind.slice]: readSlice,
  [answerKind.value]: readValue,
};
