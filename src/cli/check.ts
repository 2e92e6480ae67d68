/** The form of what `troupe doctor` finds: one line for each thing it looked at. */
import { type ErrorValue, TroupeError, textOf } from '../core/errors.ts';

/** What a check found. */
export interface Check {
  readonly name: string;
  readonly result: 'ok' | 'warning' | 'failed';
  readonly detail: string;
}

/** All is well. */
export function ok(name: string, detail: string): Check {
  return { name, result: 'ok', detail };
}

/** It works, and somebody should look at it. */
export function warning(name: string, detail: string): Check {
  return { name, result: 'warning', detail };
}

/** It does not work. */
export function failed(name: string, detail: string): Check {
  return { name, result: 'failed', detail };
}

/** A failure in the words of its error: with the code, which `troupe explain` knows. */
export function failedAs(
  name: string,
  { code, detail }: Pick<ErrorValue, 'code' | 'detail'>,
): Check {
  return failed(name, `${code}: ${detail}`);
}

/** A failure in the words of what was thrown. */
export function failedBy(name: string, thrown: unknown): Check {
  return TroupeError.is(thrown) ? failedAs(name, thrown) : failed(name, textOf(thrown));
}
