/** A logger that waits for the first entry of a level. */
import type { Logger } from '../../src/index.ts';

/** An entry for people. */
export interface LogEntry {
  readonly message: string;
  readonly data: unknown;
}

/** The logger, and a promise of the first entry of that level. */
export function firstEntryOf(level: 'info' | 'warn' | 'error'): {
  readonly logger: Logger;
  readonly first: Promise<LogEntry>;
} {
  const { promise: first, resolve } = Promise.withResolvers<LogEntry>();
  const ignore = (): void => {};
  const quiet: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const take = (message: string, data?: unknown): void => resolve({ message, data });
  return { logger: { ...quiet, [level]: take }, first };
}
