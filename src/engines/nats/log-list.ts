/**
 * Lists logs: all of them by the subjects that the servers have, or by the wake log those that have
 * work that is due. What a log is at, its last message says.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Heads, HeadsOptions, LogHead } from '../../ports/log.ts';
import { type LogMarks, type LogStates, tailSeqOf } from './log-states.ts';
import {
  type LogLayout,
  type LogPlace,
  logStreamName,
  nameOfSubject,
  placeOf,
} from './log-subjects.ts';
import { decodeFrame, lastSeqOf } from './record-frame.ts';
import type { StoredMessage, StreamReader } from './stream-reader.ts';
import type { SubjectPage, SubjectPages } from './subject-pages.ts';
import type { WakeLog } from './wake-log.ts';

/** What listing works with. */
export interface LogListParts {
  readonly reader: StreamReader;
  readonly layout: LogLayout;
  readonly states: LogStates;
  readonly subjects: SubjectPages;
  readonly wake: WakeLog;
  /** Who we are, as in the messages of logs. */
  readonly writer: string;
}

interface SeenHead {
  readonly head: LogHead;
  /** Who wrote the last message; nobody when it is not to be read. */
  readonly writer: string | undefined;
}

interface Looked {
  readonly name: string;
  readonly found: SeenHead | undefined;
}

const limitDefault = 1_000;
/** So many logs are looked at for one answer, which then may hold fewer than asked for. */
const lookedAtMax = 4_096;
/** So many marks are moved after one look, at most. */
const relaxedMax = 256;
const dueCursorMark = 'due:';

/** Lists logs. */
export class LogList {
  readonly #parts: LogListParts;

  constructor(parts: LogListParts) {
    this.#parts = parts;
  }

  /** A page of logs. */
  async heads(options: HeadsOptions): Promise<Heads> {
    const { dueAt } = options;
    return dueAt === undefined ? this.#all(options) : this.#due(options, dueAt);
  }

  async #all({ prefix = '', limit = limitDefault, cursor }: HeadsOptions): Promise<Heads> {
    const heads: LogHead[] = [];
    let place = cursor;
    for (let lookedAt = 0; heads.length < limit && lookedAt < lookedAtMax; ) {
      const page = await this.#parts.subjects.after(place, prefix, limit - heads.length);
      lookedAt += Math.max(1, page.subjects.length);
      const found = await this.#headsOf(page);
      const seen = found.map(({ head }) => head);
      heads.push(...seen.filter(({ name }) => name.startsWith(prefix)));
      place = page.cursor;
      if (place === undefined) return { heads };
    }
    return { heads, cursor: place };
  }

  /** The heads of a page, in the order of its subjects, which the servers do not keep. */
  async #headsOf({ stream, subjects, minSeq }: SubjectPage): Promise<SeenHead[]> {
    if (subjects.length === 0) return [];
    const { reader, layout } = this.#parts;
    const found = await reader.lastOfEach(logStreamName(layout, stream), subjects, minSeq);
    const heads = new Map(found.map(message => [message.subject, this.#headIn(message)]));
    return subjects.map(subject => heads.get(subject)).filter(head => head !== undefined);
  }

  /** What is not to be read is listed all the same, so that somebody looks at it. */
  #headIn({ payload, seq, subject }: StoredMessage): SeenHead | undefined {
    const tail = lastSeqOf(seq);
    try {
      const { name, wakeAt, writer } = decodeFrame(payload, seq);
      return this.#newest({ head: { name, tail, wakeAt }, writer });
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
      const name = nameOfSubject(this.#parts.layout, subject);
      return name === undefined
        ? undefined
        : { head: { name, tail, wakeAt: 0 }, writer: undefined };
    }
  }

  /** What we wrote or saw ourselves may be newer than what a replica has. */
  #newest(seen: SeenHead): SeenHead {
    const { name, tail } = seen.head;
    const marks = this.#parts.states.peek(name)?.marks;
    if (marks === undefined || tailSeqOf(marks) <= tail) return seen;
    return { head: headOf(name, marks), writer: marks.writer };
  }

  async #due(options: HeadsOptions, dueAt: number): Promise<Heads> {
    const { prefix = '', limit = limitDefault, cursor } = options;
    const { wake } = this.#parts;
    if (cursor === undefined) await wake.catchUp();
    const names = wake.index.due(dueAt, prefix, nameIn(cursor));
    const heads: LogHead[] = [];
    let count = 0;
    while (count < names.length && heads.length < limit && count < lookedAtMax) {
      const some = names.slice(count, count + limit - heads.length);
      count += some.length;
      const found = await this.#look(some);
      heads.push(...found.filter(({ wakeAt }) => isDue(wakeAt, dueAt)));
    }
    const last = names[count - 1];
    const isAll = count >= names.length || last === undefined;
    return isAll ? { heads } : { heads, cursor: `${dueCursorMark}${last}` };
  }

  /** The heads of logs that have a mark. Marks that promise too much are moved. */
  async #look(names: readonly string[]): Promise<LogHead[]> {
    const read = await this.#readHeads(names.filter(name => this.#ownHead(name) === undefined));
    const seen = names.map(name => ({ name, found: this.#ownHead(name) ?? read.get(name) }));
    const stale = seen.filter(({ name, found }) => this.#promisesTooMuch(name, found));
    await this.#relax(stale.slice(0, relaxedMax));
    return seen.flatMap(({ found }) => found?.head ?? []);
  }

  async #relax(stale: readonly Looked[]): Promise<void> {
    const { layout, wake } = this.#parts;
    const kept: LogPlace[] = [];
    const moves: Promise<void>[] = [];
    for (const { name, found } of stale) {
      const place = placeOf(layout, name);
      if (this.#mayRelax(name, found)) moves.push(wake.relax(place, wakeAtOf(found)));
      else kept.push(place);
    }
    await Promise.all(moves);
    if (kept.length > 0) await wake.forgetGone(kept);
  }

  #promisesTooMuch(name: string, seen: SeenHead | undefined): boolean {
    const mark = this.#parts.wake.index.get(name);
    return mark !== undefined && mark.dueAt < wakeAtOf(seen);
  }

  /** A log that we wrote last, after a mark that is still ours, is as we left it. */
  #ownHead(name: string): SeenHead | undefined {
    const { states, wake, writer } = this.#parts;
    const marks = states.peek(name)?.marks;
    if (marks?.writer !== writer || wake.index.get(name)?.isConfirmed !== true) {
      return undefined;
    }
    return { head: headOf(name, marks), writer };
  }

  /** Others may rely on a mark of ours until we have appended. */
  #mayRelax(name: string, seen: SeenHead | undefined): boolean {
    const { states, wake, writer } = this.#parts;
    if (states.peek(name)?.busy !== undefined) return false;
    return wake.index.isMovable(name, seen?.writer === writer);
  }

  async #readHeads(names: readonly string[]): Promise<Map<string, SeenHead>> {
    const { layout, subjects } = this.#parts;
    const byStream = new Map<number, string[]>();
    for (const name of names) {
      const { streamIndex, subject } = placeOf(layout, name);
      const wanted = byStream.get(streamIndex);
      if (wanted === undefined) byStream.set(streamIndex, [subject]);
      else wanted.push(subject);
    }
    const heads = new Map<string, SeenHead>();
    for (const [stream, wanted] of byStream) {
      const minSeq = await subjects.lastSeq(stream);
      const page = { stream, subjects: wanted, minSeq, cursor: undefined };
      for (const seen of await this.#headsOf(page)) heads.set(seen.head.name, seen);
    }
    return heads;
  }
}

/** A log without work is not due, not even at the end of time. */
function isDue(wakeAt: number, dueAt: number): boolean {
  return wakeAt <= dueAt && wakeAt !== Number.POSITIVE_INFINITY;
}

function wakeAtOf(seen: SeenHead | undefined): number {
  return seen?.head.wakeAt ?? Number.POSITIVE_INFINITY;
}

function headOf(name: string, marks: LogMarks): LogHead {
  return { name, tail: tailSeqOf(marks), wakeAt: marks.wakeAt };
}

function nameIn(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  if (cursor.startsWith(dueCursorMark)) return cursor.slice(dueCursorMark.length);
  throw new TroupeError('INVALID_INPUT', { detail: `${JSON.stringify(cursor)} is not a cursor` });
}
