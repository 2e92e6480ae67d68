/**
 * When repeating timers are due. Cron texts are read by croner; everything is a function of times
 * that are passed in, so that the simulator decides what time it is.
 */
import { Cron } from 'croner';
import { type Duration, durationMs } from '../core/duration.ts';
import { TroupeError, textOf } from '../core/errors.ts';
import type { TimerEntry } from './entries.ts';

/** A cron text (five fields, or six with seconds), or the span between ticks. */
export type TimerSchedule = string | Duration;

/** The shortest span between ticks, in milliseconds. */
export const tickMsMin = 10;

/** A tick that is later than this counts as missed. */
export const missedAfterMs = 60_000;

const crons = new Map<string, Cron>();
const cronsMax = 1_000;
const durationPattern = /^\d+(\.\d+)?(ms|s|m|h|d)$/;

/**
 * The first time a schedule is due after `now`.
 *
 * @remarks With a time zone, a tick that falls into the hour that daylight saving skips runs at the
 * first moment after it, and one in the hour that comes twice runs once. Without one, UTC is meant.
 * @throws `CONFIG_INVALID` when it is no schedule, or never due.
 */
export function firstDueAt(
  schedule: TimerSchedule,
  now: number,
  timeZone: string | undefined,
): number {
  const dueAt = dueAfter(schedule, now, timeZone);
  if (dueAt !== undefined) return dueAt;
  throw new TroupeError('CONFIG_INVALID', {
    detail: `the schedule ${JSON.stringify(schedule)} is never due`,
  });
}

/** What a due timer does: whether it runs now, and when it is due again (never, when absent). */
export interface Tick {
  readonly runs: boolean;
  readonly next?: number | undefined;
}

/**
 * Decides about a timer that is due.
 *
 * @remarks Missed ticks (later than a minute): `skip` runs none of them, `once` one for all, `all`
 * each.
 */
export function tickOf(entry: TimerEntry, now: number): Tick {
  const { schedule, timeZone, dueAt } = entry;
  if (schedule === undefined) return { runs: true };
  const after = entry.missed === 'all' ? dueAt : Math.max(now, dueAt);
  const next = dueAfter(schedule as TimerSchedule, after, timeZone, dueAt);
  return { runs: entry.missed !== 'skip' || now - dueAt <= missedAfterMs, next };
}

function dueAfter(
  schedule: TimerSchedule,
  after: number,
  timeZone: string | undefined,
  base = after,
): number | undefined {
  if (typeof schedule === 'number' || durationPattern.test(schedule)) {
    const span = durationMs(schedule as Duration, 'the schedule of a timer');
    if (span < tickMsMin) {
      throw new TroupeError('CONFIG_INVALID', {
        detail: `a timer cannot tick every ${span} ms; at least ${tickMsMin}`,
      });
    }
    return base + span * (Math.floor((after - base) / span) + 1);
  }
  return cronOf(schedule, timeZone).nextRun(new Date(after))?.getTime();
}

function cronOf(pattern: string, timeZone: string | undefined): Cron {
  const key = `${timeZone ?? 'UTC'} ${pattern}`;
  const known = crons.get(key);
  if (known !== undefined) return known;
  const cron = parseCron(pattern, timeZone ?? 'UTC');
  if (crons.size >= cronsMax) crons.clear();
  crons.set(key, cron);
  return cron;
}

function parseCron(pattern: string, timezone: string): Cron {
  try {
    const cron = new Cron(pattern, { timezone, paused: true });
    cron.nextRun(new Date(0));
    return cron;
  } catch (error) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `"${pattern}" (time zone ${timezone}) is no schedule: ${textOf(error)}; write a cron text like "0 9 * * 1-5", or a span like "10m"`,
      cause: error,
    });
  }
}
