/** A histogram loses precision, never values. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../../src/telemetry/histogram.ts';

const range = { min: 2 ** -4, max: 2 ** 10 };
const inRange = fc.double({ min: range.min * 1.001, max: range.max, noNaN: true });
const anything = fc.double({ min: 0, max: 1e9, noNaN: true });

describe('Histogram', () => {
  it('knows nothing at first', () => {
    const histogram = new Histogram(range);
    expect(histogram.count).toBe(0);
    expect(histogram.quantile(0.5)).toBeNaN();
    expect(histogram.buckets().every(({ count }) => count === 0)).toBe(true);
  });

  it('has a bucket bound at each doubling, from the least to the greatest', () => {
    const bounds = new Histogram({ min: 1, max: 8 }).buckets().map(({ bound }) => bound);
    expect(bounds).toEqual([1, 2, 4, 8]);
  });

  it('counts a value at a bound as within it', () => {
    const histogram = new Histogram({ min: 1, max: 8 });
    for (const value of [1, 2, 2.000001, 4, 8, 8.000001]) histogram.record(value);
    expect(histogram.buckets().map(({ count }) => count)).toEqual([1, 2, 4, 5]);
    expect(histogram.count).toBe(6);
  });

  it('counts what lies beyond its range at its ends, and negative values as 0', () => {
    const histogram = new Histogram({ min: 1, max: 8 });
    for (const value of [0, -5, 1e-300, 1e300]) histogram.record(value);
    expect(histogram.buckets().map(({ count }) => count)).toEqual([3, 3, 3, 3]);
    expect([histogram.quantile(0), histogram.quantile(1)]).toEqual([1, 8]);
    expect(histogram.sum).toBe(1e300);
    const negative = new Histogram({ min: 1, max: 8 });
    negative.record(-5);
    expect(negative.sum).toBe(0);
  });

  it('leaves out what is not a finite number, so that the sum stays one', () => {
    const histogram = new Histogram(range);
    histogram.record(Number.NaN);
    histogram.record(Number.POSITIVE_INFINITY);
    expect([histogram.count, histogram.sum]).toEqual([0, 0]);
  });

  it('refuses a range that is not made of powers of two', () => {
    for (const wrong of [
      { min: 3, max: 8 },
      { min: 1, max: 10 },
      { min: 8, max: 8 },
      { min: 0, max: 8 },
    ]) {
      expect(() => new Histogram(wrong)).toThrow('INVARIANT_BROKEN');
    }
  });

  it('counts exactly the values within each bound', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(inRange, anything)), values => {
        const histogram = filled(values);
        for (const { bound, count } of histogram.buckets()) {
          expect(count).toBe(values.filter(value => value <= bound).length);
        }
        expect(histogram.count).toBe(values.length);
        expect(histogram.sum).toBeCloseTo(
          values.reduce((sum, value) => sum + value, 0),
          3,
        );
      }),
    );
  });

  it('is at most an eighth off in a quantile', () => {
    const shares = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(inRange, { minLength: 1 }), shares, (values, share) => {
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
        const told = filled(values).quantile(share);
        expect(Math.abs(told - exact) / exact).toBeLessThanOrEqual(0.125 + 1e-9);
      }),
    );
  });
});

function filled(values: readonly number[]): Histogram {
  const histogram = new Histogram(range);
  for (const value of values) histogram.record(value);
  return histogram;
}
