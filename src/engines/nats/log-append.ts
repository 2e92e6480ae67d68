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
  type FrameHead,
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

/** What became of the attempts to send a message. */
interface Sent {
  /** Of the last attempt. */
  readonly answer: PublishAnswer;
  readonly expectedSeq: number;
  /** Whether the attempts before it surely were not stored. */
  readonly isSure: boolean;
}

/** How long an answer may take, and how long an attempt that did nothing is repeated. */
const limits = { timeoutMs: 4_000, repeatMs: 10_000 } as const;
/** So often the mark of one append is written, at most. */
const marksMax = 3;

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
    // Whoever stood still meanwhile has a mark that is too old to rely on.
    for (let marks = 0; marks < marksMax && this.#needsMark(state, append); marks += 1) {
      try {
        await this.#parts.wake.announce(state.place, append.wakeAt ?? 0);
      } catch (error) {
        return unavailableFor(error);
      }
    }
    if (this.#needsMark(state, append)) return { status: 'unavailable', cause: noMark(state) };
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
    const sent = await this.#send(state, encodeFrame(head, records), append);
    const { answer } = sent;
    // A read has to show what stands there before it is of use.
    if (answer.status === 'conflict') state.floor = Math.max(state.floor, answer.lastSeq ?? 0);
    const result = resultOf(sent) ?? (await this.#settle(state, head, sent));
    if (result.status === 'accepted') {
      const tail = streamSeqOf(result.seq);
      const snapshot = hasSnapshot(records) ? tail : before.snapshot;
      learnEnd(state, { tail, snapshot, wakeAt: head.wakeAt, writer: head.writer });
      this.#parts.wake.index.confirm(place.name);
    } else if (result.status === 'unknown') this.#parts.wake.index.pin(place.name);
    return result;
  }

  /** The first attempt leaves before this returns; more follow while none can be stored. */
  async #send(state: LogState, payload: Uint8Array, append: Prepared): Promise<Sent> {
    const { client } = this.#parts;
    const previous = streamSeqOf(append.expected);
    const { subject, stream } = state.place;
    const isAtStray = state.strayTail !== undefined && state.marks?.tail === previous;
    const expectedSeq = isAtStray ? (state.strayTail ?? previous) : previous;
    const options = { stream, timeoutMs: limits.timeoutMs, expectedSeq };
    let answer = await publishInto(client, subject, payload, options);
    if (!isPassing(answer)) return { answer, expectedSeq, isSure: true };
    let isSure = answer.isSure;
    let isFirst = true;
    const attempt = async (): Promise<Attempted<true>> => {
      if (!isFirst) {
        // A mark that was written before a pause may be gone after a long one.
        if (this.#needsMark(state, append)) return { value: true };
        answer = await publishInto(client, subject, payload, options);
      }
      isFirst = false;
      if (!isPassing(answer)) return { value: true };
      isSure &&= answer.isSure;
      return { passing: answer.cause };
    };
    await repeat(this.#parts, limits.repeatMs, attempt).catch(unavailableFor);
    return { answer, expectedSeq, isSure };
  }

  /**
   * Looks what stands behind the expected place, when the answers leave open whether an attempt was
   * stored: our own message, or one of somebody else that names the same one before it. Messages
   * that are there stay, so this holds whoever answers; that there is none proves nothing.
   */
  async #settle(state: LogState, head: FrameHead, { expectedSeq }: Sent): Promise<AppendResult> {
    const { name, stream, subject } = state.place;
    const cause = new TroupeError('ENGINE_UNAVAILABLE', {
      detail: `${name}: the servers declined a message that one of them may have stored`,
      outcome: 'unknown',
    });
    try {
      const next = { seq: expectedSeq + 1, next_by_subj: subject };
      const found = await this.#parts.reader.fromLeader(stream, next);
      if (found === undefined) return { status: 'unknown', cause };
      const { writer, number, previous } = decodeFrame(found.payload, found.seq, name);
      if (found.seq > state.floor) state.floor = found.seq;
      if (writer === head.writer && number === head.number) {
        return { status: 'accepted', seq: lastSeqOf(found.seq) };
      }
      return previous === head.previous ? { status: 'conflict' } : { status: 'unknown', cause };
    } catch {
      // Whoever asks next is told why it cannot be read; here it only leaves things open.
      return { status: 'unknown', cause };
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

/**
 * What the answers prove. A server that was leader and comes back from behind a partition may
 * decline what the leader takes at the same moment, so only a place beyond the expected one proves
 * a conflict, and only attempts that surely were not stored prove that nothing was.
 */
function resultOf({ answer, expectedSeq, isSure }: Sent): AppendResult | undefined {
  switch (answer.status) {
    case 'accepted':
      return { status: 'accepted', seq: lastSeqOf(answer.seq) };
    case 'conflict':
      return isSure && (answer.lastSeq ?? 0) > expectedSeq ? { status: 'conflict' } : undefined;
    case 'unavailable':
      return isSure && answer.isSure ? { status: 'unavailable', cause: answer.cause } : undefined;
    case 'unknown':
      return { status: 'unknown', cause: answer.cause };
  }
}

function copiesOf(records: readonly NewRecord[]): NewRecord[] {
  return records.map(({ bytes, isSnapshot }) => ({ isSnapshot, bytes: Uint8Array.from(bytes) }));
}

function noMark({ place }: LogState): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `${place.name} gets no mark of its work: this process stands still for too long`,
    outcome: 'not-executed',
  });
}

/** What a failure before anything was sent means; damage is thrown on. */
function unavailableFor(error: unknown): Extract<AppendResult, { status: 'unavailable' }> {
  if (!TroupeError.is(error) || error.code === 'LOG_CORRUPT') throw error;
  return { status: 'unavailable', cause: error };
}

function ignore(): void {
  // Whoever appended is told; who waits in line needs only the end.
}
