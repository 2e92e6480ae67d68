/** The last line of CI says what happened, also when it is not vitest that failed. */
import { describe, expect, it } from 'vitest';
import { countLine } from '../../../scripts/count-tests.ts';

const passedFile = { status: 'passed', assertionResults: [{}] };
const brokenFile = { status: 'failed', assertionResults: [] };

describe('countLine', () => {
  it('counts tests', () => {
    const results = { numPassedTests: 7, numFailedTests: 0, testResults: [passedFile] };
    expect(countLine(results, 0)).toBe('7 passed, 0 failed');
  });

  it('counts a file that could not be loaded', () => {
    const results = { numPassedTests: 7, numFailedTests: 2, testResults: [passedFile, brokenFile] };
    expect(countLine(results, 1)).toBe('7 passed, 3 failed');
  });

  it('never says that all is well when a step failed', () => {
    const results = { numPassedTests: 7, numFailedTests: 0, testResults: [passedFile] };
    expect(countLine(results, 2)).toBe('7 passed, 1 failed');
    expect(countLine(undefined, 1)).toBe('0 passed, 1 failed');
  });
});
