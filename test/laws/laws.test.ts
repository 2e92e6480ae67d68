/**
 * Every port on every engine that needs no servers: one test a law. `npm run laws` prints the same
 * as a table.
 */
import { expect, it } from 'vitest';
import { checkSuite } from './check-suite.ts';
import { lawSuites, localSuites } from './suites.ts';

const lawsMin: Readonly<Record<string, number>> = { Log: 25, KeyValue: 15 };

for (const suite of localSuites) checkSuite(suite);

it('states enough laws for each port, each under a name of its own', () => {
  for (const { port, lawNames } of lawSuites) {
    expect(lawNames.length).toBeGreaterThanOrEqual(lawsMin[port] ?? 8);
    expect(new Set(lawNames).size).toBe(lawNames.length);
  }
});
