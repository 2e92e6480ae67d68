/**
 * What a throw means: which errors of a handler are told as they are, and what outcome they carry.
 */
import type { ErrorCode } from '../core/error-codes.ts';
import { type Outcome, TroupeError, textOf } from '../core/errors.ts';

/**
 * Errors that a context raises about what the handler asked of it; anything else is the handler's.
 */
const ownCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'REJECTED',
  'INVALID_INPUT',
  'OUTPUT_INVALID',
  'NOT_SERIALIZABLE',
  'PAYLOAD_TOO_LARGE',
  'STATE_READ_ONLY',
  'LEVEL_UNSUPPORTED',
  'ACTION_NOT_DEFINED',
  'TYPE_NOT_DEFINED',
  'CONFIG_INVALID',
  'STEP_MISMATCH',
  'STEP_UNKNOWN',
  'OVERLOADED',
  'QUOTA_EXCEEDED',
  'EXPIRED',
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'HANDLER_FAILED',
]);

/** Errors that say by themselves that the message did not run. */
const notExecuted: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ACTION_NOT_DEFINED',
  'INVALID_INPUT',
]);

/** So much of a thrown text is kept in records and answers. */
const textLengthMax = 4_000;

/** The error that a caller sees for something a handler threw. */
export function failureOf(thrown: unknown, place: string): TroupeError {
  if (TroupeError.is(thrown) && ownCodes.has(thrown.code)) {
    if (thrown.outcome === 'rolled-back' || notExecuted.has(thrown.code)) return thrown;
    return withOutcome(thrown, 'rolled-back');
  }
  return new TroupeError('HANDLER_FAILED', {
    detail: `${place} threw: ${textOf(thrown).slice(0, textLengthMax)}`,
    cause: thrown,
  });
}

/** An error of the log, told to a caller whose record was, or may have been, lost. */
export function outcomeKept(cause: TroupeError, isUnknown: boolean): TroupeError {
  return withOutcome(cause, isUnknown ? 'unknown' : 'not-executed');
}

/** The same error with another outcome. */
export function withOutcome(error: TroupeError, outcome: Outcome): TroupeError {
  if (error.outcome === outcome) return error;
  const { code, detail, data, cause, retryAfterMs } = error;
  return new TroupeError(code, { detail, outcome, data, cause, retryAfterMs });
}
