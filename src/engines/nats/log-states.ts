/**
 * What this opening of the logs knows of each log that it has touched: where it ends, what its last
 * message says, and the line in which appends to it wait. Bounded: the least used are forgotten,
 * and learned again from the servers.
 */
import type { Seq } from '../../ports/log.ts';
import { type LogLayout, type LogPlace, placeOf } from './log-subjects.ts';
import { type Frame, lastSeqOf, snapshotUpTo } from './record-frame.ts';

/** What a message says of its log, and where it stands. */
export interface LogMarks {
  /** The sequence of the last message of the log; 0 when there is none. */
  readonly tail: number;
  /** The sequence of the newest message that holds a snapshot; 0 for none. */
  readonly snapshot: number;
  readonly wakeAt: number;
  /** Who wrote the last message. */
  readonly writer: string;
}

/** The marks of a log without messages. */
export const noMarks: LogMarks = {
  tail: 0,
  snapshot: 0,
  wakeAt: Number.POSITIVE_INFINITY,
  writer: '',
};

/** One log. */
export interface LogState {
  readonly place: LogPlace;
  /** What the last message says that we have seen or written. */
  marks: LogMarks | undefined;
  /**
   * The last sequence of the subject, if a message that is not part of the log stands behind its
   * last one: then the server expects this sequence and not that of the log.
   */
  strayTail: number | undefined;
  /** A sequence that the subject surely has reached: a read that ends before it is too old. */
  floor: number;
  /** Ends when the append before has; absent when none is under way. */
  busy: Promise<void> | undefined;
}

/** So many logs are known at least; at most twice as many. */
const statesMin = 131_072;

/** The logs that are known. */
export class LogStates {
  readonly #layout: LogLayout;
  readonly #statesMin: number;
  #young = new Map<string, LogState>();
  #old = new Map<string, LogState>();

  constructor(layout: LogLayout, least: number = statesMin) {
    this.#layout = layout;
    this.#statesMin = least;
  }

  /** The log of that name. */
  of(name: string): LogState {
    const known = this.#young.get(name);
    if (known !== undefined) return known;
    const place = this.#old.get(name) ?? fresh(placeOf(this.#layout, name));
    if (this.#young.size >= this.#statesMin) this.#age();
    this.#young.set(name, place);
    return place;
  }

  /** The log of that name, if it is known. */
  peek(name: string): LogState | undefined {
    return this.#young.get(name) ?? this.#old.get(name);
  }

  /** What is in use stays: an append that another one does not see would break the order. */
  #age(): void {
    const inUse = [...this.#old].filter(([, state]) => state.busy !== undefined);
    this.#old = this.#young;
    this.#young = new Map(inUse);
  }
}

/** What a message says of its log. */
export function marksOf(frame: Frame): LogMarks {
  const { streamSeq, wakeAt, writer } = frame;
  return { tail: streamSeq, snapshot: snapshotUpTo(frame), wakeAt, writer };
}

/** Takes note of what was seen to be the end of a log; what is older than known changes nothing. */
export function learnEnd(state: LogState, marks: LogMarks, lastSeq: number = marks.tail): void {
  state.marks = marks;
  state.strayTail = lastSeq === marks.tail ? undefined : lastSeq;
  state.floor = lastSeq;
}

/** The place of the last record of a log. */
export function tailSeqOf({ tail }: LogMarks): Seq {
  return tail === 0 ? 0 : lastSeqOf(tail);
}

function fresh(place: LogPlace): LogState {
  return { place, marks: undefined, strayTail: undefined, floor: 0, busy: undefined };
}
