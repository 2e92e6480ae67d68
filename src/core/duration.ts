/**
 * Spans of time at the public edge: `'2s'`, `'14d'`, or milliseconds. Inside, only milliseconds.
 */
import { TroupeError } from './errors.ts';

/** A span of time: a number of milliseconds, or a number with a unit. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * The milliseconds of a duration.
 *
 * @throws `CONFIG_INVALID` when it is not a duration, naming `what`.
 */
export function durationMs(duration: Duration, what: string): number {
  const ms = typeof duration === 'number' ? duration : parse(duration);
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `${what} is ${JSON.stringify(duration)}; write milliseconds, or a number with ms, s, m, h or d`,
    });
  }
  return ms;
}

function parse(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
