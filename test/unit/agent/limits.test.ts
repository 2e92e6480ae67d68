/** Limits: the table, and how what users say becomes numbers. */
import { describe, expect, it } from 'vitest';
import { resolveNodeLimits, resolveTypeLimits } from '../../../src/agent/limit-options.ts';
import { allLimits, fixedLimits, nodeLimits, typeLimits } from '../../../src/agent/limits.ts';
import { keyBytesMax } from '../../../src/core/address.ts';
import { errorCodes } from '../../../src/core/error-codes.ts';
import { TroupeError } from '../../../src/core/errors.ts';

const insteadOfErrors = new Set(['waits', 'warns', 'oldest dropped', 'tidied']);

function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (TroupeError.is(error)) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the table', () => {
  it.each(allLimits())('%s has a default, a meaning and what happens at the bound', (_, limit) => {
    expect(limit.default).toBeGreaterThanOrEqual(limit.min);
    expect(limit.meaning).toMatch(/^[A-Z].*\.$|^[A-Z].*\)\.$/);
    expect(limit.error in errorCodes || insteadOfErrors.has(limit.error)).toBe(true);
  });

  it('names each limit once', () => {
    const names = allLimits().map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength([typeLimits, nodeLimits, fixedLimits].flatMap(Object.keys).length);
  });

  it('agrees with the core about keys', () => {
    expect(fixedLimits.keyBytesMax.default).toBe(keyBytesMax);
  });

  it('has the windows and times that the promises speak of', () => {
    const node = resolveNodeLimits({}, 'limits');
    expect(node.resultWindowMs).toBe(7 * 24 * 3_600_000);
    expect(node.dedupWindowMs).toBe(600_000);
    const type = resolveTypeLimits({}, 'limits');
    expect(type).toMatchObject({ attemptsMax: 5, executeTimeoutMs: 10_000, idleMs: 300_000 });
  });
});

describe('resolving', () => {
  it('fills in all that is left out, and turns spans into milliseconds', () => {
    const limits = resolveTypeLimits({ attemptBackoff: '2s', idle: undefined }, 'account.limits');
    expect(limits.attemptBackoffMs).toBe(2_000);
    expect(limits.idleMs).toBe(typeLimits.idle.default);
    expect(Object.isFrozen(limits)).toBe(true);
    expect(Object.values(limits).every(value => typeof value === 'number')).toBe(true);
    expect(Object.keys(limits)).not.toContain('idle');
  });

  it('lets changed agents in memory only go when the type sets idle, not otherwise', () => {
    expect(resolveTypeLimits({}, 'a').discardMs).toBe(Number.POSITIVE_INFINITY);
    expect(resolveTypeLimits({ idle: '1m' }, 'a').discardMs).toBe(60_000);
  });

  it.each([
    [{ mailboxLengthMax: 0 }, 'mailboxLengthMax is 0; it must be a whole number of at least 1'],
    [{ mailboxLengthMax: 1.5 }, 'mailboxLengthMax is 1.5; it must be a whole number of at least 1'],
    [{ timersMax: -1 }, 'timersMax is -1; it must be a whole number of at least 0'],
    [{ stateBytesMax: '4mb' }, 'stateBytesMax is "4mb"; it must be a whole number of at least 1'],
    [
      { attemptsMax: Number.POSITIVE_INFINITY },
      'attemptsMax is Infinity; it must be a whole number of at least 1',
    ],
    [{ idle: 0 }, 'idle is 0; it must be at least 1 ms'],
    [{ idle: 'soon' }, 'idle is "soon"; write milliseconds, or a number with ms, s, m, h or d'],
  ])('refuses %j', (options, complaint) => {
    expect(refusalOf(() => resolveTypeLimits(options as object, 'account.limits'))).toBe(
      `CONFIG_INVALID: account.limits.${complaint}`,
    );
  });

  it('refuses limits that belong elsewhere or nowhere', () => {
    const elsewhere = { residentMax: 5 };
    expect(refusalOf(() => resolveTypeLimits(elsewhere as object, 'account.limits'))).toBe(
      'CONFIG_INVALID: account.limits: there is no limit "residentMax"',
    );
    expect(refusalOf(() => resolveNodeLimits({ resultWindows: 1 } as object, 'limits'))).toBe(
      'CONFIG_INVALID: limits: there is no limit "resultWindows"; did you mean "resultWindow"?',
    );
  });
});
