/** The page of limits: in step with the table, and readable. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { amountText, limitReference } from '../../../scripts/limit-reference.ts';
import { allLimits } from '../../../src/agent/limits.ts';

describe('docs/reference/limits.md', () => {
  it('is what the table says', () => {
    const page = readFileSync(
      new URL('../../../docs/reference/limits.md', import.meta.url),
      'utf8',
    );
    expect(page, 'run: node scripts/limit-reference.ts').toBe(limitReference());
  });

  it('has one row for each limit', () => {
    const rows = limitReference().match(/^\| `\w+` \|/gm) ?? [];
    expect(rows).toHaveLength(allLimits().length);
  });
});

describe('amountText', () => {
  it.each([
    [604_800_000, 'span', '7 d'],
    [300_000, 'span', '5 min'],
    [10_000, 'span', '10 s'],
    [1_500, 'span', '1500 ms'],
    [0, 'span', '0 ms'],
    [4_194_304, 'bytes', '4 MiB'],
    [524_288, 'bytes', '512 KiB'],
    [512, 'bytes', '512 bytes'],
    [200_000, 'count', '200,000'],
  ] as const)('writes %d (%s) as %s', (amount, unit, text) => {
    expect(amountText(amount, unit)).toBe(text);
  });
});
