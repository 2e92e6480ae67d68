/**
 * What a node counts: counters, gauges and histograms in named families. A series is looked up once
 * and kept by whoever records, so recording is an addition. Labels name what code defines (a type,
 * an action, an error code), never an agent, so their number is bounded.
 */
import { invariant } from '../core/errors.ts';
import { Histogram, type HistogramRange } from './histogram.ts';

/** All labels that a metric may have. None of them grows with the number of agents or messages. */
export type LabelName = 'type' | 'action' | 'code' | 'lane' | 'reason';

/** A number that only rises. */
export class Counter {
  /** The count so far. */
  value = 0;

  /** Counts `amount` (default 1) more. */
  add(amount = 1): void {
    this.value += amount;
  }
}

/** A number that rises and falls. */
export class Gauge {
  /** The number now. */
  value = 0;

  /** Replaces the number. */
  set(value: number): void {
    this.value = value;
  }

  /** Changes the number by `amount`, which may be negative. */
  add(amount: number): void {
    this.value += amount;
  }
}

/** What is known of a metric before anything is recorded. */
export interface MetricOptions {
  /** As in Prometheus: `troupe_turns_total`, `troupe_turn_duration_seconds`. */
  readonly name: string;
  /** One sentence for people. */
  readonly help: string;
  /** The labels, in the order in which their values are given. */
  readonly labels?: readonly LabelName[] | undefined;
}

/**
 * A histogram is recorded in one unit, such as milliseconds, and shown in another, such as seconds.
 */
export interface HistogramOptions extends MetricOptions {
  /** In the recorded unit; powers of two. The default fits milliseconds from 16 µs to 131 s. */
  readonly range?: HistogramRange | undefined;
  /** A recorded value times this is shown (default 0.001, for milliseconds shown as seconds). */
  readonly scale?: number | undefined;
}

/** The kinds of metric. */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** One series of a family: its label values and what it records. */
export interface Series<Metric> {
  readonly labelValues: readonly string[];
  readonly metric: Metric;
}

/** No family holds more series; what comes later shares one whose label values are `other`. */
export const seriesMax = 2_000;

/** What {@link MetricsRegistry.histogram} uses where an option is left out. */
export const histogramDefaults: { readonly range: HistogramRange; readonly scale: number } = {
  range: { min: 2 ** -6, max: 2 ** 17 },
  scale: 0.001,
};

const namePattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** All series of one name. */
export class MetricFamily<
  Metric extends Counter | Gauge | Histogram = Counter | Gauge | Histogram,
> {
  readonly kind: MetricKind;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly LabelName[];
  /** A recorded value times this is shown. */
  readonly scale: number;
  readonly #series = new Map<string, Series<Metric>>();
  readonly #create: () => Metric;

  constructor(kind: MetricKind, options: MetricOptions, create: () => Metric, scale = 1) {
    this.kind = kind;
    this.name = options.name;
    this.help = options.help;
    this.labels = options.labels ?? [];
    this.scale = scale;
    this.#create = create;
    // Without labels there is exactly one series, and it shows before anything happened.
    if (this.labels.length === 0) this.with();
  }

  /** The series of these label values, made on first use. Keep it: the look-up costs a string. */
  with(...labelValues: readonly string[]): Metric {
    invariant(
      labelValues.length === this.labels.length,
      `${this.name} takes the labels (${this.labels.join(', ')}), not ${labelValues.length} values`,
    );
    const known = this.#series.get(labelValues.join('\0'));
    if (known !== undefined) return known.metric;
    const isFull = this.#series.size >= seriesMax - 1;
    const values = isFull ? labelValues.map(() => 'other') : labelValues;
    return (this.#series.get(values.join('\0')) ?? this.#add(values)).metric;
  }

  /** All series, in the order in which they were made. */
  series(): Iterable<Series<Metric>> {
    return this.#series.values();
  }

  #add(labelValues: readonly string[]): Series<Metric> {
    const series = { labelValues: [...labelValues], metric: this.#create() };
    this.#series.set(labelValues.join('\0'), series);
    return series;
  }
}

/** All metrics of a node. */
export class MetricsRegistry {
  readonly #families = new Map<string, MetricFamily>();
  readonly #collectors: (() => void)[] = [];

  /** The counters of that name; asking again gives the same ones. The name ends in `_total`. */
  counter(options: MetricOptions): MetricFamily<Counter> {
    invariant(options.name.endsWith('_total'), `counter ${options.name} must end in _total`);
    return this.#family('counter', options, () => new MetricFamily('counter', options, newCounter));
  }

  /** The gauges of that name; asking again gives the same ones. */
  gauge(options: MetricOptions): MetricFamily<Gauge> {
    return this.#family('gauge', options, () => new MetricFamily('gauge', options, newGauge));
  }

  /** The histograms of that name; asking again gives the same ones. */
  histogram(options: HistogramOptions): MetricFamily<Histogram> {
    const range = options.range ?? histogramDefaults.range;
    const scale = options.scale ?? histogramDefaults.scale;
    const create = (): Histogram => new Histogram(range);
    return this.#family(
      'histogram',
      options,
      () => new MetricFamily('histogram', options, create, scale),
    );
  }

  /** Calls `collect` before metrics are shown, to set gauges that nobody would keep up to date. */
  onCollect(collect: () => void): void {
    this.#collectors.push(collect);
  }

  /** All families, up to date, sorted by name. */
  families(): MetricFamily[] {
    for (const collect of this.#collectors) collect();
    return [...this.#families.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #family<Metric extends Counter | Gauge | Histogram>(
    kind: MetricKind,
    { name, labels = [] }: MetricOptions,
    create: () => MetricFamily<Metric>,
  ): MetricFamily<Metric> {
    const known = this.#families.get(name);
    if (known !== undefined) {
      invariant(
        known.kind === kind && known.labels.join() === labels.join(),
        `metric ${name} is already a ${known.kind} with the labels (${known.labels.join(', ')})`,
      );
      // The kind decides which class the family holds.
      return known as unknown as MetricFamily<Metric>;
    }
    invariant(namePattern.test(name), `${JSON.stringify(name)} is no name for a metric`);
    const family = create();
    this.#families.set(name, family as unknown as MetricFamily);
    return family;
  }
}

function newCounter(): Counter {
  return new Counter();
}

function newGauge(): Gauge {
  return new Gauge();
}
