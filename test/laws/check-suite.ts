/** One test for each law of a suite. */
import { describe, expect, it } from 'vitest';
import type { AnySuite } from './any-suite.ts';

/** Declares the tests of a suite. */
export function checkSuite(suite: AnySuite): void {
  describe(`${suite.port} on ${suite.engine}`, () => {
    for (const name of suite.lawNames) {
      it(name, async () => {
        const result = await suite.check(name);
        expect(result.status === 'broken' ? result.reason : 'kept').toBe('kept');
      }, 70_000);
    }
  });
}
