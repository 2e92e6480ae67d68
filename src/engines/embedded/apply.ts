/**
 * What a durable record changes in the index: the same when it was just written and when a scan
 * finds it.
 */
import { type RecordHeader, recordKind } from './frame.ts';
import type { IndexTable } from './index-table.ts';

/** What the index must know of a record. */
export type IndexChange = Pick<
  RecordHeader,
  'kind' | 'position' | 'previous' | 'isSnapshot' | 'extra'
>;

/** Applies a record of `row`. What a newer checkpoint already holds changes nothing. */
export function applyRecord(index: IndexTable, row: number, change: IndexChange): void {
  const { kind, position, extra } = change;
  const isNewer = position > index.tail(row);
  if (kind === recordKind.trim) {
    index.setFirstKept(row, Math.max(index.firstKept(row), change.previous));
    if (isNewer && extra !== undefined) index.setWakeAt(row, extra);
    return;
  }
  if (!isNewer) return;
  index.setTail(row, position);
  if (kind === recordKind.cut) {
    index.setSnapshot(row, extra ?? 0);
    // What the records that are left want is for who reads them to find out.
    index.setWakeAt(row, 0);
    return;
  }
  if (change.isSnapshot) index.setSnapshot(row, position);
  if (extra !== undefined) index.setWakeAt(row, extra);
}
