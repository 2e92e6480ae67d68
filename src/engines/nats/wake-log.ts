/**
 * The wake log: marks, one a log at most, that say which logs have work of their own and not before
 * when. A mark is written before the message that needs it, and only when it says too late a time;
 * so a mark may promise work that is none, and no work is without a mark. Marks that promise too
 * much are moved or taken away by who wrote them.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { NatsClient } from './client.ts';
import { askJetStream, publishInto } from './jetstream.ts';
import {
  type LogLayout,
  type LogPlace,
  markStreamName,
  markSubject,
  markSubjectPrefix,
} from './log-subjects.ts';
import { type Attempted, repeat } from './repeat.ts';
import type { StoredMessage, StreamReader } from './stream-reader.ts';
import { decodeWakeEntry, encodeWakeEntry } from './wake-entry.ts';
import { WakeIndex } from './wake-index.ts';

/** What a wake log works with. */
export interface WakeLogParts {
  readonly client: NatsClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly reader: StreamReader;
  readonly layout: LogLayout;
  /** Who we are, as in the messages of logs. */
  readonly writer: string;
}

/** How long writing a mark may take, and how long it is repeated. */
const writeLimits = { timeoutMs: 4_000, repeatMs: 10_000 } as const;
const marksPerRead = 1_000;

/** The wake log of one opening. */
export class WakeLog {
  readonly index: WakeIndex;
  readonly #parts: WakeLogParts;
  readonly #stream: string;
  #readUpTo = 0;
  #reading: Promise<void> | undefined;

  constructor(parts: WakeLogParts) {
    this.#parts = parts;
    this.#stream = markStreamName(parts.layout);
    this.index = new WakeIndex(parts.clock);
  }

  /**
   * Makes sure that a mark says this time or an earlier one, and that nobody else takes it away.
   * Repeated while its fate is open, which is harmless: the mark that landed is the one wanted.
   *
   * @throws `NO_QUORUM`, `ENGINE_UNAVAILABLE`, `DISK_FULL`: there may be none then.
   */
  async announce(place: LogPlace, wakeAt: number): Promise<void> {
    await repeat(this.#parts, writeLimits.repeatMs, () => this.#announceOnce(place, wakeAt));
  }

  /** Reads the marks that came since the last time. */
  catchUp(): Promise<void> {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /**
   * Moves the mark of a log to the time when it has work, `Infinity` for none. The caller knows
   * that time from the log's last message, that the mark is movable, and that no append of ours is
   * under way. It may fail without harm.
   */
  async relax(place: LogPlace, wakeAt: number): Promise<void> {
    const { client, writer } = this.#parts;
    const { name } = place;
    const mark = this.index.get(name);
    if (mark === undefined || mark.dueAt >= wakeAt) return;
    const { timeoutMs } = writeLimits;
    // From here on nobody relies on the mark, whatever becomes of it.
    this.index.disown(name);
    if (wakeAt === Number.POSITIVE_INFINITY) {
      this.index.remove(name, mark.seq);
      const body = { seq: mark.seq, no_erase: true };
      await askJetStream(client, `STREAM.MSG.DELETE.${this.#stream}`, body, timeoutMs);
      return;
    }
    const since = this.#parts.clock.monotonic();
    const payload = encodeWakeEntry({ name, dueAt: wakeAt, writer });
    const options = { stream: this.#stream, timeoutMs, expectedSeq: mark.seq };
    const answer = await publishInto(client, this.#subjectOf(place), payload, options);
    const isUnchanged = this.index.get(name)?.seq === mark.seq;
    if (answer.status !== 'accepted' || !isUnchanged) return;
    this.index.setOwn(name, { dueAt: wakeAt, seq: answer.seq, since, isConfirmed: true });
  }

  /** Forgets marks of others that are there no more. */
  async forgetGone(places: readonly LogPlace[]): Promise<void> {
    const subjects = places.map(place => this.#subjectOf(place));
    const messages = await this.#parts.reader.lastOfEach(this.#stream, subjects, 0);
    const there = new Set(messages.map(message => message.subject));
    for (const place of places) {
      const mark = this.index.get(place.name);
      if (mark === undefined || there.has(this.#subjectOf(place))) continue;
      this.index.remove(place.name, mark.seq);
    }
  }

  async #announceOnce(place: LogPlace, wakeAt: number): Promise<Attempted<true>> {
    const { client, writer } = this.#parts;
    const { name } = place;
    const known = this.index.get(name);
    // Who wrote the mark before may rely on it, so it never gets later here.
    const dueAt = Math.min(wakeAt, known?.dueAt ?? Number.POSITIVE_INFINITY);
    const subject = this.#subjectOf(place);
    const payload = encodeWakeEntry({ name, dueAt, writer });
    const { timeoutMs } = writeLimits;
    const expectedSeq = known?.seq ?? 0;
    const options = { stream: this.#stream, timeoutMs, expectedSeq };
    // Others count from when it stands there, however long we take to hear of it.
    const since = this.#parts.clock.monotonic();
    const answer = await publishInto(client, subject, payload, options);
    switch (answer.status) {
      case 'accepted':
        this.index.setOwn(name, { dueAt, seq: answer.seq, since, isConfirmed: false });
        return { value: true };
      case 'conflict':
        return { passing: await this.#learnMark(name, subject, expectedSeq) };
      case 'unavailable':
        if (!answer.isPassing) throw answer.cause;
        return { passing: answer.cause };
      case 'unknown':
        return { passing: answer.cause };
    }
  }

  async #learnMark(name: string, subject: string, expectedSeq: number): Promise<TroupeError> {
    const found = await this.#parts.reader.fromLeader(this.#stream, { last_by_subj: subject });
    if (found === undefined) this.index.remove(name, expectedSeq);
    else this.#see(found);
    return conflictError(subject);
  }

  async #readOn(): Promise<void> {
    const { reader, layout } = this.#parts;
    const subject = `${markSubjectPrefix(layout, 'wake')}>`;
    const query = () => ({ subject, from: this.#readUpTo + 1, countMax: marksPerRead });
    for (const isLast of [false, true]) {
      let isComplete = false;
      // Any replica may tell the most; the leader has the last word.
      while (!isComplete) {
        const found = await (isLast
          ? reader.fromLeaderOn(this.#stream, query())
          : reader.from(this.#stream, query()));
        for (const message of found.messages) this.#see(message);
        this.#readUpTo = found.messages.at(-1)?.seq ?? this.#readUpTo;
        isComplete = found.isComplete;
      }
    }
  }

  #see(message: StoredMessage): void {
    const { name, dueAt } = decodeWakeEntry(message.payload, message.seq);
    this.index.setSeen(name, dueAt, message.seq);
  }

  #subjectOf(place: LogPlace): string {
    return markSubject(this.#parts.layout, 'wake', place);
  }
}

function conflictError(subject: string): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `${subject} is written by several nodes at once`,
    outcome: 'not-executed',
  });
}
