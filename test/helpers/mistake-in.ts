/** The error that a mistake leads to, for tests that look at what it says. */
import { TroupeError } from '../../src/index.ts';

/** What an act throws or rejects with, which must be a `TroupeError`. */
export async function mistakeIn(act: () => unknown): Promise<TroupeError> {
  try {
    await act();
  } catch (error) {
    if (TroupeError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
