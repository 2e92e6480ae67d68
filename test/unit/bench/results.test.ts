/** Verdicts follow from samples alone, and nothing that was not measured counts as reached. */
import { describe, expect, it } from 'vitest';
import type { Figure } from '../../../bench/registry.ts';
import { judge, type Series } from '../../../bench/results.ts';
import { figureTable } from '../../../bench/table.ts';

const rate: Figure = {
  id: 'rate',
  what: 'calls',
  unit: '/s',
  file: 'rate.ts',
  probe: 'rate',
  isHigherBetter: true,
  comparisons: [],
  bar: 100,
  aim: 200,
};
const { bar: _, aim: __, ...withoutGoal } = rate;
const ofBaseline: Figure = { ...withoutGoal, unit: 'µs', isHigherBetter: false };
const comparison = { baseline: 'flush', bar: 2, aim: 1.3 };

describe('judge', () => {
  it.each([
    [99, 'missed'],
    [100, 'reached'],
    [200, 'reached, and the aim'],
  ])('holds a median of %d against bar and aim', (median, verdict) => {
    const result = judge(rate, evidence([1, median, 1_000]));
    expect(result).toMatchObject({ median, min: 1, max: 1_000, verdict });
  });

  it.each([
    [[21, 21, 21], 'missed'],
    [[20, 20, 20], 'reached'],
    [[13, 13, 13], 'reached, and the aim'],
  ])('holds %j against a baseline of 10 when the bar is a ratio', (samples, verdict) => {
    const baseline = { samples: [10, 10, 10] };
    expect(judge(ofBaseline, { ...evidence(samples), comparison, baseline }).verdict).toBe(verdict);
  });

  it('pairs the samples of a round, so that a slow minute counts on both sides', () => {
    const baseline = { samples: [10, 100, 10] };
    const result = judge(ofBaseline, { ...evidence([15, 150, 15]), comparison, baseline });
    expect(result.ratio).toBe(1.5);
  });

  it('fails what has no sample, also when only the baseline lacks one', () => {
    expect(judge(rate, evidence([])).verdict).toBe('failed');
    const alone = { ...evidence([10]), comparison, baseline: { samples: [], failure: 'no disk' } };
    expect(judge(ofBaseline, alone).verdict).toBe('failed');
  });

  it('takes the mean of the two in the middle of an even number', () => {
    expect(judge(rate, evidence([400, 100, 300, 200])).median).toBe(250);
  });
});

describe('figureTable', () => {
  it('prints a row for each figure, and the reason of a failure', () => {
    const missed = judge(rate, evidence([50]));
    const failed = judge(rate, evidence([], 'Error: no such module'));
    expect(figureTable([missed, failed]).split('\n')).toEqual([
      expect.stringMatching(/^\| figure .* verdict +\|$/),
      expect.stringMatching(/^\|[-|]+\|$/),
      expect.stringMatching(/^\| rate +\| 50\.0\/s +\| – .*\| 100\/s +\| 200\/s +\| missed +\|$/),
      expect.stringMatching(/\| failed: Error: no such module \|$/),
    ]);
  });
});

function evidence(samples: readonly number[], failure?: string) {
  const series: Series = { samples, failure };
  return { series, comparison: undefined, baseline: undefined };
}
