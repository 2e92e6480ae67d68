/**
 * Runs once before all tests: gets the NATS servers that are missing, and says which ones are
 * tested. When that fails, the tests that need them fail with the same words.
 */
import { TroupeError } from '../../src/core/errors.ts';
import { testServers } from './nats-release.ts';

/** Called by vitest. */
export async function setup(): Promise<void> {
  try {
    const versions = (await testServers()).map(({ version }) => version);
    console.log(`NATS servers under test: ${versions.join(', ')}`);
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    console.error(error.message);
  }
}
