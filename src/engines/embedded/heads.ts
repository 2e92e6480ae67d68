/** Lists logs from the index, a bounded number of rows a time, so that appends never wait long. */
import { TroupeError } from '../../core/errors.ts';
import type { Heads, HeadsOptions, LogHead } from '../../ports/log.ts';
import type { IndexTable } from './index-table.ts';

const limitDefault = 1_000;
const rowsPerAnswer = 65_536;
const decoder = new TextDecoder();

/** What {@link listHeads} looks for, with the prefix in bytes. */
export interface HeadsQuery extends Omit<HeadsOptions, 'prefix'> {
  readonly prefix: Uint8Array;
}

/**
 * A page of logs. It may hold fewer than the limit and yet have a cursor.
 *
 * @throws `INVALID_INPUT` when the cursor is not one of ours.
 */
export function listHeads(index: IndexTable, query: HeadsQuery): Heads {
  const limit = query.limit ?? limitDefault;
  const start = rowOf(query.cursor);
  const stop = Math.min(index.rowCount, start + rowsPerAnswer);
  const heads: LogHead[] = [];
  let row = start;
  for (; row < stop && heads.length < limit; row += 1) {
    if (!isWanted(index, row, query)) continue;
    const name = decoder.decode(index.nameBytes(row));
    heads.push({ name, tail: index.tail(row), wakeAt: index.wakeAt(row) });
  }
  return row < index.rowCount ? { heads, cursor: String(row) } : { heads };
}

function isWanted(index: IndexTable, row: number, { dueAt, prefix }: HeadsQuery): boolean {
  if (index.tail(row) === 0) return false;
  if (dueAt !== undefined && !isDue(index.wakeAt(row), dueAt)) return false;
  return index.startsWith(row, prefix);
}

/** A log without work is not due, not even at the end of time. */
function isDue(wakeAt: number, dueAt: number): boolean {
  return wakeAt <= dueAt && wakeAt !== Number.POSITIVE_INFINITY;
}

function rowOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^\d{1,10}$/.test(cursor)) return Number(cursor);
  throw new TroupeError('INVALID_INPUT', { detail: `${JSON.stringify(cursor)} is not a cursor` });
}
