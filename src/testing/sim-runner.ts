/**
 * Runs many seeds and adds up what they showed: the library side of `npm run sim`. What one seed
 * runs is a scenario; reading the real clock and spreading seeds over cores is left to the script.
 */
import { textOf } from '../core/errors.ts';
import type { Violation } from './history.ts';
import type { FaultPointCount } from './sim-fault-points.ts';
import { formatTraceLine, type SimTraceLine } from './sim-trace.ts';
import type { SimWorld } from './sim-world.ts';

const violationsMax = 20;
const provingHoursMin = 20;
/** Crash-restarts in ten hours, at the least. */
const restartsMin = 100;

/** What a scenario is told. */
export interface SimScenarioOptions {
  readonly seed: number;
  /** Virtual hours to run. */
  readonly hours: number;
  /** The engine that all worlds are to stand on, where a scenario knows several. */
  readonly engine?: string | undefined;
  readonly onTraceLine?: ((line: SimTraceLine) => void) | undefined;
}

/** Builds a world from a seed, runs it, checks its history, and reports. */
export type SimScenario = (options: SimScenarioOptions) => Promise<SimReport>;

/** What one seed, or several, showed. Plain data: it crosses threads and is written as JSON. */
export interface SimReport {
  readonly seeds: number;
  readonly hours: number;
  readonly operations: number;
  readonly events: number;
  readonly crashRestarts: number;
  /** Faults that took effect, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly faultPoints: Readonly<Record<string, Readonly<FaultPointCount>>>;
  /** What was met beside: what faults came to, and what servers do. */
  readonly met: Readonly<Record<string, number>>;
  readonly violations: readonly SeedViolation[];
  /** How many there were, also beyond those that are listed. */
  readonly violationCount: number;
  /** The trace hash of each seed that was run alone; of several, the first one's. */
  readonly traceHash: string;
}

/**
 * A violation with the seed that shows it again, and what happened last (for the first of a seed).
 */
export interface SeedViolation extends Violation {
  readonly seed: number;
  readonly lastEvents?: readonly string[] | undefined;
}

/** What a scenario knows beside its world. */
export interface SimOutcome {
  readonly hours: number;
  readonly operations: number;
  /** What the checkers found, beside what the world noticed itself. */
  readonly violations: readonly Violation[];
}

/** The report of one run. */
export function reportWorld(world: SimWorld, outcome: SimOutcome): SimReport {
  const violations = [...world.violations, ...outcome.violations];
  const lines = world.eventsBeforeViolation ?? world.trace.recent();
  const lastEvents = violations.length === 0 ? [] : lines.map(formatTraceLine);
  return {
    seeds: 1,
    hours: outcome.hours,
    operations: outcome.operations,
    events: world.scheduler.events,
    crashRestarts: world.crashRestarts,
    faults: Object.fromEntries(world.faultCounts),
    faultPoints: Object.fromEntries(world.faultPoints.counts),
    met: Object.fromEntries(world.metCounts),
    violations: violations.slice(0, violationsMax).map((violation, place) => ({
      ...violation,
      seed: world.seed,
      ...(place === 0 ? { lastEvents } : {}),
    })),
    violationCount: violations.length,
    traceHash: world.trace.hash,
  };
}

/** Which seeds to run. */
export interface SimRunnerOptions {
  readonly scenario: SimScenario;
  readonly jobs: Iterable<SimJob>;
  readonly engine?: string | undefined;
  readonly onReport?: ((job: SimJob, report: SimReport) => void) | undefined;
  readonly onTraceLine?: ((line: SimTraceLine) => void) | undefined;
}

/** One seed to run. */
export interface SimJob {
  readonly seed: number;
  readonly hours: number;
  /** Runs it twice and compares the trace hashes. */
  readonly isRepeated: boolean;
}

/** One seed for each hour, from the first seed on; every fiftieth is run twice. */
export function* jobsFor(hours: number, firstSeed: number): Generator<SimJob> {
  for (let place = 0; place < hours; place++) {
    const seed = firstSeed + place;
    yield { seed, hours: Math.min(1, hours - place), isRepeated: place % 50 === 49 };
  }
}

/** Runs seeds one after another. */
export async function runSeeds(options: SimRunnerOptions): Promise<SimReport> {
  let total = emptyReport;
  for (const job of options.jobs) {
    const report = await runJob(options, job);
    options.onReport?.(job, report);
    total = addReports(total, report);
  }
  return total;
}

/** The report of no run at all. */
export const emptyReport: SimReport = {
  seeds: 0,
  hours: 0,
  operations: 0,
  events: 0,
  crashRestarts: 0,
  faults: {},
  faultPoints: {},
  met: {},
  violations: [],
  violationCount: 0,
  traceHash: '',
};

/** Two reports as one. */
export function addReports(left: SimReport, right: SimReport): SimReport {
  const faultPoints: Record<string, FaultPointCount> = { ...left.faultPoints };
  for (const [name, { boundary, hits, fired }] of Object.entries(right.faultPoints)) {
    const known = faultPoints[name] ?? { boundary, hits: 0, fired: 0 };
    faultPoints[name] = { boundary, hits: known.hits + hits, fired: known.fired + fired };
  }
  return {
    seeds: left.seeds + right.seeds,
    hours: left.hours + right.hours,
    operations: left.operations + right.operations,
    events: left.events + right.events,
    crashRestarts: left.crashRestarts + right.crashRestarts,
    faults: sums(left.faults, right.faults),
    faultPoints,
    met: sums(left.met, right.met),
    violations: [...left.violations, ...right.violations].slice(0, violationsMax),
    violationCount: left.violationCount + right.violationCount,
    traceHash: left.traceHash === '' ? right.traceHash : left.traceHash,
  };
}

type Counts = Readonly<Record<string, number>>;

function sums(left: Counts, right: Counts): Counts {
  const all: Record<string, number> = { ...left };
  for (const [name, count] of Object.entries(right)) all[name] = (all[name] ?? 0) + count;
  return all;
}

/** How many faults took effect, of all kinds. */
export function faultsFired(report: SimReport): number {
  return Object.values(report.faults).reduce((sum, count) => sum + count, 0);
}

/** The last line of a run, from the real time that it took on so many cores. */
export function summaryLine(report: SimReport, wallMs: number, cores: number): string {
  const rate = report.hours / (wallMs / 60_000) / cores;
  const { hours, seeds, operations, violationCount } = report;
  const counts = `${round(hours)} hours, ${seeds} seeds, ${operations} operations`;
  const faults = `${faultsFired(report)} faults fired, ${violationCount} violations`;
  return `sim: ${counts}, ${faults}, ${round(rate)} hours/min/core`;
}

/** What faults and fault points a run met, as lines of a table; what was never met shows as 0. */
export function coverageLines(report: SimReport): string[] {
  const per10Hours = (count: number) => round((count * 10) / Math.max(report.hours, 1e-9));
  const faults = Object.entries(report.faults).sort(byName);
  const points = Object.entries(report.faultPoints).sort(byName);
  const met = Object.entries(report.met).sort(byName);
  return [
    row(['fault', 'fired', 'per 10 hours']),
    ...faults.map(([kind, count]) => row([kind, count, per10Hours(count)])),
    row(['crash-restarts', report.crashRestarts, per10Hours(report.crashRestarts)]),
    '',
    row(['fault point', 'hit', 'crashed', 'boundary']),
    ...points.map(([name, each]) => row([name, each.hits, each.fired, each.boundary])),
    ...(met.length === 0 ? [] : ['', row(['met', 'times', 'per 10 hours'])]),
    ...met.map(([name, count]) => row([name, count, per10Hours(count)])),
  ];
}

/**
 * What a long run should have met and did not: fault points and kinds of faults that were never
 * reached, and too few restarts. A run of less than 20 hours proves nothing by what it missed.
 */
export function coverageGaps(report: SimReport): string[] {
  if (report.hours < provingHoursMin) return [];
  const faults = Object.entries(report.faults).filter(([, count]) => count === 0);
  const points = Object.entries(report.faultPoints).filter(([, { hits }]) => hits === 0);
  const met = Object.entries(report.met).filter(([, count]) => count === 0);
  const restarts = (report.crashRestarts * 10) / report.hours;
  return [
    ...faults.map(([kind]) => `the fault ${kind} never fired`),
    ...points.map(([name]) => `the fault point ${name} was never reached`),
    ...met.map(([name]) => `${name} was never met`),
    ...(restarts < restartsMin ? [`only ${round(restarts)} crash-restarts in 10 hours`] : []),
  ];
}

async function runJob(options: SimRunnerOptions, job: SimJob): Promise<SimReport> {
  const { seed, hours } = job;
  const { engine, onTraceLine } = options;
  try {
    const report = await options.scenario({ seed, hours, engine, onTraceLine });
    if (!job.isRepeated) return report;
    const again = await options.scenario({ seed, hours, engine });
    if (again.traceHash === report.traceHash) return report;
    const hashes = `${report.traceHash} and ${again.traceHash}`;
    return withViolation(report, seed, { check: 'determinism', message: `two traces: ${hashes}` });
  } catch (error) {
    const ran = { ...emptyReport, seeds: 1, hours };
    return withViolation(ran, seed, { check: 'scenario', message: textOf(error) });
  }
}

function withViolation(report: SimReport, seed: number, violation: Violation): SimReport {
  return {
    ...report,
    violations: [{ ...violation, seed }, ...report.violations],
    violationCount: report.violationCount + 1,
  };
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toFixed(2)));
}

function row(cells: readonly (string | number)[]): string {
  return cells
    .map((cell, place) => (place === 0 ? String(cell).padEnd(36) : String(cell).padStart(14)))
    .join(' ')
    .trimEnd();
}

function byName([left]: [string, unknown], [right]: [string, unknown]): number {
  return left < right ? -1 : 1;
}
