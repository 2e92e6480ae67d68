/** Families hand out the same series again, stay bounded, and refuse contradictions. */
import { describe, expect, it } from 'vitest';
import { MetricsRegistry, seriesMax } from '../../../src/telemetry/metrics.ts';

const turns = { name: 'troupe_turns_total', help: 'Turns.', labels: ['type', 'action'] } as const;

describe('MetricsRegistry', () => {
  it('hands out the same series for the same labels', () => {
    const registry = new MetricsRegistry();
    registry.counter(turns).with('account', 'move').add();
    registry.counter(turns).with('account', 'move').add(2);
    expect(registry.counter(turns).with('account', 'move').value).toBe(3);
    expect(registry.counter(turns).with('account', 'audit').value).toBe(0);
  });

  it('tells label values apart wherever one ends and the next begins', () => {
    const family = new MetricsRegistry().counter(turns);
    family.with('a', 'bc').add();
    expect(family.with('ab', 'c').value).toBe(0);
  });

  it('has gauges that rise and fall', () => {
    const gauge = new MetricsRegistry().gauge({ name: 'resident', help: 'Agents.' }).with();
    gauge.set(10);
    gauge.add(-3);
    expect(gauge.value).toBe(7);
  });

  it('has histograms of milliseconds by default', () => {
    const options = { name: 'duration_seconds', help: 'Time.' };
    const histogram = new MetricsRegistry().histogram(options).with();
    histogram.record(3);
    expect(histogram.quantile(0.5)).toBeCloseTo(3, 0);
  });

  it('asks collectors just before metrics are shown', () => {
    const registry = new MetricsRegistry();
    const gauge = registry.gauge({ name: 'lag', help: 'Lag.' }).with();
    let reading = 5;
    registry.onCollect(() => gauge.set(reading));
    reading = 8;
    registry.families();
    expect(gauge.value).toBe(8);
  });

  it('shows families by name, whenever they were made', () => {
    const registry = new MetricsRegistry();
    for (const name of ['b', 'c', 'a']) registry.gauge({ name, help: name });
    expect(registry.families().map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('gathers what exceeds its bound in one series', () => {
    const family = new MetricsRegistry().counter(turns);
    for (let index = 0; index < seriesMax + 500; index++) family.with('type', `${index}`).add();
    const series = [...family.series()];
    expect(series).toHaveLength(seriesMax);
    expect(family.with('other', 'other').value).toBe(501);
    // Those that came early keep their own.
    expect(family.with('type', '0').value).toBe(1);
  });

  it('refuses another kind or other labels under a known name', () => {
    const registry = new MetricsRegistry();
    registry.counter(turns);
    expect(() => registry.gauge(turns)).toThrow('already a counter');
    expect(() => registry.counter({ ...turns, labels: ['type'] })).toThrow('already a counter');
  });

  it('refuses a wrong number of label values', () => {
    const family = new MetricsRegistry().counter(turns);
    expect(() => family.with('account')).toThrow('takes the labels (type, action)');
  });

  it('refuses names that Prometheus would', () => {
    const registry = new MetricsRegistry();
    for (const name of ['', '1a', 'a-b', 'a b', 'a\n', 'ä', 'a{']) {
      expect(() => registry.gauge({ name, help: '' })).toThrow('is no name');
    }
    expect(() => registry.counter({ name: 'turns', help: '' })).toThrow('must end in _total');
  });
});
