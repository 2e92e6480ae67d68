/** What a node under test writes for people, kept for the test to look at. */
import type { Logger } from '../telemetry/logger.ts';

/** An entry. */
export interface LoggedEntry {
  readonly at: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly data: unknown;
}

const entriesMax = 10_000;

/** A logger that adds to a list, which keeps the newest 10,000. */
export function keepingLogger(entries: LoggedEntry[], now: () => number): Logger {
  const keep = (level: LoggedEntry['level']) => (message: string, data?: unknown) => {
    if (entries.length === entriesMax) entries.shift();
    entries.push({ at: now(), level, message, data });
  };
  return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}
