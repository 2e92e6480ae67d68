/**
 * Every named fault point of the runtime and its embedded engine, with its boundary: a set of runs
 * that never reaches one of them has not shown what it should.
 */
import type { FaultBoundary } from './sim-fault-points.ts';
import type { TroupeEngine } from './sim-troupe-plan.ts';
import { natsTroupeFaults, natsTroupeMeetings } from './sim-troupe-servers.ts';

/** The points of the runtime, and of the way to an engine outside of the process. */
const outsidePoints = /^(agent|outbox|task|engine)\./;

/** What a set of runs should meet, on one engine or on the two that seeds draw from. */
export interface TroupeFaultList {
  readonly points: ReadonlyMap<string, FaultBoundary>;
  readonly kinds: readonly string[];
  /** What comes of faults, or of the way of the engine. */
  readonly meetings: readonly string[];
}

/** What a set of runs should meet. */
export function faultListFor(engine: TroupeEngine | undefined): TroupeFaultList {
  if (engine === undefined) {
    return { points: troupeFaultPoints, kinds: troupeFaultKinds, meetings: [] };
  }
  const isOutside = engine !== 'embedded';
  const points = [...troupeFaultPoints].filter(([name]) =>
    isOutside ? outsidePoints.test(name) : name !== appendSent,
  );
  const meetings = engine === 'nats' ? natsTroupeMeetings : [];
  return { points: new Map(points), kinds: kindsOn[engine](), meetings };
}

const kindsOn: Readonly<Record<TroupeEngine, () => readonly string[]>> = {
  embedded: () => troupeFaultKinds.filter(each => !each.startsWith('engine-')),
  memory: () => [...processFaults, ...troupeFaultKinds.filter(each => each.startsWith('engine-'))],
  nats: () => [...processFaults, ...natsTroupeFaults, 'engine-regressed', 'engine-damaged'],
};

/** What befalls a process on whatever engine. */
const processFaults = [
  'kill',
  'pause',
  'clock-jump',
  'crash-before-durable',
  'crash-after-durable',
  'crash-ambiguous',
];

/** The point of an engine outside: an append is on its way there, its answer is not. */
export const appendSent = 'engine.append-sent';

/** Fault points by name. */
export const troupeFaultPoints: ReadonlyMap<string, FaultBoundary> = new Map([
  ['agent.record-made', 'before-durable'],
  ['agent.accepted', 'after-durable'],
  ['outbox.dispatch', 'after-durable'],
  ['task.intent-recorded', 'after-durable'],
  ['task.step-ended', 'before-durable'],
  ['segment.created', 'before-durable'],
  ['commit.before-write', 'before-durable'],
  ['commit.written', 'ambiguous'],
  ['commit.flushed', 'after-durable'],
  ['compaction.written', 'before-durable'],
  ['compaction.renamed', 'ambiguous'],
  ['compaction.durable', 'after-durable'],
  ['checkpoint.written', 'before-durable'],
  ['checkpoint.renamed', 'ambiguous'],
  ['recovery.before-cut', 'before-durable'],
  ['recovery.cut', 'after-durable'],
  ['open.epoch-raised', 'after-durable'],
  [appendSent, 'ambiguous'],
]);

/**
 * Every kind of fault that some world meets: a set of runs in which one never fires is too small.
 */
export const troupeFaultKinds: readonly string[] = [
  'kill',
  'power-loss',
  'pause',
  'slow-disk',
  'disk-full',
  'failed-flush',
  'failed-write',
  'failed-read',
  'clock-jump',
  'lost-write',
  'torn-write',
  'lost-name',
  'bit-flip',
  'misdirected-write',
  'crash-before-durable',
  'crash-ambiguous',
  'crash-after-durable',
  'engine-conflict',
  'engine-unavailable',
  'engine-full',
  'engine-unknown-stored',
  'engine-unknown-not-stored',
  'engine-unknown-late',
  'engine-regressed',
  'engine-damaged',
];
