/** Prints results as aligned columns that are also a Markdown table. */
import type { Result, Summary } from './results.ts';

/** The table of figures. */
export function figureTable(results: readonly Result[]): string {
  const head = ['figure', 'median', 'spread', 'baseline', 'ratio', 'bar', 'aim', 'verdict'];
  return markdown([
    head,
    ...results.map(result => [
      result.id,
      value(result.median, result.unit),
      spread(result),
      result.baseline ?? '–',
      result.ratio === undefined ? '–' : `${compact(result.ratio)} ×`,
      goal(result, result.bar),
      goal(result, result.aim),
      result.failure === undefined ? result.verdict : `failed: ${result.failure.slice(0, 80)}`,
    ]),
  ]);
}

/** The table of baselines. */
export function baselineTable(summaries: readonly Summary[]): string {
  return markdown([
    ['baseline', 'median', 'spread', 'what'],
    ...summaries.map(summary => [
      summary.id,
      value(summary.median, summary.unit),
      spread(summary),
      summary.failure === undefined ? summary.what : `failed: ${summary.failure.slice(0, 80)}`,
    ]),
  ]);
}

function goal({ isBarOfRatio, unit }: Result, amount: number | undefined): string {
  if (amount === undefined) return '–';
  return isBarOfRatio ? `${compact(amount)} ×` : value(amount, unit);
}

function spread({ samples, min, max }: Summary): string {
  return samples.length < 2 ? '–' : `${compact(min)}–${compact(max)}`;
}

function value(amount: number, unit: string): string {
  if (!Number.isFinite(amount)) return '–';
  return unit === '/s' ? `${compact(amount)}/s` : `${compact(amount)} ${unit}`;
}

function compact(amount: number): string {
  if (!Number.isFinite(amount)) return '–';
  if (amount >= 10_000_000) return `${(amount / 1e6).toFixed(1)} M`;
  if (amount >= 1_000_000) return `${(amount / 1e6).toFixed(2)} M`;
  if (amount >= 10_000) return `${(amount / 1e3).toFixed(0)} k`;
  if (amount >= 100) return amount.toFixed(0);
  return amount >= 10 ? amount.toFixed(1) : amount.toFixed(2).replace(/0$/, '');
}

function markdown(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map(row => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`;
  return rows.map((row, index) => (index === 0 ? `${line(row)}\n${rule}` : line(row))).join('\n');
}
