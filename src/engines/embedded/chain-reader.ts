/**
 * Reads the records of one log, which are chained from the tail backwards. Whatever does not fit
 * its checksum, its place or its name stops that log: it is never skipped, and no log ends silently
 * earlier than its tail.
 */
import type { LogSlice, Seq, StoredRecord } from '../../ports/log.ts';
import {
  type Bytes,
  bodyOf,
  decodeRecord,
  type RecordHeader,
  recordHeaderBytes,
  recordKind,
} from './frame.ts';
import { corrupt } from './header.ts';
import { PositionCache } from './position-cache.ts';
import type { Segment } from './segment.ts';
import type { StoreState } from './state.ts';

/** A record as a chain sees it. */
export interface ChainRecord {
  readonly position: Seq;
  readonly previous: Seq;
  readonly kind: number;
  readonly isSnapshot: boolean;
  readonly body: Uint8Array;
}

/** Which part of a chain to read, and how much at most. */
interface Wanted {
  readonly row: number;
  /** The lowest place that is wanted. */
  readonly from: Seq;
  readonly recordsMax: number;
}

/** Most records are smaller than this, so that one read is enough. */
const guessBytes = 1_024;
const breatheEvery = 256;

/** Reads chains. */
export class ChainReader {
  readonly #state: StoreState;
  readonly #positions = new PositionCache();

  constructor(state: StoreState) {
    this.#state = state;
  }

  /** The records behind a place, oldest first. */
  async readAfter(row: number, after: Seq, recordsMax: number): Promise<LogSlice> {
    return this.#slice({ row, from: after + 1, recordsMax });
  }

  /** The newest snapshot, if any, and what is behind it, oldest first. */
  async readLatest(row: number): Promise<LogSlice> {
    const from = this.#state.index.snapshot(row);
    return this.#slice({ row, from, recordsMax: Number.POSITIVE_INFINITY });
  }

  /**
   * Reads and checks one record.
   *
   * @throws `LOG_CORRUPT` when it is not there, or damaged.
   */
  async record(row: number, position: Seq): Promise<ChainRecord> {
    const segment = this.#state.segments.find(position);
    if (segment === undefined) throw corrupt('log', position, 'no segment holds this place');
    let bytes = await segment.readAt(position, guessBytes);
    const header = bytes && decodeRecord(bytes, 0, this.#state.meta.salt);
    if (bytes === undefined || header === undefined || header.position !== position) {
      throw corruptAt(segment, position, 'no intact record begins here');
    }
    if (!this.#isNamed(bytes, header, row)) {
      throw corruptAt(segment, position, 'the record belongs to another log');
    }
    if (header.byteLength > bytes.buffer.length) {
      bytes = await segment.readAt(position, header.byteLength);
    }
    const body = bytes && bodyOf(bytes, 0, header);
    if (body === undefined) throw corruptAt(segment, position, 'the record fails its checksum');
    const { previous, kind, isSnapshot } = header;
    return { position, previous, kind, isSnapshot, body };
  }

  /** Forgets what was found of a log, because it was truncated. */
  forget(row: number): void {
    this.#positions.forget(row);
  }

  #isNamed(bytes: Bytes, header: RecordHeader, row: number): boolean {
    const name = bytes.buffer.subarray(recordHeaderBytes, recordHeaderBytes + header.nameLength);
    return Buffer.compare(name, this.#state.index.nameBytes(row)) === 0;
  }

  async #slice(wanted: Wanted): Promise<LogSlice> {
    const { row } = wanted;
    const { index, limits, breathe } = this.#context();
    const tail = index.tail(row);
    const from = Math.max(wanted.from, index.firstKept(row), 1);
    const known = this.#positions.from(row, from);
    if (known !== undefined) return this.#forwards(wanted, tail, known);
    const window = new SliceWindow(wanted.recordsMax, limits.sliceBytesMax);
    let position = tail;
    while (position >= from) {
      const record = await this.#recordOrTrimmed(row, position);
      if (record === undefined) break;
      window.push(record);
      position = record.previous;
      if (window.seen % breatheEvery === 0) await breathe();
    }
    if (!window.isWhole) this.#positions.put(row, from, window.positions());
    return { records: window.records(), tail, isComplete: window.isWhole, isStale: false };
  }

  /** Reads on in a long log whose places an earlier read has found. */
  async #forwards(wanted: Wanted, tail: Seq, positions: Float64Array): Promise<LogSlice> {
    const { limits, breathe } = this.#context();
    const records: StoredRecord[] = [];
    let bytes = 0;
    for (const [at, position] of positions.entries()) {
      if (records.length >= wanted.recordsMax || bytes >= limits.sliceBytesMax) {
        return { records, tail, isComplete: false, isStale: false };
      }
      const record = await this.#recordOrTrimmed(wanted.row, position);
      if (record?.kind === recordKind.data) records.push(stored(record));
      bytes += record?.body.length ?? 0;
      if (at % breatheEvery === breatheEvery - 1) await breathe();
    }
    return { records, tail, isComplete: positions.at(-1) === tail, isStale: false };
  }

  #context() {
    const { index, context } = this.#state;
    return { index, limits: context.limits, breathe: context.breathe };
  }

  /** A record that is missing was trimmed and compacted away while we read, or is damaged. */
  async #recordOrTrimmed(row: number, position: Seq): Promise<ChainRecord | undefined> {
    try {
      return await this.record(row, position);
    } catch (error) {
      if (position < this.#state.index.firstKept(row)) return undefined;
      throw error;
    }
  }
}

/** The oldest records of a walk from the tail backwards: newer ones are let go at the limits. */
class SliceWindow {
  readonly #recordsMax: number;
  readonly #bytesMax: number;
  readonly #newestFirst: ChainRecord[] = [];
  readonly #positions: Seq[] = [];
  #dropped = 0;
  #count = 0;
  #bytes = 0;

  constructor(recordsMax: number, bytesMax: number) {
    this.#recordsMax = recordsMax;
    this.#bytesMax = bytesMax;
  }

  /** How many records went through. */
  get seen(): number {
    return this.#positions.length;
  }

  /** Whether nothing was let go. */
  get isWhole(): boolean {
    return this.#dropped === 0;
  }

  push(record: ChainRecord): void {
    this.#positions.push(record.position);
    if (record.kind !== recordKind.data) return;
    this.#newestFirst.push(record);
    this.#count += 1;
    this.#bytes += record.body.length;
    const isOver = () => this.#count > this.#recordsMax || this.#bytes > this.#bytesMax;
    while (this.#count > 1 && isOver()) this.#drop();
  }

  records(): StoredRecord[] {
    return this.#newestFirst.slice(this.#dropped).reverse().map(stored);
  }

  /** All places seen, oldest first. */
  positions(): Seq[] {
    return this.#positions.toReversed();
  }

  #drop(): void {
    this.#bytes -= this.#newestFirst[this.#dropped]?.body.length ?? 0;
    delete this.#newestFirst[this.#dropped];
    this.#dropped += 1;
    this.#count -= 1;
  }
}

function stored({ position, body, isSnapshot }: ChainRecord): StoredRecord {
  return { seq: position, bytes: body, isSnapshot };
}

function corruptAt(segment: Segment, position: Seq, what: string): Error {
  const offset = position - segment.base;
  const where = segment.header.isCompacted ? `${what} (place ${position}, compacted)` : what;
  return corrupt(segment.path, offset, where);
}
