/** Lists histories page by page. Logs are never removed, so a place in their order stays good. */
import { TroupeError } from '../../core/errors.ts';
import type { Heads, HeadsOptions, LogHead } from '../../ports/log.ts';
import type { History } from './history.ts';

const limitDefault = 1_000;

/** One page of the logs that have ever held a record. The cursor counts logs passed so far. */
export function headsOf(histories: ReadonlyMap<string, History>, options: HeadsOptions): Heads {
  const limit = Math.max(1, options.limit ?? limitDefault);
  const start = placeOf(options.cursor);
  const heads: LogHead[] = [];
  let place = 0;
  for (const [name, history] of histories) {
    if (place >= start && isWanted(name, history, options)) {
      if (heads.length === limit) return { heads, cursor: String(place) };
      heads.push({ name, tail: history.tail, wakeAt: history.wakeAt });
    }
    place += 1;
  }
  return { heads };
}

function isWanted(name: string, history: History, { prefix, dueAt }: HeadsOptions): boolean {
  if (prefix !== undefined && !name.startsWith(prefix)) return false;
  if (dueAt === undefined) return true;
  return history.wakeAt <= dueAt && history.wakeAt !== Number.POSITIVE_INFINITY;
}

function placeOf(cursor: string | undefined): number {
  const place = cursor === undefined ? 0 : Number(cursor);
  if (Number.isSafeInteger(place)) return place;
  throw new TroupeError('INVALID_INPUT', { detail: `${cursor} is not a cursor of this engine` });
}
