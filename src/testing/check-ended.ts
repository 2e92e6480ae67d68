/** Liveness: once faults have stopped, every request ends, with a value or with a typed error. */
import { describeOperation, type Operation, type Violation } from './history.ts';

/** How long requests may take. */
export interface EndedLimits {
  /** Virtual time at which the last fault ended. */
  readonly healedMs: number;
  /** How long after that, or after its own start if that is later, a request may go on. */
  readonly withinMs: number;
  /** Virtual time at which the run ended. */
  readonly endMs: number;
}

/** Checks that no request was left without an end. */
export function checkEnded(operations: readonly Operation[], limits: EndedLimits): Violation[] {
  const violations: Violation[] = [];
  for (const operation of operations) {
    const latestMs = Math.max(limits.healedMs, operation.startMs) + limits.withinMs;
    // A run that ended earlier than that proves nothing about this request.
    if (operation.endMs <= latestMs || latestMs > limits.endMs) continue;
    const end = operation.status === 'pending' ? 'never ended' : `ended at ${operation.endMs} ms`;
    violations.push({
      check: 'ended',
      message: `${operation.agent}: ${describeOperation(operation)} ${end}, not by ${latestMs} ms`,
    });
  }
  return violations;
}
