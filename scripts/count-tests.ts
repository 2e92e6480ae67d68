/**
 * Prints `N passed, N failed` from the results that vitest wrote as JSON: `node
 * scripts/count-tests.ts FILE STATUS`. A run whose status is not 0 has at least one failure,
 * whatever the file says.
 */
import { readFileSync } from 'node:fs';

/** What is read of vitest's results. */
export interface TestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  /** Files that failed, also those that failed before any of their tests ran. */
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly unknown[];
  }[];
}

/** The line for these results (none when the tests did not run) and the status of the whole run. */
export function countLine(results: TestResults | undefined, status: number): string {
  const filesWithoutTests =
    results?.testResults.filter(file => file.status === 'failed' && !file.assertionResults.length)
      .length ?? 0;
  const failed = (results?.numFailedTests ?? 0) + filesWithoutTests;
  const atLeast = status === 0 ? 0 : 1;
  return `${results?.numPassedTests ?? 0} passed, ${Math.max(failed, atLeast)} failed`;
}

function readResults(path: string): TestResults | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestResults;
  } catch {
    return undefined; // The run ended before the tests wrote their results.
  }
}

if (import.meta.main) {
  const [path = '', status = '0'] = process.argv.slice(2);
  process.stdout.write(`${countLine(readResults(path), Number(status))}\n`);
}
