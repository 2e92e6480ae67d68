/**
 * The implementation of an agent type: its contract with the behaviour of every action. Only nodes
 * that host agents of the type need it.
 */
import { previewOf } from '../core/values.ts';
import type { ContextOf } from './contexts.ts';
import type { Action, Contract } from './contract.ts';
import { checkedOptions, checkedRecord, named, refusal } from './contract-check.ts';
import type { DeepReadonly } from './read-only.ts';
import type { In, Out, Schema } from './schema.ts';
import { suggestionFor } from './suggest.ts';

/** What an action may return: what its output schema accepts; nothing without one. */
export type Returned<A extends Action> = A['output'] extends Schema
  ? DeepReadonly<In<A['output']>>
  : // biome-ignore lint/suspicious/noConfusingVoidType: without a return statement it is void.
    void;

/** The behaviour of every action of a contract, by name. */
export type Handlers<D extends Contract> = {
  readonly [P in keyof D['actions']]: (
    ctx: ContextOf<D, D['actions'][P]>,
    input: Out<D['actions'][P]['input']>,
  ) => Returned<D['actions'][P]> | Promise<Returned<D['actions'][P]>>;
};

/** The behaviour of an action as the runtime calls it. */
export type Handler = (ctx: unknown, input: unknown) => unknown;

/** Options of {@link implement}. */
export interface ImplementOptions<D extends Contract> {
  /**
   * Makes a state for today's schema of one that was stored under the older `stateVersion` `from`.
   * Must depend on nothing but its arguments.
   */
  readonly migrate?: ((old: unknown, from: number) => In<D['state']>) | undefined;
}

/** A contract with its behaviour. Frozen; `handlers` has no prototype. */
export interface Implementation<D extends Contract = Contract> {
  readonly contract: D;
  readonly handlers: Readonly<Record<string, Handler>>;
  readonly migrate: ((old: unknown, from: number) => unknown) | undefined;
}

/** The contract of a contract or implementation. */
export type ContractOf<X> = X extends Implementation<infer D> ? D : X extends Contract ? X : never;

/**
 * Gives an agent type its behaviour.
 *
 * @throws `CONFIG_INVALID` when an action has no behaviour, or a behaviour has no action.
 * @example
 * ```ts
 * import { defineAgent, implement, read, turn } from 'troupe';
 * import { z } from 'zod';
 *
 * const counter = defineAgent('counter', {
 *   state: z.object({ count: z.number().default(0) }),
 *   actions: { add: turn({ input: z.number() }), count: read({ output: z.number() }) },
 * });
 * export const counterAgent = implement(counter, {
 *   add(ctx, amount) {
 *     ctx.state.count += amount;
 *   },
 *   count: ctx => ctx.state.count,
 * });
 * ```
 */
export function implement<D extends Contract>(
  contract: D,
  handlers: Handlers<D>,
  options: ImplementOptions<D> = {},
): Implementation<D> {
  if (!isContract(contract)) {
    throw refusal(
      `implement() takes a contract made by defineAgent(); it got ${previewOf(contract)}`,
    );
  }
  const place = `implement('${contract.type}')`;
  const { migrate } = checkedOptions(place, options, ['migrate']);
  if (migrate !== undefined && typeof migrate !== 'function') {
    throw refusal(`${place}: migrate is ${previewOf(migrate)}; it must be a function`);
  }
  return Object.freeze({
    contract,
    handlers: checkedHandlers(contract, place, handlers),
    migrate: migrate as Implementation['migrate'],
  });
}

/** Whether a value is a contract, as {@link defineAgent} makes it. */
export function isContract(value: unknown): value is Contract {
  const candidate = Object(value) as Partial<Contract>;
  return (
    Object.isFrozen(value) &&
    typeof candidate.type === 'string' &&
    typeof candidate.actions === 'object' &&
    typeof candidate.limits === 'object'
  );
}

/** Whether a value is an implementation, as {@link implement} makes it. */
export function isImplementation(value: unknown): value is Implementation {
  const candidate = Object(value) as Partial<Implementation>;
  return typeof candidate.handlers === 'object' && isContract(candidate.contract);
}

function checkedHandlers(
  contract: Contract,
  place: string,
  handlers: unknown,
): Readonly<Record<string, Handler>> {
  const given = checkedRecord(`the behaviour in ${place}`, handlers);
  const actions = Object.keys(contract.actions);
  const extra = Object.keys(given).filter(name => !actions.includes(name));
  const missing = actions.filter(name => !Object.hasOwn(given, name));
  const [unknown] = extra;
  if (unknown !== undefined) {
    throw refusal(
      `${place}: ${contract.type} has no action "${unknown}"; it has ${actions.join(', ')}${suggestionFor(unknown, missing)}`,
    );
  }
  if (missing.length > 0) {
    throw refusal(`${place}: the behaviour of ${missing.map(quoted).join(', ')} is missing`);
  }
  return named(actions.map(name => [name, checkedHandler(place, name, given[name])]));
}

function checkedHandler(place: string, name: string, handler: unknown): Handler {
  if (typeof handler === 'function') return handler as Handler;
  throw refusal(
    `${place}: the behaviour of "${name}" is ${previewOf(handler)}; it must be a function`,
  );
}

function quoted(name: string): string {
  return `"${name}"`;
}
