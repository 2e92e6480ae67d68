/**
 * Reading logs. An answer never shows less than this opening has seen or written: a replica that
 * lags is passed over for the stream's leader, and a leader that lags is given time. What others
 * wrote a moment ago may be missing; the first append behind a tail tells.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LogSlice, ReadOptions, Seq } from '../../ports/log.ts';
import {
  framesOf,
  isPlainStart,
  recordsBehind,
  recordsFromSnapshot,
  shownFrom,
  sliceOf,
} from './log-chain.ts';
import {
  type LogMarks,
  type LogState,
  learnEnd,
  marksOf,
  noMarks,
  tailSeqOf,
} from './log-states.ts';
import {
  decodeFrame,
  type Frame,
  hasSnapshot,
  isLastSeq,
  lastSeqOf,
  snapshotUpTo,
  streamSeqOf,
} from './record-frame.ts';
import { pause } from './repeat.ts';
import type { FoundMessages, StoredMessage, StreamReader } from './stream-reader.ts';

/** What reading works with. */
export interface LogReadParts {
  readonly reader: StreamReader;
  readonly clock: Clock;
  /** The mark of where a log was trimmed to, if there is one. */
  cutOf(state: LogState): Promise<Seq | undefined>;
  /** Told what the last message of a log says, before it is taken note of. */
  onEnd(state: LogState, marks: LogMarks): void;
}

const recordsMaxDefault = 1_000;
const messagesMax = 1_000;
/** An isolated leader went on answering for 8 to 11 s; what it lacks has been lost after that. */
const laggingMsMax = 12_000;
const laggingPauseMs = 200;
const restartsMax = 5;

/** Reads logs. */
export class LogRead {
  readonly #parts: LogReadParts;

  constructor(parts: LogReadParts) {
    this.#parts = parts;
  }

  /** The last message of a log as its leader has it, and takes note of it. */
  async end(state: LogState): Promise<Frame | undefined> {
    const last = await this.#lastMessage(state);
    if (last === undefined) {
      this.#note(state, noMarks, 0);
      return undefined;
    }
    const frame = decodeFrame(last.payload, last.seq, state.place.name);
    // A stray one at the end was told by a read of what lies before it.
    if (state.strayTail !== last.seq) this.#note(state, marksOf(frame), last.seq);
    return frame;
  }

  /** The newest snapshot and all behind it, or else all there is. */
  async latest(state: LogState): Promise<LogSlice> {
    for (let restarts = 0; restarts < restartsMax; restarts += 1) {
      const last = await this.#newestFrame(state, restarts === 0);
      if (last === undefined) return empty;
      if (hasSnapshot(last.records)) return this.#fromSnapshot([last], true, last);
      const from = snapshotUpTo(last);
      const found = await this.#messages(state, Math.max(1, from), messagesMax);
      const frames = framesOf(found.messages, state.place.name, 0);
      // The snapshot may have been trimmed meanwhile; then there is a newer one.
      if (from !== 0 && frames[0]?.streamSeq !== from) continue;
      const end = this.#noteEnd(state, frames, found) ?? last;
      return this.#fromSnapshot(frames, found.isComplete, end);
    }
    throw new TroupeError('ENGINE_UNAVAILABLE', {
      detail: `${state.place.name} is trimmed faster than it can be read`,
      outcome: 'not-executed',
    });
  }

  /** What lies behind a place. */
  async behind(state: LogState, { after, recordsMax }: ReadOptions): Promise<LogSlice> {
    if (state.marks === undefined) await this.end(state);
    const countMax = Math.max(1, recordsMax ?? recordsMaxDefault);
    const place = streamSeqOf(after);
    // Behind a place within a message the rest of that message comes first.
    const isWhole = after === 0 || isLastSeq(after);
    const from = isWhole ? place + 1 : Math.max(1, place);
    const found = await this.#messages(state, from, Math.min(countMax, messagesMax));
    const frames = framesOf(found.messages, state.place.name, isWhole ? place : 0);
    const start = isWhole ? await this.#startOf(state, frames[0], after) : 0;
    const tail = await this.#tail(state, from, this.#noteEnd(state, frames, found), found);
    const records = recordsBehind(frames, Math.max(after, start - 1));
    return sliceOf(records, countMax, { tail, isComplete: found.isComplete });
  }

  #fromSnapshot(frames: readonly Frame[], isComplete: boolean, end: Frame): LogSlice {
    const tail = lastSeqOf(end.streamSeq);
    return sliceOf(recordsFromSnapshot(frames), recordsMaxDefault, { tail, isComplete });
  }

  /** Messages from a sequence on, at least those that this opening knows of. */
  async #messages(state: LogState, from: number, countMax: number): Promise<FoundMessages> {
    const { reader } = this.#parts;
    const { stream, subject } = state.place;
    const found = await reader.from(stream, { subject, from, countMax });
    const next = (found.messages.at(-1)?.seq ?? from - 1) + 1;
    if (!found.isComplete || next > state.floor) return found;
    const query = { subject, from: next, countMax: countMax - found.messages.length };
    let rest = await reader.fromLeaderOn(stream, query);
    if (rest.isComplete && (rest.messages.at(-1)?.seq ?? 0) < state.floor) {
      // Either the leader comes as far after a while, or less is left than there was.
      await this.end(state);
      rest = await reader.fromLeaderOn(stream, query);
    }
    return { messages: [...found.messages, ...rest.messages], isComplete: rest.isComplete };
  }

  async #newestFrame(state: LogState, mayBeNear: boolean): Promise<Frame | undefined> {
    const near = mayBeNear ? await this.#nearEnd(state) : undefined;
    return near === undefined ? this.end(state) : near.frame;
  }

  /**
   * The end of a log as some replica has it, if that is not older than what is known here. It costs
   * less than asking the leader, which does not surely show either what others wrote a moment ago.
   */
  async #nearEnd(state: LogState): Promise<End | undefined> {
    const { stream, subject, name } = state.place;
    const answer = await this.#parts.reader.lastNear(stream, subject);
    if (answer === undefined || (answer.last?.seq ?? 0) < state.floor) return undefined;
    const { last } = answer;
    if (last === undefined) return { frame: undefined };
    try {
      const frame = decodeFrame(last.payload, last.seq, name);
      if (state.strayTail !== last.seq) this.#note(state, marksOf(frame), last.seq);
      return { frame };
    } catch (error) {
      // One replica may be damaged; whether the log is, the leader tells.
      if (TroupeError.is(error)) return undefined;
      throw error;
    }
  }

  async #lastMessage(state: LogState): Promise<StoredMessage | undefined> {
    const { reader, clock } = this.#parts;
    const { stream, subject } = state.place;
    const endsAt = clock.monotonic() + laggingMsMax;
    while (true) {
      const last = await reader.fromLeader(stream, { last_by_subj: subject });
      // The floor may have risen since the question: then the answer was too old on arrival.
      if ((last?.seq ?? 0) >= state.floor || clock.monotonic() >= endsAt) return last;
      await pause(clock, laggingPauseMs);
    }
  }

  /** Takes note of where the log ends, when all to its end was read. */
  #noteEnd(state: LogState, frames: readonly Frame[], found: FoundMessages): Frame | undefined {
    if (!found.isComplete) return undefined;
    const last = frames.at(-1);
    const lastSeq = found.messages.at(-1)?.seq ?? 0;
    if (last !== undefined && lastSeq >= state.floor) this.#note(state, marksOf(last), lastSeq);
    return last;
  }

  /** Where the log ends, when messages from this one on were read. */
  async #tail(state: LogState, from: number, end: Frame | undefined, found: FoundMessages) {
    if (end !== undefined) return lastSeqOf(end.streamSeq);
    const isKnown = found.isComplete && from <= (state.marks?.tail ?? 0) + 1;
    if (!isKnown) await this.end(state);
    return tailSeqOf(state.marks ?? noMarks);
  }

  /** From where on a log is shown whose first message this is, or may be. */
  async #startOf(state: LogState, first: Frame | undefined, after: Seq): Promise<Seq> {
    if (first === undefined || isPlainStart(first)) return 0;
    const follows = after !== 0 && first.previous <= streamSeqOf(after);
    return follows ? 0 : shownFrom(first, await this.#parts.cutOf(state));
  }

  #note(state: LogState, marks: LogMarks, lastSeq: number): void {
    this.#parts.onEnd(state, marks);
    learnEnd(state, marks, lastSeq);
  }
}

/** The last message of a log, if it has one. */
interface End {
  readonly frame: Frame | undefined;
}

const empty: LogSlice = { records: [], tail: 0, isComplete: true, isStale: true };
