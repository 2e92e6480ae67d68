/**
 * How far the clock of this machine may be from those of the servers. Leases do not depend on it:
 * each side measures spans on a clock of its own. What is written into records does, and what other
 * nodes read from it: when timers are due, until when a message is wanted, how old a key is.
 */
import { TroupeError } from '../core/errors.ts';
import type { ServerReport } from '../engines/nats/server-reports.ts';
import type { Logger } from '../telemetry/logger.ts';

/** How far apart two clocks may be, in milliseconds. */
export const clockLimits = {
  /** Beyond it a word is due: with NTP clocks are within some milliseconds. */
  warningMs: 1_000,
  /**
   * Beyond it a node does not start. A timer would fire so much too early, which cannot be undone;
   * and when such a clock is put right while the node runs, its lease, held for 12 s, lapses.
   */
  refusalMs: 10_000,
} as const;

/** What a server said about its clock. */
export type ClockReport = Pick<ServerReport, 'name' | 'clockAheadMs' | 'clockDoubtMs'>;

/** How far apart the clocks are at least: what the way of the answer may have taken is left out. */
export function apartMs({ clockAheadMs, clockDoubtMs }: ClockReport): number {
  return Math.max(0, Math.abs(clockAheadMs) - clockDoubtMs);
}

/** How the clock of a server differs from ours, for people. */
export function skewText({ name, clockAheadMs }: ClockReport): string {
  const seconds = (Math.abs(clockAheadMs) / 1_000).toFixed(1);
  return `the clock of the NATS server ${name} is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} that of this machine`;
}

/** What to do about clocks that differ. */
export const clockRemedy = 'keep the clocks of all machines in step with NTP';

/**
 * Looks whether the clock of this machine will do. One that is off from more than half of the
 * servers is wrong itself, or nobody can tell which one is; servers that do not say say nothing
 * against it.
 *
 * @throws `CONFIG_INVALID` when it is too far off.
 */
export function checkClock(reports: readonly ClockReport[], logger: Logger): void {
  const far = reports.filter(report => apartMs(report) > clockLimits.refusalMs);
  const [first] = far;
  if (first !== undefined && far.length > reports.length / 2) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `${skewText(first)}; timers would fire early or late by that, and ${clockLimits.refusalMs / 1_000} s are the limit; ${clockRemedy}`,
    });
  }
  for (const report of reports) {
    if (apartMs(report) > clockLimits.warningMs) logger.warn(`${skewText(report)}; ${clockRemedy}`);
  }
}
