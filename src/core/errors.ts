/**
 * The one error class of Troupe. Callers switch on `code`; `outcome` answers the question that
 * matters after a failure: did it run? The texts that explain each code live in `error-codes.ts`.
 */
import { type ErrorCode, errorCodes, type Outcome } from './error-codes.ts';

export type { Outcome };

/** What a {@link TroupeError} is made of, beside its code. */
export interface TroupeErrorOptions {
  /**
   * The place and the particulars, for people: one sentence, ending with the remedy if it is short.
   */
  readonly detail: string;
  /** What is known; the usual outcome of the code when left out. */
  readonly outcome?: Outcome | undefined;
  /** Machine-readable particulars: plain data. A rejection carries `{ code, data }` here. */
  readonly data?: unknown;
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** When a retry makes sense, in milliseconds from now. */
  readonly retryAfterMs?: number | undefined;
}

/** A {@link TroupeError} as plain data, as it crosses a wire or lies in a record. */
export interface ErrorValue {
  readonly code: ErrorCode;
  readonly outcome: Outcome;
  readonly detail: string;
  readonly data?: unknown;
  readonly cause?: string;
}

const brand: unique symbol = Symbol.for('troupe.error') as never;

/** Every failure that Troupe reports. */
export class TroupeError extends Error {
  override readonly name = 'TroupeError';
  /** What went wrong, from a closed set; codes are added, never reused. */
  readonly code: ErrorCode;
  /** What is known about the operation. */
  readonly outcome: Outcome;
  /** The place and the particulars, without the code. */
  readonly detail: string;
  /** Machine-readable particulars. */
  readonly data: unknown;
  /** When a retry makes sense, in milliseconds from now. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, options: TroupeErrorOptions) {
    super(
      `${code}: ${options.detail}`,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.outcome = options.outcome ?? errorCodes[code].outcome;
    this.detail = options.detail;
    this.data = options.data;
    this.retryAfterMs = options.retryAfterMs;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Tells a {@link TroupeError}, also one of another copy of this package. */
  static is(error: unknown): error is TroupeError {
    return typeof error === 'object' && error !== null && brand in error;
  }

  /** The error as plain data; the cause is reduced to its text. */
  toValue(): ErrorValue {
    const { code, outcome, detail, data } = this;
    return {
      code,
      outcome,
      detail,
      ...(data === undefined ? {} : { data }),
      ...(this.cause === undefined ? {} : { cause: textOf(this.cause) }),
    };
  }

  /** The error that {@link TroupeError.toValue} described. */
  static from(value: ErrorValue): TroupeError {
    return new TroupeError(value.code, value);
  }
}

/** Wraps anything thrown, once: a {@link TroupeError} stays itself. */
export function wrapError(
  code: ErrorCode,
  thrown: unknown,
  detail: string,
  outcome?: Outcome,
): TroupeError {
  if (TroupeError.is(thrown)) return thrown;
  return new TroupeError(code, { detail: `${detail}: ${textOf(thrown)}`, outcome, cause: thrown });
}

/** The text of anything thrown, for people. */
export function textOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === 'string' ? thrown : String(thrown);
}

/**
 * States what must be true where data crosses a boundary.
 *
 * @throws `INVARIANT_BROKEN` when it is not.
 */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new TroupeError('INVARIANT_BROKEN', { detail: what });
}
