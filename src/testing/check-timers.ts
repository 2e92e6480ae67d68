/** Durable timers: never early, at least once, never lost. */
import type { Violation } from './history.ts';

/** A timer and what became of it. All times are of the clock that the promise speaks of. */
export interface TimerHistory {
  readonly agent: string;
  readonly timer: string;
  readonly dueMs: number;
  readonly firedMs: readonly number[];
  /** When it was cancelled or replaced, if it was. */
  readonly cancelledMs?: number | undefined;
}

/** Until when a run lasted, and how late a timer may be at its end. */
export interface TimerLimits {
  /** Virtual time at which the run ended. */
  readonly endMs: number;
  /** A timer that was due longer ago than this must have fired (downtime counts). */
  readonly lateMsMax: number;
}

/** Checks that no timer fired early and that every one that was due has fired. */
export function checkTimers(timers: readonly TimerHistory[], limits: TimerLimits): Violation[] {
  const violations: Violation[] = [];
  for (const each of timers) {
    const report = (message: string) => {
      violations.push({ check: 'timers', message: `${each.agent} ${each.timer}: ${message}` });
    };
    for (const firedMs of each.firedMs) {
      if (firedMs < each.dueMs) report(`fired at ${firedMs} ms, due at ${each.dueMs} ms`);
    }
    if (each.firedMs.length > 0 || each.cancelledMs !== undefined) continue;
    if (each.dueMs + limits.lateMsMax < limits.endMs) {
      report(`was due at ${each.dueMs} ms and had not fired at ${limits.endMs} ms`);
    }
  }
  return violations;
}
