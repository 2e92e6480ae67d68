/**
 * The records of one log in memory, oldest first. Places are three apart, so that nobody who counts
 * on dense ones passes a test. Bytes are copied on the way in and on the way out: what callers do
 * with theirs changes nothing here.
 */
import { TroupeError } from '../../core/errors.ts';
import type { LogSlice, NewRecord, Seq, StoredRecord } from '../../ports/log.ts';

const seqStep = 3;

/** The history of one agent. */
export class History {
  wakeAt: number = Number.POSITIVE_INFINITY;
  /** Set when the log is damaged: what every read and append is answered with. */
  damage: TroupeError | undefined;
  #records: StoredRecord[] = [];
  #isTrimmed = false;

  get tail(): Seq {
    return this.#records.at(-1)?.seq ?? 0;
  }

  /** Appends copies and returns the new tail. */
  append(records: readonly NewRecord[]): Seq {
    for (const { bytes, isSnapshot } of records) {
      this.#records.push({
        seq: this.tail + seqStep,
        bytes: new Uint8Array(bytes),
        isSnapshot: isSnapshot === true,
      });
    }
    return this.tail;
  }

  /** At most `recordsMax` records behind `after`, as if the last `hidden` were not there yet. */
  read(after: Seq, recordsMax: number, hidden = 0): LogSlice {
    const end = this.#visibleEnd(hidden);
    const start = Math.min(this.#indexBehind(after), end);
    return this.#slice(start, Math.min(start + recordsMax, end), end);
  }

  /** The newest snapshot and what is behind it, as if the last `hidden` were not there yet. */
  readLatest(hidden = 0): LogSlice {
    const end = this.#visibleEnd(hidden);
    let start = end - 1;
    while (start > 0 && this.#records[start]?.isSnapshot !== true) start -= 1;
    return this.#slice(Math.max(start, 0), end, end);
  }

  /** Forgets what lies before `before`. */
  trim(before: Seq, name: string): void {
    const newest = this.#records.findLast(record => record.isSnapshot)?.seq;
    if (newest === undefined || !(before <= newest)) {
      throw new TroupeError('INVALID_INPUT', {
        detail: `${name} cannot be trimmed to ${before}: its newest snapshot is ${newest ?? 'none'}`,
      });
    }
    const dropped = this.#records.splice(0, this.#indexBehind(before - 1));
    this.#isTrimmed ||= dropped.length > 0;
  }

  /** Forgets the last `count` records, as a store does that lost what it had acknowledged. */
  regress(count: number): void {
    this.#records.length = Math.max(0, this.#records.length - count);
  }

  /** Flips one bit of a record without anybody noticing. */
  flip(seq: Seq, bit: number): void {
    const record = this.#records.find(each => each.seq === seq);
    const byte = record?.bytes[bit >> 3];
    if (record !== undefined && byte !== undefined) {
      record.bytes[bit >> 3] = byte ^ (1 << (bit & 7));
    }
  }

  #slice(start: number, end: number, visibleEnd: number): LogSlice {
    return {
      records: this.#records
        .slice(start, end)
        .map(record => ({ ...record, bytes: new Uint8Array(record.bytes) })),
      tail: this.#records[visibleEnd - 1]?.seq ?? 0,
      isComplete: end === visibleEnd,
      isStale: false,
    };
  }

  /** A replica that lags behind has not trimmed either: it never shows less than a snapshot. */
  #visibleEnd(hidden: number): number {
    const floor = this.#isTrimmed
      ? this.#records.findLastIndex(record => record.isSnapshot) + 1
      : 0;
    return Math.max(this.#records.length - hidden, floor, 0);
  }

  /** The index of the first record behind a place. */
  #indexBehind(after: Seq): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#records[middle]?.seq ?? 0) > after) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
