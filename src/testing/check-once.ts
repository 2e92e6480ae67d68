/**
 * Exactly once: a command has at most one effect, one if it was answered, and one reply for ever.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FinalRecord } from './check-log.ts';
import { describeOperation, groupBy, type Operation, type Violation } from './history.ts';

/** What a check for exactly-once looks at. */
export interface OnceHistory {
  readonly operations: readonly Operation[];
  /** Every record that consumed a command: the whole logs, nothing trimmed. */
  readonly records: readonly FinalRecord[];
}

/**
 * Checks each command of each agent: at most one record consumed it, exactly one if it was
 * answered, none if every attempt surely had no effect, and all answers are equal.
 */
export function checkOnce(history: OnceHistory): Violation[] {
  const violations: Violation[] = [];
  const consumed = history.records.filter(each => each.command !== undefined);
  const effects = groupBy(consumed, each => commandOf(each.agent, each.command ?? ''));
  for (const [command, records] of effects) {
    if (records.length > 1)
      violations.push(violation(`${command} took effect ${records.length} times`));
  }
  const writes = history.operations.filter(each => each.kind === 'write');
  for (const [command, attempts] of groupBy(writes, each => commandOf(each.agent, each.command))) {
    const answers = attempts.filter(each => each.status === 'ok');
    const contradiction = contradictionOf(attempts, effects.has(command));
    if (contradiction !== undefined) violations.push(violation(`${command} ${contradiction}`));
    violations.push(...checkEqualAnswers(command, answers));
  }
  return violations;
}

function contradictionOf(attempts: readonly Operation[], hasEffect: boolean): string | undefined {
  if (!hasEffect && attempts.some(each => each.status === 'ok')) {
    return 'was answered, but took no effect';
  }
  if (hasEffect && attempts.every(each => each.status === 'fail')) {
    return 'took effect, though every attempt said that it did not';
  }
  return undefined;
}

function checkEqualAnswers(place: string, answers: readonly Operation[]): Violation[] {
  const [first, ...later] = answers;
  if (first === undefined) return [];
  return later
    .filter(
      each =>
        !isDeepStrictEqual(each.output, first.output) ||
        each.stamp?.version !== first.stamp?.version,
    )
    .map(each =>
      violation(`${place}: ${describeOperation(each)} differs from ${describeOperation(first)}`),
    );
}

function commandOf(agent: string, command: string): string {
  return `${agent} [${command}]`;
}

function violation(message: string): Violation {
  return { check: 'once', message };
}
