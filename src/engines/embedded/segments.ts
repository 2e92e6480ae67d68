/**
 * The segments of a store in order, the last of which is appended to. Keeps only a few tables of
 * compacted segments in memory.
 */
import { invariant } from '../../core/errors.ts';
import type { Segment } from './segment.ts';

const tablesMax = 16;

/** A list of segments, by place. */
export class Segments {
  #list: Segment[] = [];
  #withTable: Segment[] = [];

  /** All of them, oldest first. */
  get list(): readonly Segment[] {
    return this.#list;
  }

  /** The one that is appended to. */
  get active(): Segment {
    const last = this.#list.at(-1);
    invariant(last !== undefined, 'a store has at least one segment');
    return last;
  }

  /** The place behind the last flushed commit. */
  get end(): number {
    return this.active.end;
  }

  add(segment: Segment): void {
    this.#list.push(segment);
  }

  /** Puts a compacted segment in the place of those it covers, and returns these. */
  replace(compacted: Segment): readonly Segment[] {
    const isCovered = (one: Segment) => one.base >= compacted.base && one.base < compacted.end;
    const covered = this.#list.filter(isCovered);
    const at = this.#list.findIndex(isCovered);
    invariant(at >= 0, 'a compacted segment covers at least one');
    this.#list = this.#list.toSpliced(at, covered.length, compacted);
    this.#withTable = this.#withTable.filter(one => !covered.includes(one));
    return covered;
  }

  /** The segment that holds a place, if there is one. */
  find(position: number): Segment | undefined {
    let low = 0;
    let high = this.#list.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#list[middle]?.base ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    const segment = this.#list[low];
    if (segment === undefined || position < segment.base || position >= segment.end) {
      return undefined;
    }
    if (segment.header.isCompacted) this.#noteTable(segment);
    return segment;
  }

  /** Lets go of all files. */
  async close(): Promise<void> {
    for (const segment of this.#list) await segment.retire();
  }

  #noteTable(segment: Segment): void {
    if (this.#withTable.at(-1) === segment) return;
    this.#withTable = this.#withTable.filter(one => one !== segment);
    this.#withTable.push(segment);
    if (this.#withTable.length > tablesMax) this.#withTable.shift()?.forgetTable();
  }
}
