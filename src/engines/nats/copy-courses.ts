/**
 * From the messages of a stream, in its order, to the records of its logs, in theirs: what was
 * trimmed is left out, what an unsound server took beside a log is too, and what is missing is
 * told. It decides on what was read; reading is the copy source's.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Seq, StoredRecord } from '../../ports/log.ts';
import { isPlainStart, shownFrom } from './log-chain.ts';
import { type LogLayout, logSubjectPrefix, placeOf } from './log-subjects.ts';
import { decodeFrame, type Frame, lastSeqOf } from './record-frame.ts';
import type { StoredMessage } from './stream-reader.ts';

/** Some records of one log, in order. */
export interface CopiedRecords {
  readonly name: string;
  readonly records: readonly StoredRecord[];
  /** When the log has work, as of the last of them. */
  readonly wakeAt: number;
  /** The place to append behind. */
  readonly tail: Seq;
}

/** How far one log has come. */
interface Course {
  lastSeq: number;
  /** Records before this place were trimmed. */
  readonly start: Seq;
  /** Messages beside the log's own. */
  strays: Set<number> | undefined;
}

/** The logs of one stream. */
export class LogCourses {
  readonly #layout: LogLayout;
  readonly #cuts: ReadonlyMap<string, Seq>;
  readonly #courses = new Map<string, Course>();

  /**
   * @param cuts - Where trimmed logs begin, by the part of a subject that is behind the prefix.
   */
  constructor(layout: LogLayout, cuts: ReadonlyMap<string, Seq>) {
    this.#layout = layout;
    this.#cuts = cuts;
  }

  /**
   * The records in the next messages of the stream, log by log.
   *
   * @throws `LOG_CORRUPT`.
   */
  take(messages: readonly StoredMessage[]): CopiedRecords[] {
    const byLog = new Map<string, Frame[]>();
    for (const message of messages) {
      const frame = this.#frameOf(message);
      if (!this.#isNext(frame, message.subject)) continue;
      const frames = byLog.get(frame.name);
      if (frames === undefined) byLog.set(frame.name, [frame]);
      else frames.push(frame);
    }
    return [...byLog].flatMap(([name, frames]) => this.#shown(name, frames));
  }

  #frameOf({ payload, seq, subject }: StoredMessage): Frame {
    const frame = decodeFrame(payload, seq);
    if (placeOf(this.#layout, frame.name).subject === subject) return frame;
    throw corrupt(frame.name, `message ${seq} of ${subject} says that it belongs to this log`);
  }

  /** Whether a message is the next of its log; takes note of it. */
  #isNext(frame: Frame, subject: string): boolean {
    const { name, previous, streamSeq } = frame;
    const course = this.#courses.get(name);
    if (course === undefined) {
      const cut = this.#cuts.get(subject.slice(logSubjectPrefix(this.#layout).length));
      const start = isPlainStart(frame) ? 0 : shownFrom(frame, cut);
      this.#courses.set(name, { lastSeq: streamSeq, start, strays: undefined });
      return true;
    }
    if (previous < course.lastSeq || course.strays?.has(previous) === true) {
      course.strays ??= new Set();
      course.strays.add(streamSeq);
      return false;
    }
    if (previous > course.lastSeq) {
      throw corrupt(name, `message ${streamSeq} follows message ${previous}, which is gone`);
    }
    course.lastSeq = streamSeq;
    return true;
  }

  #shown(name: string, frames: readonly Frame[]): CopiedRecords[] {
    const start = this.#courses.get(name)?.start ?? 0;
    const last = frames.at(-1);
    const records = frames.flatMap(frame => frame.records).filter(({ seq }) => seq >= start);
    if (last === undefined || records.length === 0) return [];
    return [{ name, records, wakeAt: last.wakeAt, tail: lastSeqOf(last.streamSeq) }];
  }
}

function corrupt(name: string, what: string): TroupeError {
  return new TroupeError('LOG_CORRUPT', { detail: `${name}: ${what}` });
}
