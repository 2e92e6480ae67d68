/** The log on modelled NATS servers that lose answers, lag, die and are cut off. */
import { describe, expect, it } from 'vitest';
import { type LogWorldReport, runLogWorld } from './nats-log-world.ts';

const seeds = Array.from({ length: 16 }, (_, index) => index + 1);

describe('two nodes that write the same logs', () => {
  const reports: LogWorldReport[] = [];

  it.each(seeds)('lose nothing, double nothing and wake what has work, seed %i', async seed => {
    const report = await runLogWorld(seed);
    reports.push(report);
    expect(report.violations).toEqual([]);
  });

  it('met every answer that there is', () => {
    const found = new Set(reports.flatMap(({ answers }) => Object.keys(answers)));
    const expected = ['accepted', 'conflict', 'unavailable', 'unknown'];
    expect([...found]).toEqual(expect.arrayContaining(expected));
    const others = [...found].filter(answer => !expected.includes(answer));
    expect(['ENGINE_UNAVAILABLE', 'NO_QUORUM']).toEqual(expect.arrayContaining(others));
    expect(reports.reduce((sum, { dueCount }) => sum + dueCount, 0)).toBeGreaterThan(50);
  });
});
