/** What came of series of faults, as a table, one line of totals, and JSON. */
import type { Verdict } from './nats-series-judge.ts';
import type { MeasuredFault } from './nats-series-measure.ts';

/** What came of one series. */
export interface SeriesResult {
  readonly version: string;
  readonly faults: readonly MeasuredFault[];
  readonly verdict: Verdict;
}

/** The totals of several series. */
export interface SeriesTotals extends Omit<Verdict, 'complaints'> {
  readonly faults: number;
  readonly complaints: number;
}

/** Adds them up. */
export function totalsOf(results: readonly SeriesResult[]): SeriesTotals {
  const sum = (amountOf: (result: SeriesResult) => number) =>
    results.reduce((total, result) => total + amountOf(result), 0);
  return {
    faults: sum(({ faults }) => faults.length),
    acknowledged: sum(({ verdict }) => verdict.acknowledged),
    lost: sum(({ verdict }) => verdict.lost),
    doubled: sum(({ verdict }) => verdict.doubled),
    stepsRepeated: sum(({ verdict }) => verdict.stepsRepeated),
    stepsCutOff: sum(({ verdict }) => verdict.stepsCutOff),
    complaints: sum(({ verdict }) => verdict.complaints.length),
  };
}

/** The last line. */
export function totalsLine(name: string, totals: SeriesTotals): string {
  const { faults, acknowledged, lost, doubled, stepsRepeated } = totals;
  return `${name}: ${faults} faults, ${acknowledged} acknowledged, ${lost} lost, ${doubled} doubled, ${stepsRepeated} steps repeated`;
}

/** A Markdown table with a row for each kind of fault; seconds as median and maximum. */
export function faultTable(results: readonly SeriesResult[]): string {
  const faults = results.flatMap(result => result.faults);
  const head = [
    ...['fault', 'times', 'first turn after', 'longest stall of an agent', 'agents stalled'],
    ...['longest stall of reads', 'normal after healing', 'callers were told'],
  ];
  const rows = [...Map.groupBy(faults, ({ kind }) => kind)].map(([kind, group]) => [
    kind,
    String(group.length),
    seconds(group.map(({ firstMs }) => firstMs)),
    seconds(group.map(({ stallMs }) => stallMs)),
    `${median(group.map(({ stalledAgents }) => stalledAgents))}`,
    seconds(group.map(({ readStallMs }) => readStallMs)),
    seconds(group.map(({ normalMs }) => normalMs)),
    told(group),
  ]);
  return markdown([head, ...rows]);
}

/** One fault, while it goes on. */
export function faultLine({ kind, note, firstMs, stallMs, normalMs }: MeasuredFault): string {
  const times = [firstMs, stallMs, normalMs].map(ms => (ms === undefined ? '–' : second(ms)));
  const [first, stall, normal] = times;
  return `${kind} (${note}): first turn after ${first} s, stall ${stall} s, normal ${normal} s after healing`;
}

function told(group: readonly MeasuredFault[]): string {
  const counts = new Map<string, number>();
  for (const { refusals } of group) {
    for (const [name, count] of Object.entries(refusals)) {
      counts.set(name, (counts.get(name) ?? 0) + count);
    }
  }
  if (counts.size === 0) return 'nothing';
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} (${count})`)
    .join(', ');
}

function seconds(given: readonly (number | undefined)[]): string {
  const values = given.filter(value => value !== undefined);
  if (values.length === 0) return '–';
  return `${second(median(values))} / ${second(Math.max(...values))} s`;
}

function second(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function markdown(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map(row => row[column]?.length ?? 0)),
  );
  const lines = rows.map(row => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `| ${cells.join(' | ')} |`;
  });
  lines.splice(1, 0, `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`);
  return lines.join('\n');
}
