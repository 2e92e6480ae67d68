/** How a promise fails, for tests of failures. */
import { TroupeError } from '../../src/core/errors.ts';

/** The error that a promise is rejected with; fails when it is not. */
export async function failureOf(promise: Promise<unknown>): Promise<TroupeError> {
  try {
    await promise;
  } catch (error) {
    if (TroupeError.is(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
