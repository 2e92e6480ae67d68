/** Waits grow, are capped, and are spread. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDefaults, backoffMs } from '../../../src/resilience/backoff.ts';

const options = fc.record({
  baseMs: fc.integer({ min: 0, max: 10_000 }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  delayMaxMs: fc.integer({ min: 0, max: 1_000_000 }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const attempt = fc.integer({ min: 1, max: 10_000 });

describe('backoffMs', () => {
  it('doubles from 50 ms to 10 s by default, half of it at random', () => {
    const longest = [1, 2, 3, 8, 9].map(number => backoffMs(number, 1 - Number.EPSILON));
    expect(longest.map(Math.round)).toEqual([50, 100, 200, 6_400, 10_000]);
    expect(backoffMs(1, 0)).toBe(25);
  });

  it('waits exactly as long as computed without jitter', () => {
    const waits = [1, 2, 3, 4].map(number =>
      backoffMs(number, 0.7, { baseMs: 10, factor: 3, delayMaxMs: 100, jitter: 0 }),
    );
    expect(waits).toEqual([10, 30, 90, 100]);
  });

  it('does not wait at all without a base, however many attempts there were', () => {
    expect(backoffMs(5_000, 0.5, { baseMs: 0 })).toBe(0);
  });

  it('takes the default for an option that is undefined', () => {
    const undefinedOptions = { baseMs: undefined, jitter: undefined };
    expect(backoffMs(1, 0, undefinedOptions)).toBe(backoffDefaults.baseMs / 2);
  });

  it('stays between the jittered least and the cap, whatever the attempt', () => {
    fc.assert(
      fc.property(attempt, random, options, (number, draw, given) => {
        const wait = backoffMs(number, draw, given);
        const whole = backoffMs(number, draw, { ...given, jitter: 0 });
        expect(wait).toBeGreaterThanOrEqual(whole * (1 - given.jitter) - 1e-9);
        expect(wait).toBeLessThanOrEqual(whole + 1e-9);
        expect(whole).toBeLessThanOrEqual(given.delayMaxMs);
      }),
    );
  });

  it('never waits less after a later attempt, for the same draw', () => {
    fc.assert(
      fc.property(attempt, random, options, (number, draw, given) => {
        const next = backoffMs(number + 1, draw, given);
        expect(next).toBeGreaterThanOrEqual(backoffMs(number, draw, given) - 1e-9);
      }),
    );
  });
});
