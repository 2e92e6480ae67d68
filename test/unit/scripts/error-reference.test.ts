/** The page of errors is what the texts in the code make of it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { errorReference } from '../../../scripts/error-reference.ts';
import { errorCodes } from '../../../src/core/error-codes.ts';

it('is in step with the code', () => {
  const page = readFileSync(new URL('../../../docs/reference/errors.md', import.meta.url), 'utf8');
  expect(page, 'run: node scripts/error-reference.ts').toBe(errorReference());
});

it('has one row for each code, with every column filled', () => {
  const rows = errorReference()
    .split('\n')
    .filter(line => line.startsWith('| `'));
  expect(rows).toHaveLength(Object.keys(errorCodes).length);
  for (const row of rows) expect(row).toMatch(/^\| `[A-Z_]+` \| [a-z-]+ \| \S[^|]* \| \S[^|]* \|$/);
});
