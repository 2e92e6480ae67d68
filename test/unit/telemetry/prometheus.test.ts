/** What is rendered follows the rules of the text format, read back by a parser of those rules. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MetricsRegistry } from '../../../src/telemetry/metrics.ts';
import { renderPrometheus } from '../../../src/telemetry/prometheus.ts';

describe('renderPrometheus', () => {
  it('renders nothing for an empty registry, and for a family without series', () => {
    const registry = new MetricsRegistry();
    expect(renderPrometheus(registry)).toBe('');
    registry.counter({ name: 'a_total', help: 'A.', labels: ['type'] });
    expect(renderPrometheus(registry)).toBe('');
  });

  it('renders counters and gauges with HELP and TYPE before their samples', () => {
    const registry = new MetricsRegistry();
    const turns = registry.counter({ name: 't_total', help: 'Turns.', labels: ['type', 'action'] });
    turns.with('account', 'move').add(3);
    turns.with('account', 'audit');
    registry.gauge({ name: 'resident', help: 'Agents in memory.' }).with().set(-1.5);
    expect(renderPrometheus(registry)).toBe(
      [
        '# HELP resident Agents in memory.',
        '# TYPE resident gauge',
        'resident -1.5',
        '# HELP t_total Turns.',
        '# TYPE t_total counter',
        't_total{type="account",action="move"} 3',
        't_total{type="account",action="audit"} 0',
        '',
      ].join('\n'),
    );
  });

  it('renders a histogram as cumulative buckets up to +Inf, with sum and count', () => {
    const registry = new MetricsRegistry();
    const range = { min: 1, max: 4 };
    const family = registry.histogram({ name: 'd_seconds', help: 'D.', labels: ['type'], range });
    for (const ms of [1, 3, 100]) family.with('account').record(ms);
    expect(renderPrometheus(registry)).toBe(
      [
        '# HELP d_seconds D.',
        '# TYPE d_seconds histogram',
        'd_seconds_bucket{type="account",le="0.001"} 1',
        'd_seconds_bucket{type="account",le="0.002"} 1',
        'd_seconds_bucket{type="account",le="0.004"} 2',
        'd_seconds_bucket{type="account",le="+Inf"} 3',
        'd_seconds_sum{type="account"} 0.104',
        'd_seconds_count{type="account"} 3',
        '',
      ].join('\n'),
    );
  });

  it('renders numbers that are none in the words of the format', () => {
    const registry = new MetricsRegistry();
    const gauge = registry.gauge({ name: 'g', help: 'G.' }).with();
    const rendered = [Number.NaN, Infinity, -Infinity, 1e21, 1e-7].map(value => {
      gauge.set(value);
      return renderPrometheus(registry).split('\n').at(2);
    });
    expect(rendered).toEqual(['g NaN', 'g +Inf', 'g -Inf', 'g 1e+21', 'g 1e-7']);
  });

  it('gives back every label value and help text, whatever is in them', () => {
    const text = fc.string({
      unit: fc.constantFrom('\\', '"', '\n', 'n', '{', '}', ',', ' ', 'é'),
    });
    // The format does not tell -0 from 0.
    const value = fc.double().map(drawn => drawn + 0);
    fc.assert(
      fc.property(text, text, text, value, (help, type, action, value) => {
        const registry = new MetricsRegistry();
        const labels = ['type', 'action'] as const;
        registry.gauge({ name: 'g', help, labels }).with(type, action).set(value);
        expect(parse(renderPrometheus(registry))).toEqual([
          {
            name: 'g',
            kind: 'gauge',
            help,
            samples: [{ name: 'g', labels: { type, action }, value }],
          },
        ]);
      }),
    );
  });

  it('renders every histogram so that buckets never fall and end at the count', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(values, recorded => {
        const registry = new MetricsRegistry();
        const histogram = registry.histogram({ name: 'h', help: '' }).with();
        for (const value of recorded) histogram.record(value);
        const samples = parse(renderPrometheus(registry))[0]?.samples ?? [];
        const buckets = samples.filter(({ name }) => name === 'h_bucket');
        const bounds = buckets.map(({ labels }) => numberOf(labels.le ?? ''));
        expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
        expect(new Set(bounds).size).toBe(bounds.length);
        const counts = buckets.map(({ value }) => value);
        expect(counts).toEqual(counts.toSorted((a, b) => a - b));
        expect(counts.at(-1)).toBe(samples.find(({ name }) => name === 'h_count')?.value);
      }),
    );
  });
});

interface ParsedFamily {
  name: string;
  help: string;
  kind: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const labelPair = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"/g;
const pair = labelPair.source;
const sampleLine = new RegExp(`^([a-zA-Z_:][\\w:]*)(?:\\{(${pair}(?:,${pair})*)\\})? (\\S+)$`);

/** Reads the text format strictly: each line is HELP, TYPE or a sample of the family above. */
function parse(text: string): ParsedFamily[] {
  expect(text.endsWith('\n')).toBe(true);
  const families: ParsedFamily[] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    const [, comment, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/s.exec(line) ?? [];
    const family = families.at(-1);
    if (comment === 'HELP') families.push({ name, help: unescaped(rest), kind: '', samples: [] });
    else if (comment === 'TYPE') Object.assign(family ?? {}, { kind: rest });
    else family?.samples.push(parseSample(line));
  }
  return families;
}

function parseSample(line: string): ParsedFamily['samples'][number] {
  const match = sampleLine.exec(line);
  if (match === null) throw new Error(`not a sample: ${line}`);
  const [name = '', labels = ''] = match.slice(1);
  const value = match.at(-1) ?? '';
  const pairs = [...labels.matchAll(labelPair)].map(([, key, of]) => [key, unescaped(of ?? '')]);
  return { name, labels: Object.fromEntries(pairs), value: numberOf(value) };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
}

function numberOf(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}
