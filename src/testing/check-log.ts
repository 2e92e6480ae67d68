/**
 * What the final logs must show: dense versions, epochs that never fall with one writer each, an
 * unbroken chain of hashes, and every write that was ever acknowledged. The logs are the ground
 * truth of a run; how they are decoded is left to the world that was run.
 */
import { answered, describeOperation, groupBy, type Operation, type Violation } from './history.ts';

/** One record of a final log, decoded. */
export interface FinalRecord {
  readonly agent: string;
  /** The version it gave the agent, or 0 for a record without one (a snapshot, an inbox entry). */
  readonly version: number;
  readonly epoch: number;
  /** The node incarnation that wrote it, if it says so. */
  readonly writer?: string | undefined;
  /** The command that it consumed, if any. */
  readonly command?: string | undefined;
  /** What the command asked for, for checkers that recompute the state. */
  readonly action?: string | undefined;
  readonly input?: unknown;
  /** The hash of this record and the one it says its predecessor has; empty at the first record. */
  readonly hash: string;
  readonly previous: string;
}

/**
 * Checks that each log is one chain: each record names the hash of the one before it.
 *
 * @remarks Records are given in the order of their logs, oldest kept first. Below the oldest kept
 * record nothing can be checked.
 */
export function checkChains(records: readonly FinalRecord[]): Violation[] {
  const violations: Violation[] = [];
  for (const [agent, ofAgent] of groupBy(records, each => each.agent)) {
    for (const [place, record] of ofAgent.entries()) {
      const before = ofAgent[place - 1];
      if (before === undefined || record.previous === before.hash) continue;
      const expected = `says its predecessor is ${record.previous}, which is ${before.hash}`;
      violations.push({
        check: 'chain',
        message: `${agent}: version ${record.version} ${expected}`,
      });
    }
  }
  return violations;
}

/** Checks that versions are dense, that epochs never fall, and that each epoch has one writer. */
export function checkLogs(records: readonly FinalRecord[]): Violation[] {
  const violations: Violation[] = [];
  for (const [agent, ofAgent] of groupBy(records, each => each.agent)) {
    const report = (message: string) => {
      violations.push({ check: 'log', message: `${agent}: ${message}` });
    };
    const versioned = ofAgent.filter(each => each.version > 0);
    for (const [place, record] of versioned.entries()) {
      const before = versioned[place - 1];
      if (before !== undefined) checkSuccession(before, record, report);
    }
    checkWriters(versioned, report);
  }
  return violations;
}

function checkWriters(records: readonly FinalRecord[], report: (message: string) => void): void {
  const writers = new Map<number, string>();
  for (const { epoch, writer } of records) {
    if (writer === undefined) continue;
    const first = writers.get(epoch) ?? writer;
    writers.set(epoch, first);
    if (writer !== first) report(`epoch ${epoch} was written by ${first} and by ${writer}`);
  }
}

function checkSuccession(
  before: FinalRecord,
  record: FinalRecord,
  report: (message: string) => void,
): void {
  if (record.version !== before.version + 1) {
    report(`version ${record.version} follows ${before.version}`);
  }
  if (record.epoch < before.epoch) {
    report(`version ${record.version} has epoch ${record.epoch} after ${before.epoch}`);
  }
}

/** What a check of acknowledged writes looks at. */
export interface AcknowledgedHistory {
  readonly operations: readonly Operation[];
  readonly records: readonly FinalRecord[];
  /** The lowest version that each agent's log had to keep; 1 for agents that are left out. */
  readonly keptFrom?: ReadonlyMap<string, number> | undefined;
}

/** Checks that every acknowledged write is in the final log, at its version, with its command. */
export function checkAcknowledged(history: AcknowledgedHistory): Violation[] {
  const violations: Violation[] = [];
  const places = new Map<string, FinalRecord>();
  for (const record of history.records) {
    if (record.version > 0) places.set(placeOf(record.agent, record.version), record);
  }
  for (const operation of answered(history.operations)) {
    const { agent, stamp, kind } = operation;
    if (kind !== 'write' || stamp.version < (history.keptFrom?.get(agent) ?? 1)) continue;
    const found = foundInstead(operation.command, places.get(placeOf(agent, stamp.version)));
    if (found === undefined) continue;
    const write = describeOperation(operation);
    violations.push({
      check: 'acknowledged',
      message: `${agent}: ${write} was acknowledged, but the log holds ${found} at its version`,
    });
  }
  return violations;
}

function foundInstead(command: string, record: FinalRecord | undefined): string | undefined {
  if (record === undefined) return 'nothing';
  // A log that does not say which commands it consumed is not compared with them.
  return record.command === undefined || record.command === command ? undefined : record.command;
}

/** What a check of early replies looks at. */
export interface DurabilityHistory {
  readonly operations: readonly Operation[];
  /** For each agent, when each version became durable, in the order of the recorder. */
  readonly durable: readonly { agent: string; version: number; order: number }[];
}

/** Checks that nothing was answered before the version it stands on was durable. */
export function checkDurableFirst(history: DurabilityHistory): Violation[] {
  const violations: Violation[] = [];
  const orders = new Map<string, number>();
  for (const each of history.durable) {
    const place = placeOf(each.agent, each.version);
    orders.set(place, Math.min(each.order, orders.get(place) ?? Number.POSITIVE_INFINITY));
  }
  for (const operation of answered(history.operations)) {
    // Version 0 is the initial state, which needs no record.
    if (operation.stamp.version === 0) continue;
    const order = orders.get(placeOf(operation.agent, operation.stamp.version));
    if (order !== undefined && order < operation.endOrder) continue;
    const answer = describeOperation(operation);
    violations.push({
      check: 'durable-first',
      message: `${operation.agent}: ${answer} was answered before its version was durable`,
    });
  }
  return violations;
}

function placeOf(agent: string, version: number): string {
  return `${version} ${agent}`;
}
