/** Every port on every engine: one test a law. `npm run laws` prints the same as a table. */
import { describe, expect, it } from 'vitest';
import { lawSuites } from './suites.ts';

const lawsMin: Readonly<Record<string, number>> = { Log: 25, KeyValue: 15 };

for (const suite of lawSuites) {
  describe(`${suite.port} on ${suite.engine}`, () => {
    for (const name of suite.lawNames) {
      it(name, async () => {
        const result = await suite.check(name);
        expect(result.status === 'broken' ? result.reason : 'kept').toBe('kept');
      }, 70_000);
    }
  });
}

it('states enough laws for each port, each under a name of its own', () => {
  for (const { port, lawNames } of lawSuites) {
    expect(lawNames.length).toBeGreaterThanOrEqual(lawsMin[port] ?? 8);
    expect(new Set(lawNames).size).toBe(lawNames.length);
  }
});
