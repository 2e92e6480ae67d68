/**
 * Answers against a model: the final log is folded with a plain sequential model of the agent, and
 * every answer must be what the model answers at that version.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FinalRecord } from './check-log.ts';
import {
  type AnsweredOperation,
  answered,
  describeOperation,
  groupBy,
  type Operation,
  type Violation,
} from './history.ts';

/** An agent type as a pure function. States are never changed in place. */
export interface SequentialModel<State> {
  readonly initial: State;
  /** What an action makes of a state, and what it answers. A read gives the state back. */
  apply(state: State, action: string, input: unknown): { state: State; output: unknown };
}

/** What a fold looks at. */
export interface FoldHistory<State> {
  readonly operations: readonly Operation[];
  /** Whole logs, in order; a record without an action leaves the state as it is. */
  readonly records: readonly FinalRecord[];
  readonly model: SequentialModel<State>;
}

/** Checks that every answer is what the model answers at the version the answer names. */
export function checkFold<State>(history: FoldHistory<State>): Violation[] {
  const violations: Violation[] = [];
  const recordsOf = groupBy(history.records, each => each.agent);
  for (const [agent, operations] of groupBy(answered(history.operations), each => each.agent)) {
    violations.push(...foldAgent(operations, recordsOf.get(agent) ?? [], history.model));
  }
  return violations;
}

function foldAgent<State>(
  operations: readonly AnsweredOperation[],
  records: readonly FinalRecord[],
  model: SequentialModel<State>,
): Violation[] {
  const violations: (Violation | undefined)[] = [];
  const atVersion = groupBy(operations, each => `${each.kind} ${each.stamp.version}`);
  let state = model.initial;
  const compareReads = (version: number) => {
    for (const read of atVersion.get(`read ${version}`) ?? []) {
      violations.push(compare(read, model.apply(state, read.action, read.input).output));
    }
  };
  compareReads(0);
  for (const record of records) {
    if (record.version === 0) continue;
    let output: unknown;
    if (record.action !== undefined) {
      ({ state, output } = model.apply(state, record.action, record.input));
    }
    for (const write of atVersion.get(`write ${record.version}`) ?? []) {
      violations.push(compare(write, output));
    }
    compareReads(record.version);
  }
  return violations.filter(each => each !== undefined);
}

function compare(operation: AnsweredOperation, expected: unknown): Violation | undefined {
  if (isDeepStrictEqual(operation.output, expected)) return undefined;
  const answer = `${describeOperation(operation)} answered ${JSON.stringify(operation.output)}`;
  const message = `${operation.agent}: ${answer}, the model ${JSON.stringify(expected)}`;
  return { check: 'fold', message };
}
