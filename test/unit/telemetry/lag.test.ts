/** Lag is what a tick comes late, never less than nothing. */
import { describe, expect, it } from 'vitest';
import { LagMeter } from '../../../src/telemetry/lag.ts';

describe('LagMeter', () => {
  it('is zero while ticks come in time, or early', () => {
    const meter = new LagMeter(1_000, { intervalMs: 100 });
    expect([meter.tick(1_100), meter.tick(1_199), meter.tick(1_299)]).toEqual([0, 0, 0]);
    expect([meter.maxMs(), meter.meanMs()]).toEqual([0, 0]);
  });

  it('is what a tick came late', () => {
    const meter = new LagMeter(0, { intervalMs: 100 });
    expect(meter.tick(350)).toBe(250);
    expect(meter.tick(450)).toBe(0);
    expect([meter.maxMs(), meter.meanMs()]).toEqual([250, 125]);
  });

  it('shows also in the tick that has not come yet', () => {
    const meter = new LagMeter(0, { intervalMs: 100 });
    expect([meter.lagMs(100), meter.lagMs(180)]).toEqual([0, 80]);
  });

  it('forgets what lies behind the recent ticks', () => {
    const meter = new LagMeter(0, { intervalMs: 10, ticksMax: 3 });
    let now = 0;
    for (const late of [90, 0, 0]) now = tickLate(meter, now, late);
    expect(meter.maxMs()).toBe(90);
    tickLate(meter, now, 5);
    expect(meter.maxMs()).toBe(5);
  });

  it('has a mean of nothing before the first tick', () => {
    expect(new LagMeter(0).meanMs()).toBe(0);
  });
});

function tickLate(meter: LagMeter, now: number, lateMs: number): number {
  const next = now + meter.intervalMs + lateMs;
  meter.tick(next);
  return next;
}
