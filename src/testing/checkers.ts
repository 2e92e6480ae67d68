/**
 * All checks of one run at once: whatever part of a history is given is checked. Each check is a
 * pure function in a file of its own and can be used alone.
 */
import { checkEnded, type EndedLimits } from './check-ended.ts';
import { checkFold, type SequentialModel } from './check-fold.ts';
import {
  checkAcknowledged,
  checkChains,
  checkDurableFirst,
  checkLogs,
  type DurabilityHistory,
  type FinalRecord,
} from './check-log.ts';
import { checkOnce } from './check-once.ts';
import { checkOrder, type OrderHistory } from './check-order.ts';
import { checkSteps, type StepHistory } from './check-steps.ts';
import { checkTimers, type TimerHistory, type TimerLimits } from './check-timers.ts';
import { checkVersions } from './check-versions.ts';
import { groupBy, type Operation, type Violation } from './history.ts';
import { checkBySearch } from './linear-search.ts';

const searchedOperationsMax = 300;

/** What was seen during one run. Checks for what is left out are left out too. */
export interface RunHistory<State = unknown> {
  readonly operations: readonly Operation[];
  /** The whole final logs, in order. */
  readonly records: readonly FinalRecord[];
  /** The agents' behaviour as a pure function. */
  readonly model?: SequentialModel<State> | undefined;
  readonly durable?: DurabilityHistory['durable'] | undefined;
  readonly order?: OrderHistory | undefined;
  readonly steps?: StepHistory | undefined;
  readonly timers?: readonly TimerHistory[] | undefined;
  readonly timerLimits?: TimerLimits | undefined;
  readonly endedLimits?: EndedLimits | undefined;
}

/**
 * Checks a whole run.
 *
 * @remarks Answers are also explained by search for agents with at most 300 operations, because the
 * sweep believes the versions that answers carry and the search does not.
 */
export function checkRun<State>(history: RunHistory<State>): Violation[] {
  const { operations, records, model, durable, order, steps, timers } = history;
  return [
    ...checkVersions(operations),
    ...checkLogs(records),
    ...checkChains(records),
    ...checkAcknowledged({ operations, records }),
    ...checkOnce({ operations, records }),
    ...(model === undefined ? [] : checkFold({ operations, records, model })),
    ...(model === undefined ? [] : checkBySearch(searchable(operations), { model })),
    ...(durable === undefined ? [] : checkDurableFirst({ operations, durable })),
    ...(order === undefined ? [] : checkOrder(order)),
    ...(steps === undefined ? [] : checkSteps(steps)),
    ...(timers === undefined || history.timerLimits === undefined
      ? []
      : checkTimers(timers, history.timerLimits)),
    ...(history.endedLimits === undefined ? [] : checkEnded(operations, history.endedLimits)),
  ];
}

function searchable(operations: readonly Operation[]): Operation[] {
  const agents = groupBy(operations, each => each.agent);
  return [...agents.values()].filter(each => each.length <= searchedOperationsMax).flat();
}
