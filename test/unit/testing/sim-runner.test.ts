/**
 * The runner: adding up, repeating, reporting failures; and the kit's proof on the counter program.
 */
import { describe, expect, it } from 'vitest';
import {
  addReports,
  coverageGaps,
  coverageLines,
  emptyReport,
  faultsFired,
  jobsFor,
  runSeeds,
  type SimReport,
  type SimScenario,
  summaryLine,
} from '../../../src/testing/sim-runner.ts';
import type { CounterBug } from '../../helpers/counter-node.ts';
import { scenario } from '../../helpers/counter-world.ts';
import { scenario as embedded } from '../../helpers/log-world.ts';

const report: SimReport = {
  ...emptyReport,
  seeds: 1,
  hours: 1,
  operations: 3_000,
  crashRestarts: 5,
  faults: { kill: 5, pause: 2 },
  faultPoints: { 'log.flushed': { boundary: 'after-durable', hits: 10, fired: 1 } },
  traceHash: 'abc',
};
const job = { seed: 1, hours: 1, isRepeated: false };

describe('jobsFor', () => {
  it('gives one seed for each hour and repeats every fiftieth', () => {
    const jobs = [...jobsFor(100.5, 7)];
    expect(jobs).toHaveLength(101);
    expect(jobs[0]).toEqual({ seed: 7, hours: 1, isRepeated: false });
    expect(jobs.at(-1)).toEqual({ seed: 107, hours: 0.5, isRepeated: false });
    expect(jobs.filter(each => each.isRepeated).map(each => each.seed)).toEqual([56, 106]);
  });
});

describe('what was met beside faults', () => {
  const met = (counts: Record<string, number>): SimReport => ({ ...report, met: counts });

  it('is added up and printed in a table of its own, and is no fault', () => {
    const total = addReports(met({ election: 2, 'old-read': 0 }), met({ election: 3 }));
    expect(total.met).toEqual({ election: 5, 'old-read': 0 });
    expect(faultsFired(total)).toBe(14);
    const lines = coverageLines(total).map(line => line.split(/ {2,}/));
    expect(lines.slice(-3)).toEqual([
      ['met', 'times', 'per 10 hours'],
      ['election', '5', '25'],
      ['old-read', '0', '0'],
    ]);
  });

  it('is missed by a long run that never met it', () => {
    const long = { ...met({ election: 0 }), hours: 20, crashRestarts: 1_000 };
    expect(coverageGaps(long)).toEqual(['election was never met']);
    expect(coverageGaps({ ...long, hours: 19 })).toEqual([]);
  });
});

describe('runSeeds', () => {
  it('adds up what the seeds showed, and tells about each', async () => {
    const seen: number[] = [];
    const total = await runSeeds({
      scenario: async ({ seed }) => ({ ...report, traceHash: `hash ${seed}` }),
      jobs: jobsFor(3, 1),
      onReport: ({ seed }) => seen.push(seed),
    });
    expect(seen).toEqual([1, 2, 3]);
    expect(total).toMatchObject({
      seeds: 3,
      hours: 3,
      operations: 9_000,
      crashRestarts: 15,
      faults: { kill: 15, pause: 6 },
      faultPoints: { 'log.flushed': { boundary: 'after-durable', hits: 30, fired: 3 } },
      traceHash: 'hash 1',
      violationCount: 0,
    });
    expect(faultsFired(total)).toBe(21);
  });

  it('reports two runs of one seed that differ', async () => {
    let runs = 0;
    const drifting: SimScenario = async () => ({ ...report, traceHash: `hash ${runs++}` });
    const once = await runSeeds({ scenario: drifting, jobs: [job] });
    expect(once.violationCount).toBe(0);
    const twice = await runSeeds({ scenario: drifting, jobs: [{ ...job, isRepeated: true }] });
    expect(twice.violations).toEqual([
      { check: 'determinism', message: 'two traces: hash 1 and hash 2', seed: 1 },
    ]);
  });

  it('reports a scenario that throws, and goes on', async () => {
    const total = await runSeeds({
      scenario: async ({ seed }) => {
        if (seed === 1) throw new Error('no world');
        return report;
      },
      jobs: jobsFor(2, 1),
    });
    expect(total.violations).toEqual([{ check: 'scenario', message: 'no world', seed: 1 }]);
    expect(total).toMatchObject({ seeds: 2, violationCount: 1 });
  });

  it('lists few violations and counts all', () => {
    const violation = { check: 'x', message: 'y', seed: 1 };
    const bad = { ...report, violations: Array(15).fill(violation), violationCount: 100 };
    const total = addReports(bad, bad);
    expect(total.violations).toHaveLength(20);
    expect(total.violationCount).toBe(200);
  });
});

describe('the printed report', () => {
  it('ends with one line of a fixed form', () => {
    expect(summaryLine(report, 30_000, 2)).toBe(
      'sim: 1 hours, 1 seeds, 3000 operations, 7 faults fired, 0 violations, 1 hours/min/core',
    );
    const long = { ...report, hours: 750, seeds: 750, violationCount: 2 };
    expect(summaryLine(long, 117_300, 2)).toBe(
      'sim: 750 hours, 750 seeds, 3000 operations, 7 faults fired, 2 violations, 192 hours/min/core',
    );
  });

  it('shows each fault per ten hours, and fault points that were never reached', () => {
    const faultPoints = { never: { boundary: 'ambiguous', hits: 0, fired: 0 } } as const;
    const lines = coverageLines({ ...report, faultPoints }).map(each => each.replace(/ +/g, ' '));
    expect(lines).toContain('kill 5 50');
    expect(lines).toContain('crash-restarts 5 50');
    expect(lines).toContain('never 0 0 ambiguous');
  });
});

describe('the simulator on the counter program', () => {
  const run = (seed: number, bug?: CounterBug) => scenario({ seed, hours: 0.2, bug });

  it('finds nothing in the right program, which meets every fault and fault point', async () => {
    let total = emptyReport;
    for (let seed = 1; seed <= 4; seed++) total = addReports(total, await run(seed));
    expect(total.violations).toEqual([]);
    expect(total.operations).toBeGreaterThan(4 * 0.2 * 3_000);
    expect(faultsFired(total)).toBeGreaterThan(4 * 0.2 * 300);
    for (const { hits, fired } of Object.values(total.faultPoints)) {
      expect(hits).toBeGreaterThan(0);
      expect(fired).toBeGreaterThan(0);
    }
    for (const kind of [
      'kill',
      'power-loss',
      'pause',
      'failed-flush',
      'lost-write',
      'torn-write',
    ]) {
      expect(total.faults[kind]).toBeGreaterThan(0);
    }
  });

  const bugs: readonly [CounterBug, readonly string[]][] = [
    ['ack-before-flush', ['versions', 'acknowledged', 'once']],
    ['dedup-forgotten', ['once']],
    ['tail-trusted', ['versions', 'acknowledged']],
    ['stale-read', ['versions']],
  ];
  for (const [bug, checks] of bugs) {
    it(`finds ${bug}, with a seed that shows it again`, async () => {
      let found: SimReport | undefined;
      for (let seed = 1; seed <= 20 && found === undefined; seed++) {
        const tried = await run(seed, bug);
        if (tried.violationCount > 0) found = tried;
      }
      const kinds = found?.violations.map(each => each.check) ?? [];
      expect(kinds.some(each => checks.includes(each))).toBe(true);
      expect(found?.violations[0]?.lastEvents?.length).toBe(200);
      const again = await run(found?.violations[0]?.seed ?? 0, bug);
      expect(again).toEqual(found);
    });
  }

  it('runs the embedded engine as it is: trapped, and with the same trace twice', async () => {
    const first = await embedded({ seed: 1, hours: 0.03 });
    expect(first.events).toBeGreaterThan(1_000);
    expect(Object.keys(first.faultPoints)).toContain('commit.flushed');
    for (const { message } of first.violations) {
      expect(message).not.toContain('simulated code called');
    }
    const second = await embedded({ seed: 1, hours: 0.03, eventsPerYield: 1 });
    expect(second).toEqual(first);
  });

  it('leaves the same trace twice, however often it visits the real event loop', async () => {
    const first = await run(5);
    const second = await scenario({ seed: 5, hours: 0.2, eventsPerYield: 1 });
    expect(second).toEqual(first);
    expect((await run(6)).traceHash).not.toBe(first.traceHash);
  });
});
