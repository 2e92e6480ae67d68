/**
 * All that a simulated world has to show at its end, from its true history and what callers saw.
 */

import { checkEnded } from './check-ended.ts';
import { checkFold, type SequentialModel } from './check-fold.ts';
import { checkAcknowledged, checkChains, checkDurableFirst, checkLogs } from './check-log.ts';
import { checkOnce } from './check-once.ts';
import { checkVersions } from './check-versions.ts';
import { answered, groupBy, type Operation, type Violation } from './history.ts';
import { checkDeliveries, givenUp } from './sim-troupe-check-delivery.ts';
import { checkMoths } from './sim-troupe-check-moths.ts';
import { checkRings } from './sim-troupe-check-rings.ts';
import { checkRuns } from './sim-troupe-check-runs.ts';
import { isMoth, type Tally } from './sim-troupe-deeds.ts';
import type { TroupeHistory } from './sim-troupe-history.ts';
import { finalRecordsOf, type TrueLog } from './sim-troupe-truth.ts';

/** A cell as a pure function. */
export const cellModel: SequentialModel<Tally> = {
  initial: { total: 0, turns: 0 },
  apply(state, action, input) {
    if (action === 'delete') return { state: this.initial, output: undefined };
    if (action !== 'act') return { state, output: state };
    // Records of this world carry the amount.
    const next = { total: state.total + (input as number), turns: state.turns + 1 };
    return { state: next, output: next };
  },
};

// What would be loud in production must not happen where nothing was damaged.
const alarming = new Set([
  'LOG_CORRUPT',
  'LOG_REGRESSED',
  'INVARIANT_BROKEN',
  'STATE_MISMATCH',
  'STEP_MISMATCH',
  'HISTORY_LOST',
]);

/** Checks a whole world. */
export function checkTroupe(history: TroupeHistory): Violation[] {
  const { logs, diary, limits } = history;
  const records = logs.flatMap(finalRecordsOf);
  const recorded = history.operations.filter(each => !isMoth(each.agent));
  const operations = [...recorded, ...rejectionsAsReads(history)];
  return [
    ...logs.flatMap(each => each.violations),
    ...checkLogs(records),
    ...checkChains(records),
    ...checkVersions(withEpochs(operations, logs)),
    ...checkAcknowledged({ operations, records }),
    ...checkOnce({ operations: writesOf(operations, logs), records }),
    ...checkFold({ operations: [...operations, ...diary.past], records, model: cellModel }),
    ...checkDurableFirst({ operations, durable: durableOf(logs) }),
    ...checkEnded(history.operations, limits),
    ...checkAlarms(history.operations),
    ...checkDeliveries(history),
    ...checkRings(logs, history.wallMs),
    ...checkRuns(history),
    ...checkMoths({
      operations: history.operations,
      notes: history.notebook.moths,
      mayForget: history.mayForget,
    }),
  ];
}

function durableOf(logs: readonly TrueLog[]) {
  return logs.flatMap(({ agent, records }) =>
    records
      .filter(each => each.isVersioned)
      .map(({ record, order }) => ({ agent, version: record.version, order })),
  );
}

/**
 * What was rejected or given up after it had been confirmed took no effect, and what was given up
 * and then sent again took effect after all, whatever its caller was told.
 */
function writesOf(operations: readonly Operation[], logs: readonly TrueLog[]): Operation[] {
  const given = givenUp(logs);
  const isOpen = ({ status, command, output, input }: Operation) => {
    if (output !== undefined) return false;
    // Spending is all that is ever rejected.
    return given.has(command) || (status === 'ok' && Number(input) < 0);
  };
  return operations
    .filter(each => each.kind === 'write')
    .map(each => (isOpen(each) ? { ...each, status: 'info' } : each));
}

/**
 * The answer to a key may be given by another epoch than the one that made its version: for the
 * order of epochs it counts where its record stands.
 */
function withEpochs(operations: readonly Operation[], logs: readonly TrueLog[]): Operation[] {
  const epochs = new Map<string, number>();
  for (const { agent, records } of logs) {
    for (const { record, isVersioned } of records) {
      if (isVersioned) epochs.set(`${record.version} ${agent}`, record.epoch);
    }
  }
  return operations.map(each => {
    const epoch = epochs.get(`${each.stamp?.version} ${each.agent}`);
    if (each.kind === 'read' || each.stamp === undefined || epoch === undefined) return each;
    if (each.stamp.epoch < epoch) return each;
    return { ...each, stamp: { ...each.stamp, epoch } };
  });
}

/** A rejection shows the tally it stands on: so it is also a read, and must be a true one. */
function rejectionsAsReads({ logs, diary, operations }: TroupeHistory): Operation[] {
  const spans = new Map(logs.map(log => [log.agent, spansByTurns(log)]));
  const answers = groupBy(answered(operations), each => each.agent);
  const reads: Operation[] = [];
  for (const { operation, tally } of diary.rejections) {
    const { agent, startOrder } = operation;
    if (!agent.startsWith('cell/')) continue;
    const span = spans.get(agent)?.get(tally.turns);
    const known = answers.get(agent)?.filter(each => each.endOrder < startOrder) ?? [];
    const newest = Math.max(0, ...known.map(each => each.stamp.version));
    reads.push({
      ...operation,
      kind: 'read',
      action: 'look',
      status: 'ok',
      output: tally,
      stamp: { epoch: 0, version: versionIn(span, newest) },
    });
  }
  return reads;
}

/** The versions of an agent that have one tally. */
interface Span {
  readonly first: number;
  last: number;
}

/** The first version with the tally that is not older than what was known already. */
function versionIn(span: Span | undefined, newest: number): number {
  // A number of turns that never was is a version that never was.
  if (span === undefined) return Number.MAX_SAFE_INTEGER;
  return Math.max(span.first, Math.min(span.last, newest));
}

/** What lies between two turns of a cell, such as the beginning of a job, changes no tally. */
function spansByTurns({ records }: TrueLog): Map<number, Span> {
  let span: Span = { first: 0, last: 0 };
  const spans = new Map([[0, span]]);
  for (const { did, record } of records) {
    if (did === undefined) span.last = record.version;
    else {
      span = { first: record.version, last: record.version };
      spans.set(did.output.turns, span);
    }
  }
  return spans;
}

function checkAlarms(operations: readonly Operation[]): Violation[] {
  return operations
    .filter(each => alarming.has(each.error ?? ''))
    .map(({ agent, action, error, id }) => ({
      check: 'alarm',
      message: `${agent}: #${id} ${action} ended with ${error}`,
    }));
}
