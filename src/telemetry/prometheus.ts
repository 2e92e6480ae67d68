/** Metrics as text, in the exposition format 0.0.4 that Prometheus and its relatives read. */
import { Histogram } from './histogram.ts';
import type { Counter, Gauge, MetricFamily, MetricsRegistry } from './metrics.ts';

/** The content type of {@link renderPrometheus}. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** All metrics of a registry as text. Families without a series are left out. */
export function renderPrometheus(registry: MetricsRegistry): string {
  const lines: string[] = [];
  for (const family of registry.families()) renderFamily(family, lines);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function renderFamily(family: MetricFamily, lines: string[]): void {
  const series = [...family.series()];
  if (series.length === 0) return;
  lines.push(`# HELP ${family.name} ${escapeHelp(family.help)}`);
  lines.push(`# TYPE ${family.name} ${family.kind}`);
  for (const { labelValues, metric } of series) {
    const labels = family.labels.map((name, index) => labelText(name, labelValues[index] ?? ''));
    if (metric instanceof Histogram) renderHistogram(family, labels, metric, lines);
    else lines.push(sample(family.name, labels, shown(family, metric)));
  }
}

function renderHistogram(
  family: MetricFamily,
  labels: readonly string[],
  histogram: Histogram,
  lines: string[],
): void {
  const { name, scale } = family;
  for (const { bound, count } of histogram.buckets()) {
    lines.push(
      sample(`${name}_bucket`, [...labels, `le="${numberText(rounded(bound * scale))}"`], count),
    );
  }
  lines.push(sample(`${name}_bucket`, [...labels, 'le="+Inf"'], histogram.count));
  lines.push(sample(`${name}_sum`, labels, rounded(histogram.sum * scale)));
  lines.push(sample(`${name}_count`, labels, histogram.count));
}

function shown(family: MetricFamily, metric: Counter | Gauge): number {
  return metric.value * family.scale;
}

function sample(name: string, labels: readonly string[], value: number): string {
  const braced = labels.length === 0 ? '' : `{${labels.join(',')}}`;
  return `${name}${braced} ${numberText(value)}`;
}

function labelText(name: string, value: string): string {
  return `${name}="${escapeHelp(value).replaceAll('"', '\\"')}"`;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/**
 * A scale like 0.001 leaves digits that mean nothing; bounds must read the same in every process.
 */
function rounded(value: number): number {
  return Number(value.toPrecision(15));
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
