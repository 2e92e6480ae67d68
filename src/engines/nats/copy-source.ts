/**
 * All logs of a cluster as they were at one moment, read stream by stream and not log by log. What
 * was read is complete when the fence of the moment came by; a server that has less is passed over.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Seq } from '../../ports/log.ts';
import { type CopiedRecords, LogCourses } from './copy-courses.ts';
import {
  type FenceParts,
  fenceStreams,
  isFence,
  removeFences,
  type StreamEnd,
  type StreamsMoment,
} from './copy-fence.ts';
import { markSubjectPrefix } from './log-subjects.ts';
import { cutIn } from './log-trim.ts';
import { lastSeqOf } from './record-frame.ts';
import { pause } from './repeat.ts';
import { type StoredMessage, StreamReader } from './stream-reader.ts';

const messagesMax = 1_000;
/** An isolated leader went on answering for 8 to 11 s. */
const laggingMsMax = 12_000;
const laggingPauseMs = 200;

/** The logs of a cluster at one moment. Whoever opened it closes it. */
export class CopySource implements AsyncDisposable {
  readonly #parts: FenceParts;
  readonly #reader: StreamReader;
  readonly #moment: StreamsMoment;

  private constructor(parts: FenceParts, moment: StreamsMoment) {
    this.#parts = parts;
    this.#moment = moment;
    this.#reader = new StreamReader({ ...parts, isDirect: true });
  }

  /**
   * Notes the moment. Nothing may be appended meanwhile, and nothing trimmed until it is closed.
   *
   * @throws `NO_QUORUM`, `ENGINE_UNAVAILABLE`, `DISK_FULL`, `UNAUTHORIZED`.
   */
  static async open(parts: FenceParts): Promise<CopySource> {
    return new CopySource(parts, await fenceStreams(parts));
  }

  /** Behind all places of records in it. */
  get end(): Seq {
    return Math.max(...this.#moment.logs.map(({ fenceSeq }) => lastSeqOf(fenceSeq)));
  }

  /**
   * All records of all logs. Those of one log come in order, in one batch or in several.
   *
   * @throws `LOG_CORRUPT`; `NO_QUORUM`, `ENGINE_UNAVAILABLE`.
   */
  async *batches(): AsyncGenerator<readonly CopiedRecords[]> {
    const cuts = await this.#cuts();
    for (const end of this.#moment.logs) {
      const courses = new LogCourses(this.#parts.layout, cuts);
      for await (const messages of this.#messages(end)) yield courses.take(messages);
    }
  }

  /** Lets go of the moment. */
  async close(): Promise<void> {
    await removeFences(this.#parts, this.#moment);
    this.#reader.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #cuts(): Promise<ReadonlyMap<string, Seq>> {
    const skipped = markSubjectPrefix(this.#parts.layout, 'cut').length;
    const cuts = new Map<string, Seq>();
    for await (const messages of this.#messages(this.#moment.marks)) {
      for (const { subject, payload } of messages) {
        cuts.set(subject.slice(skipped), cutIn(payload, subject));
      }
    }
    return cuts;
  }

  /** The messages of a stream up to its fence, without this and older ones. */
  async *#messages(end: StreamEnd): AsyncGenerator<readonly StoredMessage[]> {
    for (let from = 1; from <= end.fenceSeq; ) {
      const found = await this.#some(end, from);
      const last = found.at(-1);
      if (last === undefined) return;
      yield found.filter(({ seq, subject }) => seq < end.fenceSeq && !isFence(subject));
      from = last.seq + 1;
    }
  }

  /** Some messages from a place on, of a server that has all up to the fence. */
  async #some(end: StreamEnd, from: number): Promise<readonly StoredMessage[]> {
    const { clock } = this.#parts;
    const { stream, subject, fenceSeq } = end;
    const query = { subject, from, countMax: messagesMax };
    const endsAt = clock.monotonic() + laggingMsMax;
    let found = await this.#reader.from(stream, query);
    while (found.isComplete && (found.messages.at(-1)?.seq ?? 0) < fenceSeq) {
      if (clock.monotonic() >= endsAt) throw unshown(end);
      await pause(clock, laggingPauseMs);
      found = await this.#reader.fromLeaderOn(stream, query);
    }
    return found.messages;
  }
}

function unshown({ stream, fenceSeq }: StreamEnd): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `the servers acknowledged message ${fenceSeq} of ${stream} and do not show all up to it`,
    outcome: 'not-executed',
  });
}
