/**
 * Appending to logs: one message an append, decided by the server that finds the subject where the
 * append expects it. Appends to one log are decided one after the other, in the order of issue;
 * those to different logs are all under way at once. An attempt that surely did nothing is
 * repeated here; one whose fate is open is not, and is told as it is.
 */
import { TroupeError } from '../../core/errors.ts';
import type { AppendResult, NewRecord, Seq } from '../../ports/log.ts';
import type { NatsClient } from './client.ts';
import { type PublishAnswer, publishInto } from './jetstream.ts';
import { type LogMarks, type LogState, learnEnd, marksOf, noMarks } from './log-states.ts';
import {
  decodeFrame,
  encodeFrame,
  frameBytesOf,
  hasSnapshot,
  isLastSeq,
  lastSeqOf,
  recordBytesMore,
  recordsPerMessageMax,
  streamSeqOf,
} from './record-frame.ts';
import { type Attempted, type RepeatParts, repeat } from './repeat.ts';
import type { StreamReader } from './stream-reader.ts';
import type { WakeLog } from './wake-log.ts';

/** What appending works with. */
export interface LogAppendParts extends RepeatParts {
  readonly client: NatsClient;
  readonly reader: StreamReader;
  readonly wake: WakeLog;
  /** Who we are, as in the messages of logs. */
  readonly writer: string;
  /** The largest message that the servers take. */
  readonly messageBytesMax: number;
}

/** An append to one log. */
export interface Append {
  readonly expected: Seq;
  readonly records: readonly NewRecord[];
  readonly wakeAt: number | undefined;
}

interface Prepared extends Append {
  /** What the message before says. */
  readonly before: LogMarks;
}

/** How long the answer to a message may take, and how long an attempt that did nothing is repeated. */
const limits = { timeoutMs: 4_000, repeatMs: 10_000 } as const;

/** Appends to logs. */
export class LogAppend {
  readonly #parts: LogAppendParts;
  #lastNumber = 0;

  constructor(parts: LogAppendParts) {
    this.#parts = parts;
  }

  /** The largest record that fits into a message. */
  get recordBytesMax(): number {
    return this.#parts.messageBytesMax - frameBytesOf([]) - recordBytesMore;
  }

  /**
   * Appends.
   *
   * @throws `PAYLOAD_TOO_LARGE`, `LOG_CORRUPT`; nothing was stored then.
   */
  append(state: LogState, append: Append): Promise<AppendResult> {
    this.#refuseTooLarge(state, append.records);
    const before = state.busy === undefined ? this.#marksBefore(state, append) : undefined;
    const isReady = before !== undefined && !this.#needsMark(state, append);
    const result = isReady
      ? this.#publish(state, { ...append, before })
      : this.#afterOthers(state, { ...append, records: copiesOf(append.records) });
    const busy = result.then(ignore, ignore).then(() => {
      if (state.busy === busy) state.busy = undefined;
    });
    state.busy = busy;
    return result;
  }

  async #afterOthers(state: LogState, append: Append): Promise<AppendResult> {
    await state.busy;
    const before = this.#marksBefore(state, append) ?? (await this.#readBefore(state, append));
    if ('status' in before) return before;
    if (this.#needsMark(state, append)) {
      try {
        await this.#parts.wake.announce(state.place, append.wakeAt ?? 0);
      } catch (error) {
        return unavailableFor(error);
      }
    }
    return this.#publish(state, { ...append, before });
  }

  async #publish(state: LogState, append: Prepared): Promise<AppendResult> {
    const { place } = state;
    const { before, records, expected, wakeAt } = append;
    this.#lastNumber += 1;
    const previous = streamSeqOf(expected);
    const head = {
      name: place.name,
      writer: this.#parts.writer,
      number: this.#lastNumber,
      previous,
      snapshotBefore: before.snapshot,
      wakeAt: wakeAt ?? before.wakeAt,
    };
    const answer = await this.#send(state, encodeFrame(head, records), previous);
    switch (answer.status) {
      case 'accepted': {
        const snapshot = hasSnapshot(records) ? answer.seq : before.snapshot;
        const { writer } = this.#parts;
        learnEnd(state, { tail: answer.seq, snapshot, wakeAt: head.wakeAt, writer });
        this.#parts.wake.index.confirm(place.name);
        return { status: 'accepted', seq: lastSeqOf(answer.seq) };
      }
      case 'conflict':
        // A read has to show what stands there before it is of use.
        if ((answer.lastSeq ?? 0) > state.floor) state.floor = answer.lastSeq ?? 0;
        return { status: 'conflict' };
      case 'unavailable':
        return { status: 'unavailable', cause: answer.cause };
      case 'unknown':
        this.#parts.wake.index.pin(place.name);
        return { status: 'unknown', cause: answer.cause };
    }
  }

  /** The first attempt leaves before this returns; others follow while none can have been stored. */
  async #send(state: LogState, payload: Uint8Array, previous: number): Promise<PublishAnswer> {
    const { client } = this.#parts;
    const { subject, stream } = state.place;
    const isAtStray = state.strayTail !== undefined && state.marks?.tail === previous;
    const expectedSeq = isAtStray ? (state.strayTail ?? previous) : previous;
    const options = { stream, timeoutMs: limits.timeoutMs, expectedSeq };
    const first = await publishInto(client, subject, payload, options);
    if (!isPassing(first)) return first;
    let attempt: PublishAnswer | undefined = first;
    try {
      return await repeat(
        this.#parts,
        limits.repeatMs,
        async (): Promise<Attempted<PublishAnswer>> => {
          const answer = attempt ?? (await publishInto(client, subject, payload, options));
          attempt = undefined;
          return isPassing(answer) ? { passing: answer.cause } : { value: answer };
        },
      );
    } catch (error) {
      return { ...unavailableFor(error), isPassing: false };
    }
  }

  /** What the message says that is expected to be the last, if it is known. */
  #marksBefore(state: LogState, { expected }: Append): LogMarks | undefined {
    if (expected === 0) return noMarks;
    const { marks } = state;
    return isLastSeq(expected) && marks?.tail === streamSeqOf(expected) ? marks : undefined;
  }

  /** Reads the message that is expected to be the last; without one there is a conflict. */
  async #readBefore(state: LogState, { expected }: Append): Promise<LogMarks | AppendResult> {
    if (!isLastSeq(expected)) return { status: 'conflict' };
    const { name, stream, subject } = state.place;
    const seq = streamSeqOf(expected);
    try {
      const found = await this.#parts.reader.fromLeader(stream, { seq });
      if (found?.subject !== subject) return { status: 'conflict' };
      const marks = marksOf(decodeFrame(found.payload, seq, name));
      if (marks.writer !== this.#parts.writer) this.#parts.wake.index.disown(name);
      return marks;
    } catch (error) {
      return unavailableFor(error);
    }
  }

  #needsMark({ place }: LogState, { wakeAt }: Append): boolean {
    return wakeAt !== undefined && this.#parts.wake.index.needsMark(place.name, wakeAt);
  }

  #refuseTooLarge({ place }: LogState, records: readonly NewRecord[]): void {
    const { messageBytesMax } = this.#parts;
    const bytes = frameBytesOf(records);
    if (bytes <= messageBytesMax && records.length <= recordsPerMessageMax) return;
    throw new TroupeError('PAYLOAD_TOO_LARGE', {
      detail: `an append of ${records.length} records and ${bytes} bytes to ${place.name}; at most ${recordsPerMessageMax} and ${messageBytesMax}, which \`max_payload\` of the servers limits`,
    });
  }
}

function isPassing(
  answer: PublishAnswer,
): answer is Extract<PublishAnswer, { status: 'unavailable' }> {
  return answer.status === 'unavailable' && answer.isPassing;
}

function copiesOf(records: readonly NewRecord[]): NewRecord[] {
  return records.map(({ bytes, isSnapshot }) => ({ isSnapshot, bytes: Uint8Array.from(bytes) }));
}

/** What a failure before anything was sent means; damage is thrown on. */
function unavailableFor(error: unknown): Extract<AppendResult, { status: 'unavailable' }> {
  if (!TroupeError.is(error) || error.code === 'LOG_CORRUPT') throw error;
  return { status: 'unavailable', cause: error };
}

function ignore(): void {
  // Whoever appended is told; who waits in line needs only the end.
}
