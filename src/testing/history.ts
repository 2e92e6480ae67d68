/**
 * What was seen during a run, in the form in which checkers judge it: operations of callers,
 * records of the final logs, steps, timers. Orders are places in one total order of all that was
 * observed; times are virtual milliseconds, for people. Recording is here, judging in the `check-`
 * files.
 */
import { TroupeError, textOf } from '../core/errors.ts';

/** A promise that was broken. */
export interface Violation {
  /** The checker that found it. */
  readonly check: string;
  /** What was broken, with the agent, versions and orders that prove it. */
  readonly message: string;
}

/** Where an answer stands in the history of its agent. */
export interface Stamp {
  readonly epoch: number;
  readonly version: number;
}

/**
 * How an operation ended: answered, surely without effect, or not known. `pending` never ended.
 */
export type OperationStatus = 'ok' | 'fail' | 'info' | 'pending';

/** One call of a caller, from its start to its end. */
export interface Operation {
  readonly id: number;
  readonly client: string;
  readonly agent: string;
  /**
   * `write` if the answer stands for a record of its own; a call that changes nothing is a `read`.
   */
  readonly kind: 'write' | 'read';
  readonly action: string;
  readonly input: unknown;
  /** The command that it asks for. Retries of one command share it. */
  readonly command: string;
  readonly startOrder: number;
  readonly startMs: number;
  status: OperationStatus;
  endOrder: number;
  endMs: number;
  output?: unknown;
  stamp?: Stamp | undefined;
  /** The code of the error that it ended with. */
  error?: string | undefined;
}

/** An operation that was answered. */
export interface AnsweredOperation extends Operation {
  readonly stamp: Stamp;
}

/** What a caller is about to do. */
export interface OperationStart {
  readonly client: string;
  readonly agent: string;
  readonly kind: 'write' | 'read';
  readonly action: string;
  readonly input: unknown;
  /** The idempotency key; without one the operation is its own command. */
  readonly command?: string | undefined;
}

/** Collects what happens, in order. */
export class HistoryRecorder {
  readonly operations: Operation[] = [];
  readonly #nowMs: () => number;
  #order = 0;

  /** `nowMs` is true virtual time. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The next place in the order of all that is observed. */
  nextOrder(): number {
    return this.#order++;
  }

  /** A caller starts an operation. */
  start(start: OperationStart): Operation {
    const id = this.operations.length;
    const operation: Operation = {
      ...start,
      id,
      command: start.command ?? `operation-${id}`,
      startOrder: this.nextOrder(),
      startMs: this.#nowMs(),
      status: 'pending',
      endOrder: Number.POSITIVE_INFINITY,
      endMs: Number.POSITIVE_INFINITY,
    };
    this.operations.push(operation);
    return operation;
  }

  /** The operation was answered. */
  answer(operation: Operation, output: unknown, stamp: Stamp | undefined): void {
    this.#end(operation, 'ok');
    operation.output = output;
    operation.stamp = stamp;
  }

  /** The operation ended without an answer; its error says whether it may have had an effect. */
  fail(operation: Operation, error: unknown): void {
    const isKnown =
      TroupeError.is(error) &&
      (error.outcome === 'not-executed' || error.outcome === 'rolled-back');
    this.#end(operation, isKnown ? 'fail' : 'info');
    operation.error = TroupeError.is(error) ? error.code : textOf(error);
  }

  #end(operation: Operation, status: OperationStatus): void {
    operation.status = status;
    operation.endOrder = this.nextOrder();
    operation.endMs = this.#nowMs();
  }
}

/** The operations that were answered with a stamp. */
export function answered(operations: readonly Operation[]): AnsweredOperation[] {
  return operations.filter(
    (each): each is AnsweredOperation => each.status === 'ok' && each.stamp !== undefined,
  );
}

/** An operation for people. */
export function describeOperation(operation: Operation): string {
  const { id, client, action, status, stamp, command } = operation;
  const place = stamp === undefined ? '' : ` at ${stamp.epoch}.${stamp.version}`;
  return `#${id} ${client} ${action} [${command}] ${status}${place}`;
}

/** Items by a key, in the order of their first appearance. */
export function groupBy<Item>(
  items: Iterable<Item>,
  keyOf: (item: Item) => string,
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
