/**
 * What differs from one simulated world to the next: engine, agents, limits, faults. All of it is
 * drawn from the seed before anything runs, so that a seed stands for one world.
 */
import type { NodeLimitOptions, TypeLimitOptions } from '../agent/limit-options.ts';
import type { StoreLimits } from '../engines/embedded/options.ts';
import type { WriteFault } from '../engines/memory/faults.ts';
import { drawSwarm, type SimFaultKind } from './sim-faults.ts';
import type { SimRandom } from './sim-random.ts';

/** Which engine a world stands on. */
export type TroupeEngine = 'embedded' | 'memory' | 'nats';

/** One world. */
export interface TroupePlan {
  readonly engine: TroupeEngine;
  /** Whether requests to the embedded engine travel to a thread of its own, and answers back. */
  readonly isRemote: boolean;
  readonly cells: number;
  readonly mayflies: number;
  /** Agents that live in memory only, and their limits where they differ. */
  readonly moths: number;
  readonly mothLimits: TypeLimitOptions;
  /** Whether memory is short from time to time. */
  readonly isTight: boolean;
  /** How often the first cell is meant, beside its fair share. */
  readonly skew: number;
  readonly typeLimits: TypeLimitOptions;
  readonly nodeLimits: NodeLimitOptions;
  readonly storeLimits: Partial<StoreLimits>;
  readonly faultKinds: readonly SimFaultKind[];
  /** Mean time between faults that come by themselves. */
  readonly faultGapMs: number;
  /** How likely a burst of callers meets a fault. */
  readonly burstFaults: number;
  /** How likely a fault point is the end of its process. */
  readonly crashProbability: number;
  /** Faults of the memory engine, by rate. */
  readonly engineFaults: ReadonlyMap<WriteFault, number>;
  readonly callers: number;
  /** How likely what a caller draws throws, or is never going to work. */
  readonly throws: number;
  readonly poison: number;
  /** How likely a turn waits for something outside, so that others wait for it. */
  readonly lingers: number;
  /** How likely a caller takes away; where it is likely, most that is asked for is rejected. */
  readonly spends: number;
  /** The lives of the process with which newer state versions begin. */
  readonly upgrades: readonly number[];
}

const embeddedKinds: readonly SimFaultKind[] = [
  'kill',
  'power-loss',
  'pause',
  'slow-disk',
  'disk-full',
  'failed-flush',
  'failed-write',
  'failed-read',
  'clock-jump',
];

const memoryKinds: readonly SimFaultKind[] = ['kill', 'pause', 'clock-jump'];

// Faults that end the process cost more and show less than those it has to live with.
const weights: Partial<Record<SimFaultKind, number>> = {
  pause: 6,
  'slow-disk': 8,
  'disk-full': 8,
  'clock-jump': 6,
  'failed-read': 3,
};

const engineFaultKinds: readonly WriteFault[] = [
  'conflict',
  'unavailable',
  'full',
  'unknown-stored',
  'unknown-not-stored',
  'unknown-late',
];

/**
 * Draws the world of a seed. Three seeds in five stand on the embedded engine and the others on the
 * memory engine, unless all are to stand on another one.
 */
export function drawPlan(seed: number, random: SimRandom, asked?: TroupeEngine): TroupePlan {
  const engine = asked ?? (seed % 5 < 3 ? 'embedded' : 'memory');
  const kinds = engine === 'embedded' ? embeddedKinds : memoryKinds;
  const swarm = drawSwarm(random, kinds);
  // Deaths alone leave no time for anything else to go wrong.
  const chosen = swarm.includes('pause') ? swarm : [...swarm, 'pause' as const];
  const faultKinds = chosen.flatMap(kind => Array<SimFaultKind>(weights[kind] ?? 1).fill(kind));
  const moths = random.pick([0, 1, 3]) ?? 0;
  const plan: TroupePlan = {
    engine,
    isRemote: random.chance(0.7),
    cells: 1 + random.below(12),
    mayflies: random.below(4),
    moths,
    mothLimits: drawMothLimits(random),
    isTight: random.chance(0.3),
    skew: random.pick([0, 0.3, 0.7]) ?? 0,
    typeLimits: drawTypeLimits(random),
    nodeLimits: drawNodeLimits(random, moths),
    storeLimits: drawStoreLimits(random),
    faultKinds,
    faultGapMs: random.between(9_500, 12_000) * gapFactor(faultKinds),
    burstFaults: random.pick([0.2, 0.5]) ?? 0,
    crashProbability: random.pick([0, 0.0005, 0.002]) ?? 0,
    engineFaults: drawEngineFaults(random),
    callers: 4 + random.below(5),
    throws: random.pick([0, 0.05, 0.2]) ?? 0,
    poison: random.pick([0, 0.01]) ?? 0,
    lingers: random.pick([0, 0.03, 0.1]) ?? 0,
    spends: random.pick([0.12, 0.3, 0.6]) ?? 0,
    upgrades: drawSwarm(random, [3 + random.below(5), 10 + random.below(10)]),
  };
  return withPatience(plan, random.fork('patience'));
}

const patientProbability = 0.4;
const patientMs = 45_000;

/** Some callers still wait when another life of the node has come into its place. */
function withPatience(plan: TroupePlan, random: SimRandom): TroupePlan {
  if (plan.engine !== 'nats' || !random.chance(patientProbability)) return plan;
  // Nobody may wait for longer than answers are kept.
  const keptMs = Number(plan.nodeLimits.dedupWindow);
  const executeTimeout = Math.min(patientMs, keptMs * 0.9);
  return { ...plan, typeLimits: { ...plan.typeLimits, executeTimeout } };
}

/** These happen whenever they are drawn; others need something that they can happen to. */
const sureKinds: ReadonlySet<SimFaultKind> = new Set(['pause', 'kill', 'clock-jump', 'slow-disk']);
const sureShareMin = 0.75;

/** Worlds whose faults mostly find nothing to harm get more of them. */
function gapFactor(kinds: readonly SimFaultKind[]): number {
  const sure = kinds.filter(kind => sureKinds.has(kind)).length;
  return Math.min(1, sure / kinds.length / sureShareMin);
}

function drawTypeLimits(random: SimRandom): TypeLimitOptions {
  return {
    snapshotEvery: random.pick([1, 3, 10, 30]),
    historyVersions: random.pick([0, 5, 100, 1_000]),
    mailboxLengthMax: random.pick([6, 20, 1_000]),
    idle: random.pick([1, 8_000, 60_000]),
    heldMax: random.pick([2, 256]),
    attemptsMax: random.pick([2, 5]),
    attemptBackoff: random.pick([10, 1_000]),
    executeTimeout: random.pick([500, 2_000, 8_000]),
  };
}

function drawMothLimits(random: SimRandom): TypeLimitOptions {
  return {
    mailboxLengthMax: random.pick([6, 1_000]),
    executeTimeout: random.pick([500, 8_000]),
    // Without it they stay in memory once they have changed.
    ...(random.chance(0.5) ? { idle: 8_000 } : {}),
  };
}

function drawNodeLimits(random: SimRandom, moths: number): NodeLimitOptions {
  return {
    runAheadMax: random.pick([1, 2, 8, 256]),
    appendBytesMax: random.pick([1_024, 524_288]),
    // Moths may never leave: the others share what is left.
    residentMax: random.chance(0.3) ? moths + 3 + random.below(4) : 200_000,
    heldTimeout: random.pick([200, 5_000]),
    dedupWindow: random.pick([20_000, 600_000]),
    sentDelay: random.pick([0, 200, 5_000]),
    inboxDelay: random.pick([50, 200, 1_000]),
    resolveAttemptsMax: random.pick([1, 3, 8]),
    resolveDelay: random.pick([1, 50]),
  };
}

/** Small enough that segments end, checkpoints happen and space is reserved within minutes. */
function drawStoreLimits(random: SimRandom): Partial<StoreLimits> {
  const segmentBytes = random.pick([64 << 10, 256 << 10]) ?? 0;
  return {
    segmentBytes,
    batchBytesMax: random.pick([4 << 10, 64 << 10]) ?? 0,
    checkpointBytesMin: random.pick([16 << 10, 64 << 10]) ?? 0,
    reserveBytes: random.pick([0, 8 << 10, 32 << 10]) ?? 0,
    sliceBytesMax: random.pick([64 << 10, 1 << 20]) ?? 0,
  };
}

function drawEngineFaults(random: SimRandom): ReadonlyMap<WriteFault, number> {
  const kinds = drawSwarm(random, engineFaultKinds);
  const chosen = kinds.length === 0 ? engineFaultKinds : kinds;
  return new Map(chosen.map(kind => [kind, random.between(0.02, 0.06) / chosen.length + 0.005]));
}
