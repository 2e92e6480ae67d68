/** Which probes a run takes, and in which order. */
import { hasErlang } from './baseline-erlang.ts';
import {
  type Baseline,
  baselines,
  type Comparison,
  type Figure,
  figures,
  type Measured,
} from './registry.ts';

/** What is measured in one run. */
export interface Plan {
  readonly figures: readonly Figure[];
  readonly baselines: readonly Baseline[];
  /** Each probe once, a figure right behind its baseline, so that both see the same weather. */
  readonly probes: readonly Measured[];
}

/** The figures and baselines of a run: all of them, or those that `only` names. */
export function planRun(only: readonly string[], isQuick: boolean): Plan {
  const isNamed = ({ id }: Measured): boolean => only.includes(id);
  const chosen =
    only.length > 0
      ? figures.filter(isNamed)
      : figures.filter(figure => !(isQuick && figure.isSlow === true));
  const pairs = chosen.flatMap(figure => besideBaseline(figure));
  // What reads the files of a figure is taken only beside that figure.
  const others = usableBaselines().filter(
    baseline =>
      isNamed(baseline) ||
      (only.length === 0 && !isOnFigure(baseline)) ||
      chosen.some(({ probe }) => probe === baseline.probe),
  );
  const all = new Map([...pairs, ...others].map(measured => [measured.probe, measured]));
  const ids = new Set([...pairs, ...others].map(({ id }) => id));
  return {
    figures: chosen,
    baselines: usableBaselines().filter(({ id }) => ids.has(id)),
    probes: [...all.values()],
  };
}

/** The first comparison of a figure whose baseline can be measured here. */
export function comparisonOf(figure: Figure): Comparison | undefined {
  const usable = usableBaselines();
  return figure.comparisons.find(({ baseline }) => usable.some(({ id }) => id === baseline));
}

function besideBaseline(figure: Figure): Measured[] {
  const wanted = comparisonOf(figure)?.baseline;
  const baseline = baselines.find(({ id }) => id === wanted);
  if (baseline === undefined) return [figure];
  return isOnFigure(baseline) ? [figure, baseline] : [baseline, figure];
}

/** A baseline that lives on what a figure has built must come behind it. */
function isOnFigure(baseline: Baseline): boolean {
  return figures.some(({ file }) => file === baseline.file);
}

function usableBaselines(): Baseline[] {
  return baselines.filter(({ needsErlang }) => needsErlang !== true || hasErlang());
}
