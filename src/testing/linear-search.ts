/**
 * Linearizability by search, as a cross-check of the sweep over versions that does not believe the
 * versions. The algorithm is that of Wing and Gong with the memory of Lowe ("Testing for
 * linearizability", 2017): try each operation that may come next, never visit a pair of (operations
 * done, state) twice. For short histories of one agent.
 */
import { isDeepStrictEqual } from 'node:util';
import type { SequentialModel } from './check-fold.ts';
import { describeOperation, groupBy, type Operation, type Violation } from './history.ts';

const operationsMax = 2_000;
const stepsMaxDefault = 2_000_000;

/** What a search found: an order exists, none does, or it gave up. */
export type SearchVerdict = 'linearizable' | 'refuted' | 'undecided';

/** What a search works with. */
export interface SearchOptions<State> {
  readonly model: SequentialModel<State>;
  /** Tries before it gives up (default 2,000,000). */
  readonly stepsMax?: number | undefined;
}

/** Searches each agent's history; reports those for which no order exists. */
export function checkBySearch<State>(
  operations: readonly Operation[],
  options: SearchOptions<State>,
): Violation[] {
  const violations: Violation[] = [];
  for (const [agent, ofAgent] of groupBy(operations, each => each.agent)) {
    if (searchOrder(ofAgent, options) !== 'refuted') continue;
    const first = ofAgent[0];
    const hint = first === undefined ? '' : `, from ${describeOperation(first)} on`;
    violations.push({ check: 'search', message: `${agent}: no order explains the answers${hint}` });
  }
  return violations;
}

/**
 * Searches an order of one agent's operations that respects real time and explains every answer.
 *
 * @remarks A command that was tried several times counts once, from its first attempt to its first
 * answer. One that was never answered may have happened at any time since, or not at all.
 */
export function searchOrder<State>(
  operations: readonly Operation[],
  options: SearchOptions<State>,
): SearchVerdict {
  const calls = callsOf(operations);
  if (calls.length > operationsMax) return 'undecided';
  return new Search(calls, options).run();
}

interface Call {
  readonly operation: Operation;
  readonly startOrder: number;
  readonly endOrder: number;
  /** Absent when the answer is not known. */
  readonly answer: { readonly output: unknown } | undefined;
}

function callsOf(operations: readonly Operation[]): Call[] {
  const calls: Call[] = [];
  const reads = operations.filter(each => each.kind === 'read' && each.status === 'ok');
  const writes = operations.filter(each => each.kind === 'write');
  const attempts = [
    ...reads.map(each => [each]),
    ...groupBy(writes, each => each.command).values(),
  ];
  for (const group of attempts) {
    const [first] = group;
    if (first === undefined || group.every(each => each.status === 'fail')) continue;
    const answers = group.filter(each => each.status === 'ok');
    const end = answers.toSorted((left, right) => left.endOrder - right.endOrder)[0];
    calls.push({
      operation: end ?? first,
      startOrder: Math.min(...group.map(each => each.startOrder)),
      endOrder: end?.endOrder ?? Number.POSITIVE_INFINITY,
      answer: end === undefined ? undefined : { output: end.output },
    });
  }
  return calls.sort((left, right) => left.startOrder - right.startOrder);
}

interface Level<State> {
  readonly state: State;
  /** The call that led here, if any. */
  readonly place: number;
  readonly candidates: readonly number[];
  next: number;
}

/** Depth first, with a stack of its own: histories are longer than the call stack likes. */
class Search<State> {
  readonly #calls: readonly Call[];
  readonly #model: SequentialModel<State>;
  readonly #stepsMax: number;
  readonly #done: Uint8Array;
  readonly #seen = new Set<string>();
  /** Calls below this place are all done. */
  #floor = 0;
  #answersLeft: number;

  constructor(calls: readonly Call[], options: SearchOptions<State>) {
    this.#calls = calls;
    this.#model = options.model;
    this.#stepsMax = options.stepsMax ?? stepsMaxDefault;
    this.#done = new Uint8Array(calls.length);
    this.#answersLeft = calls.filter(each => each.answer !== undefined).length;
  }

  run(): SearchVerdict {
    const stack = [this.#level(this.#model.initial, -1)];
    for (let steps = 0; steps < this.#stepsMax; steps++) {
      if (this.#answersLeft === 0) return 'linearizable';
      const level = stack.at(-1);
      if (level === undefined) return 'refuted';
      const place = level.candidates[level.next++];
      if (place === undefined) {
        stack.pop();
        if (level.place >= 0) this.#mark(level.place, false);
        continue;
      }
      const state = this.#try(level.state, place);
      if (state !== undefined) stack.push(this.#level(state.state, place));
    }
    return 'undecided';
  }

  /** The state after this call, unless its answer contradicts or this was tried before. */
  #try(before: State, place: number): { readonly state: State } | undefined {
    const call = this.#calls[place];
    if (call === undefined) return undefined;
    const { action, input } = call.operation;
    const { state, output } = this.#model.apply(before, action, input);
    if (call.answer !== undefined && !isDeepStrictEqual(output, call.answer.output))
      return undefined;
    this.#mark(place, true);
    const key = `${this.#doneKey()} ${JSON.stringify(state)}`;
    if (this.#seen.has(key)) {
      this.#mark(place, false);
      return undefined;
    }
    this.#seen.add(key);
    return { state };
  }

  #level(state: State, place: number): Level<State> {
    const candidates: number[] = [];
    // A call may come next if it began before every call that is not done yet was answered.
    let earliestEnd = Number.POSITIVE_INFINITY;
    for (let index = this.#floor; index < this.#calls.length; index++) {
      const call = this.#calls[index];
      if (call === undefined || call.startOrder > earliestEnd) break;
      if (this.#done[index] === 1) continue;
      candidates.push(index);
      earliestEnd = Math.min(earliestEnd, call.endOrder);
    }
    // Those that end first come first: most histories are explained by that order.
    const end = (index: number) => this.#calls[index]?.endOrder ?? 0;
    candidates.sort((left, right) => end(left) - end(right));
    return { state, place, candidates, next: 0 };
  }

  #mark(place: number, isDone: boolean): void {
    this.#done[place] = isDone ? 1 : 0;
    if (this.#calls[place]?.answer !== undefined) this.#answersLeft += isDone ? -1 : 1;
    if (!isDone) this.#floor = Math.min(this.#floor, place);
    while (this.#floor < this.#done.length && this.#done[this.#floor] === 1) this.#floor++;
  }

  #doneKey(): string {
    // Everything below the floor is done, so only what lies above tells two sets apart.
    const above: number[] = [];
    let highest = this.#done.length - 1;
    while (highest >= this.#floor && this.#done[highest] !== 1) highest--;
    for (let index = this.#floor; index <= highest; index++) {
      if (this.#done[index] === 1) above.push(index);
    }
    return `${this.#floor}:${above.join(',')}`;
  }
}
