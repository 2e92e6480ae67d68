/** What an act throws, for tests of errors with codes. */
import { TroupeError } from '../../src/core/errors.ts';

/** The error that an act throws; fails when it throws none of ours. */
export function thrownBy(act: () => unknown): TroupeError {
  try {
    act();
  } catch (error) {
    if (TroupeError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
