/**
 * How a command ends: 0 when it did what was asked, 1 when that failed, 2 when it was asked in a
 * way that makes no sense, 3 when there is no node to ask.
 */
import { errorCodes } from '../core/error-codes.ts';
import { TroupeError } from '../core/errors.ts';

/** The exit codes. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;

/** Marks errors that are about the command itself, and not about what it asked for. */
interface CommandMark {
  readonly command: 'usage' | 'unreachable';
  /** What to do, where it is not what the code usually asks for. */
  readonly remedy: string;
}

/** What was typed makes no sense. */
export function usageError(detail: string): TroupeError {
  const data: CommandMark = { command: 'usage', remedy: 'See --help of the command.' };
  return new TroupeError('INVALID_INPUT', { detail, data });
}

/** There is no node to ask, or it went away: then `outcome` says what is known. */
export function unreachable(
  detail: string,
  more: { readonly outcome?: 'not-executed' | 'unknown'; readonly cause?: unknown } = {},
): TroupeError {
  const { outcome = 'not-executed', cause } = more;
  const remedy =
    outcome === 'unknown'
      ? 'Look at what became of it before you ask again, or ask with the same --key.'
      : 'Start a node with `admin: true` or `troupe dev`, or say where it is with --data or --url.';
  const data: CommandMark = { command: 'unreachable', remedy };
  return new TroupeError('NODE_UNREACHABLE', { outcome, cause, detail, data });
}

/** What to do about a failure; nothing for a code that only a newer version knows. */
export function remedyOf({ code, data }: TroupeError): string | undefined {
  const texts: { readonly remedy: string } | undefined = errorCodes[code];
  return markIn(data)?.remedy ?? texts?.remedy;
}

/** Whether a failure is that there is no node. */
export function isUnreachable(thrown: unknown): boolean {
  return TroupeError.is(thrown) && markIn(thrown.data)?.command === 'unreachable';
}

/** The exit code that a failure gives. */
export function exitCodeOf(thrown: unknown): number {
  const mark = TroupeError.is(thrown) ? markIn(thrown.data) : undefined;
  return mark === undefined ? exitCodes.failed : exitCodes[mark.command];
}

function markIn(data: unknown): CommandMark | undefined {
  const mark = data as Partial<CommandMark> | undefined;
  const isMark = mark?.command === 'usage' || mark?.command === 'unreachable';
  // Only the functions above make such a mark, and they make it whole.
  return isMark ? (mark as CommandMark) : undefined;
}
