/** What a run of benchmarks found: each figure with its baseline, its bar and an honest verdict. */
import { median } from './measure.ts';
import type { Comparison, Figure, Measured } from './registry.ts';

/** All samples of one number. */
export interface Series {
  readonly samples: readonly number[];
  /** Why samples are missing, if they are. */
  readonly failure?: string | undefined;
}

/** One number with its spread. */
export interface Summary {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: readonly number[];
  readonly failure?: string | undefined;
}

/** One row of the table. */
export interface Result extends Summary {
  readonly baseline?: string | undefined;
  /** The median of the ratios of samples taken in the same round. */
  readonly ratio?: number | undefined;
  readonly bar?: number | undefined;
  readonly aim?: number | undefined;
  /** Whether bar and aim speak of the ratio, or of the figure. */
  readonly isBarOfRatio: boolean;
  readonly verdict: 'reached' | 'reached, and the aim' | 'missed' | 'failed';
}

/** Median, least and greatest of a series. */
export function summarize({ id, what, unit }: Measured, series: Series): Summary {
  const { samples, failure } = series;
  return {
    id,
    what,
    unit,
    median: median(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
    samples,
    failure,
  };
}

/** What a figure is judged by. */
export interface Evidence {
  readonly series: Series;
  readonly comparison: Comparison | undefined;
  /** The samples of the comparison's baseline, taken in the same rounds. */
  readonly baseline: Series | undefined;
}

/** Judges a figure against its bar and the baseline of the same run. */
export function judge(figure: Figure, { series, comparison, baseline }: Evidence): Result {
  const isBarOfRatio = figure.bar === undefined;
  const { bar, aim } = isBarOfRatio ? (comparison ?? {}) : figure;
  const summary = summarize(figure, series);
  const ratio = ratioOf(series, baseline);
  const measured = isBarOfRatio ? ratio : summary.median;
  const reaches = (goal: number | undefined): boolean =>
    measured !== undefined &&
    goal !== undefined &&
    (figure.isHigherBetter ? measured >= goal : measured <= goal);
  return {
    ...summary,
    baseline: comparison?.baseline,
    ratio,
    bar,
    aim,
    isBarOfRatio,
    verdict: verdictOf(measured, reaches(bar), reaches(aim)),
  };
}

function verdictOf(
  measured: number | undefined,
  reachesBar: boolean,
  reachesAim: boolean,
): Result['verdict'] {
  if (measured === undefined || Number.isNaN(measured)) return 'failed';
  if (!reachesBar) return 'missed';
  return reachesAim ? 'reached, and the aim' : 'reached';
}

function ratioOf(series: Series, baseline: Series | undefined): number | undefined {
  const ratios = series.samples.flatMap((value, round) => {
    const base = baseline?.samples[round];
    return base === undefined ? [] : [value / base];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}
