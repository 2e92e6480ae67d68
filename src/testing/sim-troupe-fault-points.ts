/**
 * Every named fault point of the runtime and its embedded engine, with its boundary: a set of runs
 * that never reaches one of them has not shown what it should.
 */
import type { FaultBoundary } from './sim-fault-points.ts';

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
]);
