/**
 * Linearizability by versions: every answer says at which version of its agent it holds, so one
 * sweep over the starts and ends decides what is a search problem otherwise. A command takes its
 * place between the start of its first attempt and its first answer.
 */
import {
  type AnsweredOperation,
  answered,
  describeOperation,
  groupBy,
  type Operation,
  type Violation,
} from './history.ts';

interface Interval {
  readonly operation: AnsweredOperation;
  readonly isWrite: boolean;
  readonly startOrder: number;
  readonly endOrder: number;
  readonly version: number;
  readonly epoch: number;
}

/**
 * Checks, for each agent, that answers respect real time: a command that began after another
 * operation was answered has a greater version, a read at least the same; no two commands share a
 * version; no read shows a command that had not begun; epochs never fall as versions rise.
 */
export function checkVersions(operations: readonly Operation[]): Violation[] {
  const violations: Violation[] = [];
  for (const [agent, ofAgent] of groupBy(operations, each => each.agent)) {
    const intervals = intervalsOf(ofAgent);
    const report = (message: string) => {
      violations.push({ check: 'versions', message: `${agent}: ${message}` });
    };
    checkRealTime(intervals, report);
    checkUnique(intervals, report);
    checkNoForesight(ofAgent, intervals, report);
    checkEpochs(intervals, report);
  }
  return violations;
}

type Report = (message: string) => void;

function intervalsOf(operations: readonly Operation[]): Interval[] {
  const starts = commandStarts(operations);
  const intervals: Interval[] = [];
  const seen = new Set<string>();
  const byEnd = answered(operations).sort((left, right) => left.endOrder - right.endOrder);
  for (const operation of byEnd) {
    const isWrite = operation.kind === 'write';
    // That later answers for one command agree with the first is for `checkOnce` to judge.
    if (isWrite && seen.has(operation.command)) continue;
    if (isWrite) seen.add(operation.command);
    const { version, epoch } = operation.stamp;
    const startOrder = isWrite ? (starts.get(operation.command) ?? 0) : operation.startOrder;
    intervals.push({
      operation,
      isWrite,
      startOrder,
      endOrder: operation.endOrder,
      version,
      epoch,
    });
  }
  return intervals;
}

/** When the first attempt of each command began. */
function commandStarts(operations: readonly Operation[]): Map<string, number> {
  const starts = new Map<string, number>();
  for (const { kind, command, startOrder } of operations) {
    if (kind !== 'write') continue;
    starts.set(command, Math.min(starts.get(command) ?? startOrder, startOrder));
  }
  return starts;
}

function checkRealTime(byEnd: readonly Interval[], report: Report): void {
  const newestBefore = newestByEnd(byEnd);
  for (const interval of byEnd) {
    const newest = newestBefore(interval.startOrder);
    // Version 0 is the initial state, which was there before anything began.
    if (interval.version >= (newest?.version ?? 0) + (interval.isWrite ? 1 : 0)) continue;
    const late = describeOperation(interval.operation);
    report(
      newest === undefined
        ? `${late} has a version that no such answer can have`
        : `${late} began after ${describeOperation(newest.operation)} had been answered`,
    );
  }
}

/** Finds what had the greatest version of all that was answered before a place in the order. */
function newestByEnd(byEnd: readonly Interval[]): (order: number) => Interval | undefined {
  const newest: Interval[] = [];
  for (const interval of byEnd) {
    const before = newest.at(-1);
    newest.push(before !== undefined && before.version >= interval.version ? before : interval);
  }
  return order => newest[countWhile(byEnd, each => each.endOrder < order) - 1];
}

function checkUnique(intervals: readonly Interval[], report: Report): void {
  const byVersion = new Map<number, Interval>();
  for (const interval of intervals) {
    if (!interval.isWrite) continue;
    const other = byVersion.get(interval.version);
    if (other === undefined) byVersion.set(interval.version, interval);
    else {
      const [left, right] = [
        describeOperation(other.operation),
        describeOperation(interval.operation),
      ];
      report(`${left} and ${right} have one version`);
    }
  }
}

function checkNoForesight(
  operations: readonly Operation[],
  intervals: readonly Interval[],
  report: Report,
): void {
  const writes = intervals.filter(each => each.isWrite);
  writes.sort((left, right) => left.version - right.version);
  // Of all commands up to a version, the one that began last bounds who may have seen that version.
  const latest: Interval[] = [];
  for (const write of writes) {
    const before = latest.at(-1);
    latest.push(before !== undefined && before.startOrder > write.startOrder ? before : write);
  }
  for (const read of answered(operations)) {
    if (read.kind !== 'read') continue;
    const seen = latest[countWhile(writes, each => each.version <= read.stamp.version) - 1];
    if (seen === undefined || seen.startOrder < read.endOrder) continue;
    report(`${describeOperation(read)} saw ${describeOperation(seen.operation)} before it began`);
  }
}

function checkEpochs(intervals: readonly Interval[], report: Report): void {
  const byVersion = intervals.toSorted((left, right) => left.version - right.version);
  let highest: Interval | undefined;
  for (const interval of byVersion) {
    // A read may be answered by a new owner at a version that the old one wrote.
    if (!interval.isWrite) continue;
    if (highest === undefined || interval.epoch >= highest.epoch) highest = interval;
    else {
      const low = describeOperation(interval.operation);
      report(`${low} has an older epoch than ${describeOperation(highest.operation)}`);
    }
  }
}

/** How many items, in an order in which it holds for the first ones only, it holds for. */
function countWhile<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
