/**
 * Brings an index up to date with the log: every record that a scan finds is applied, and holes are
 * judged. A hole below the high-water mark hides a record that was acknowledged. When a later
 * record names it as its predecessor we know whose it was, and reading that log will show the
 * damage; when nobody does, some log may end too early, and the store is not opened.
 */
import { applyRecord } from './apply.ts';
import {
  type CommitHeader,
  commitHeaderBytes,
  type RecordHeader,
  recordHeaderBytes,
  recordKind,
} from './frame.ts';
import type { IndexTable } from './index-table.ts';
import { type Range, type Scan, scanCompacted, scanRecords } from './scan.ts';
import type { Segment } from './segment.ts';
import type { Window } from './window-reader.ts';

/** A part of the log that cannot be read. */
export interface Hole {
  readonly path: string;
  /** Places in the log, the second behind the last. */
  readonly from: number;
  readonly to: number;
  /** How many records it hides. */
  readonly recordCount: number;
}

/** Applies records from a place on to an index. */
export class Replay {
  readonly #index: IndexTable;
  readonly #begin: number;
  readonly #holes: Hole[] = [];
  /** The places in holes that later records name as their predecessors, with their rows. */
  readonly #claimed = new Map<number, number>();
  readonly #excused: Range[] = [];
  readonly #cuts: { row: number; after: number; at: number }[] = [];
  /** What was damaged but could be had from elsewhere. */
  readonly repairs: string[] = [];

  constructor(index: IndexTable, begin: number) {
    this.#index = index;
    this.#begin = begin;
  }

  /** Applies the records of a commit whose header is intact. */
  async commit(scan: Scan, commit: CommitHeader, offset: number): Promise<void> {
    const range = { from: offset + commitHeaderBytes, to: offset + commit.byteLength };
    let found = 0;
    const holes: Range[] = [];
    await scanRecords(scan, range, {
      record: (header, window) => {
        found += 1;
        this.#apply(header, window);
      },
      hole: hole => holes.push(hole),
    });
    this.#noteHoles(scan.segment, holes, commit.recordCount - found);
  }

  /** Applies what can be read where a commit's header should be. */
  async gap(scan: Scan, gap: Range): Promise<void> {
    const holes: Range[] = [];
    await scanRecords(scan, gap, {
      record: (header, window) => this.#apply(header, window),
      hole: hole => holes.push(hole),
    });
    const [first, ...others] = holes;
    const isHeaderOnly = first?.from === gap.from && first.to === gap.from + commitHeaderBytes;
    if (isHeaderOnly && others.length === 0) {
      this.repairs.push(
        `${scan.segment.path}: the commit header at ${gap.from}; no record is lost`,
      );
      return;
    }
    this.#noteHoles(scan.segment, holes, Number.POSITIVE_INFINITY);
  }

  /** Applies the records of a compacted segment. */
  async compacted(scan: Scan): Promise<void> {
    const { segment } = scan;
    let found = 0;
    let last = segment.base;
    let open = -1;
    const holes: Range[] = [];
    await scanCompacted(scan, {
      record: (header, window) => {
        if (open >= 0)
          holes.push({ from: open - segment.base, to: header.position - segment.base });
        open = -1;
        found += 1;
        last = header.position;
        this.#apply(header, window);
      },
      hole: () => {
        open = last + 1;
      },
    });
    if (open >= 0) holes.push({ from: open - segment.base, to: segment.end - segment.base });
    this.#noteHoles(segment, holes, segment.header.tableCount - found);
  }

  /** The holes that may hide the end of a log. */
  unresolved(): Hole[] {
    return this.#holes.filter(hole => {
      if (this.#isExcused(hole)) return false;
      // A repair of one log gives up the one place that was its tail.
      const givenUp = this.#excused.filter(({ from, to }) => to === from + 1);
      const known = new Set([...this.#claimed.keys(), ...givenUp.map(({ from }) => from)]);
      const claims = [...known].filter(place => place >= hole.from && place < hole.to);
      return claims.length < hole.recordCount;
    });
  }

  /** The logs that have an unreadable record, with the place of it, by row. */
  damaged(): ReadonlyMap<number, { readonly hole: Hole; readonly place: number }> {
    const damaged = new Map<number, { hole: Hole; place: number }>();
    for (const [place, row] of this.#claimed) {
      const hole = this.#holeAt(place);
      const isGivenUp = place < this.#index.firstKept(row) || this.#cutBefore(row, place);
      if (hole !== undefined && !isGivenUp) damaged.set(row, { hole, place });
    }
    return damaged;
  }

  #apply(header: RecordHeader, { bytes, at }: Window): void {
    if (header.position < this.#begin) return;
    if (header.kind === recordKind.loss) {
      this.#excused.push({ from: header.previous, to: header.extra ?? 0 });
      return;
    }
    const start = at + recordHeaderBytes;
    const name = { bytes: bytes.buffer, start, end: start + header.nameLength };
    const row = this.#index.findOrAdd(name);
    if (this.#holes.length > 0 && header.kind !== recordKind.trim) {
      this.#claim(header.previous, row);
    }
    if (header.kind === recordKind.cut)
      this.#cuts.push({ row, after: header.previous, at: header.position });
    applyRecord(this.#index, row, header);
  }

  #claim(place: number, row: number): void {
    const hole = this.#holeAt(place);
    if (hole !== undefined && !this.#isExcused(hole)) this.#claimed.set(place, row);
  }

  #holeAt(place: number): Hole | undefined {
    return this.#holes.find(({ from, to }) => place >= from && place < to);
  }

  /** Whether a repair has cut a place out of a log. */
  #cutBefore(row: number, place: number): boolean {
    return this.#cuts.some(cut => cut.row === row && place > cut.after && place < cut.at);
  }

  #isExcused(hole: Hole): boolean {
    return this.#excused.some(({ from, to }) => hole.from >= from && hole.to <= to);
  }

  #noteHoles(segment: Segment, holes: readonly Range[], recordCount: number): void {
    for (const { from, to } of holes) {
      const { base, path } = segment;
      // A hole that lies below the checkpoint is the business of whoever reads that log.
      if (base + to <= this.#begin) continue;
      this.#holes.push({ path, from: base + from, to: base + to, recordCount });
    }
  }
}
