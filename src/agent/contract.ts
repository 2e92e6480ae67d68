/**
 * The contract of an agent type: state, actions, events and signals, as schemas. It is all that
 * callers, gateways and other versions need, imports no behaviour and starts nothing, so agents may
 * refer to each other in a circle. The behaviour is added by `implement`.
 */
import { type Duration, durationMs } from '../core/duration.ts';
import { TroupeError } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';
import {
  checkBeginning,
  checkedDescription,
  checkedName,
  checkedOptions,
  checkedRecord,
  checkedSchema,
  checkedSchemas,
  named,
  refusal,
} from './contract-check.ts';
import { resolveTypeLimits, type TypeLimitOptions, type TypeLimits } from './limit-options.ts';
import type { In, Schema } from './schema.ts';

/**
 * What kind of action it is: `turn` changes the state, alone and at once; `read` looks at it;
 * `task` takes its time, in steps.
 */
export type ActionKind = 'turn' | 'read' | 'task';

/** What an agent can be asked to do, as {@link turn}, {@link read} and {@link task} make it. */
export interface Action<
  K extends ActionKind = ActionKind,
  I extends Schema | undefined = Schema | undefined,
  O extends Schema | undefined = Schema | undefined,
  C extends Schema | undefined = Schema | undefined,
> {
  readonly kind: K;
  /** Without it, the action takes no input. */
  readonly input: I;
  /** Without it, the action answers nothing. */
  readonly output: O;
  /** The chunks that a task writes. */
  readonly stream: C;
  /** When a task ends by itself; it has no such time without. */
  readonly timeoutMs: number | undefined;
  readonly description: string | undefined;
}

/** How much is promised about an agent's state: `strong` is on disk, `none` only in memory. */
export type Consistency = 'strong' | 'none';

/** Actions by name. */
export type Actions = Readonly<Record<string, Action>>;

/** Schemas by name: events or signals. */
export type Schemas = Readonly<Record<string, Schema>>;

/** No names at all. */
export type NoSchemas = Readonly<Record<never, never>>;

/**
 * What an agent type offers. Frozen; `actions`, `events` and `signals` have no prototype, so that a
 * name from outside finds only what was declared.
 */
export interface Contract<
  N extends string = string,
  S extends Schema = Schema,
  A extends Actions = Actions,
  E extends Schemas = Schemas,
  G extends Schemas = Schemas,
  L extends Consistency = Consistency,
> {
  readonly type: N;
  readonly consistency: L;
  readonly state: S;
  /** The state that an agent begins with; `{}` when left out. */
  readonly initial: ((key: string) => unknown) | undefined;
  readonly stateVersion: number;
  readonly actions: A;
  readonly events: E;
  readonly signals: G;
  readonly limits: TypeLimits;
  readonly description: string | undefined;
}

/** What every action may say of itself. */
export interface ActionShape<I, O> {
  readonly input?: I | undefined;
  readonly output?: O | undefined;
  /** For people and models that choose among actions. */
  readonly description?: string | undefined;
}

/** What a task may say of itself. */
export interface TaskShape<I, O, C> extends ActionShape<I, O> {
  /** What `ctx.write` takes and `ref.stream` yields. */
  readonly stream?: C | undefined;
  /** When a run ends by itself, with `DEADLINE_EXCEEDED`; never when left out. */
  readonly timeout?: Duration | undefined;
}

/**
 * An action that may change the state: it runs alone, and all that it decides is one record.
 *
 * @throws `CONFIG_INVALID` when an option is unknown or has an unacceptable value.
 */
export function turn<
  I extends Schema | undefined = undefined,
  O extends Schema | undefined = undefined,
>(shape: ActionShape<I, O> = {}): Action<'turn', NoInfer<I>, NoInfer<O>, undefined> {
  return action('turn', shape);
}

/**
 * An action that looks at the last accepted state and changes nothing.
 *
 * @throws `CONFIG_INVALID` when an option is unknown or has an unacceptable value.
 */
export function read<
  I extends Schema | undefined = undefined,
  O extends Schema | undefined = undefined,
>(shape: ActionShape<I, O> = {}): Action<'read', NoInfer<I>, NoInfer<O>, undefined> {
  return action('read', shape);
}

/**
 * An action that takes minutes or weeks: it works in steps that are recorded, waits without holding
 * the agent, and goes on where it was after a crash.
 *
 * @throws `CONFIG_INVALID` when an option is unknown or has an unacceptable value.
 */
export function task<
  I extends Schema | undefined = undefined,
  O extends Schema | undefined = undefined,
  C extends Schema | undefined = undefined,
>(shape: TaskShape<I, O, C> = {}): Action<'task', NoInfer<I>, NoInfer<O>, NoInfer<C>> {
  return action('task', shape);
}

/** What a contract says. */
export interface ContractOptions<
  S extends Schema,
  A extends Actions,
  E extends Schemas,
  G extends Schemas,
  L extends Consistency,
> {
  readonly state: S;
  /** The state of a new agent; needed only where the schema does not accept `{}`. */
  readonly initial?: ((key: string) => In<S>) | undefined;
  /** What is promised about the state (default `strong`). */
  readonly consistency?: L | undefined;
  readonly events?: E | undefined;
  readonly signals?: G | undefined;
  readonly actions: A;
  readonly description?: string | undefined;
  /** Counts from 1. Raise it with every change that stored states do not fit, and add `migrate`. */
  readonly stateVersion?: number | undefined;
  /** Defaults and meanings are in the reference page on limits. */
  readonly limits?: TypeLimitOptions | undefined;
}

/** What a contract whose agents live in memory only cannot say. */
export type WithoutRecords<L extends Consistency> = L extends 'none'
  ? {
      readonly events?: never;
      readonly signals?: never;
      readonly stateVersion?: never;
      readonly actions: Readonly<Record<string, Action<'turn' | 'read'>>>;
    }
  : unknown;

/** Asks for `initial` where the schema does not accept `{}`. */
export type InitialIfNeeded<S extends Schema> =
  Record<never, never> extends In<S>
    ? unknown
    : { readonly initial: (key: string) => In<NoInfer<S>> };

/**
 * Defines an agent type.
 *
 * @param type - Letters, digits, `_` and `-`, beginning with a letter; the first part of addresses.
 * @throws `CONFIG_INVALID` when a name, option or schema is not acceptable, or when the state
 * schema does not accept what an agent begins with; `LEVEL_UNSUPPORTED` for another consistency
 * than `strong` and `none`, and for events, signals and tasks with `none`.
 * @example
 * ```ts
 * import { defineAgent, read, turn } from 'troupe';
 * import { z } from 'zod';
 *
 * export const counter = defineAgent('counter', {
 *   state: z.object({ count: z.number().default(0) }),
 *   actions: { add: turn({ input: z.number() }), count: read({ output: z.number() }) },
 * });
 * ```
 */
export function defineAgent<
  const N extends string,
  S extends Schema,
  A extends Actions,
  E extends Schemas = NoSchemas,
  G extends Schemas = NoSchemas,
  const L extends Consistency = 'strong',
>(
  type: N,
  options: ContractOptions<S, A, E, G, L> & InitialIfNeeded<S> & WithoutRecords<L>,
): Contract<N, S, A, E, G, L>;
export function defineAgent(type: string, options: object): Contract {
  checkedName('an agent type', type);
  const given = checkedOptions(type, options, contractOptions);
  const consistency = checkedConsistency(type, given);
  const state = checkedSchema(`${type}.state`, given.state);
  checkBeginning(type, state, given.initial);
  const contract: Contract = {
    type,
    consistency,
    state,
    initial: given.initial as Contract['initial'],
    stateVersion: checkedStateVersion(type, given.stateVersion),
    actions: checkedActions(type, consistency, given.actions),
    events: checkedSchemas(type, 'event', given.events),
    signals: checkedSchemas(type, 'signal', given.signals),
    limits: resolveTypeLimits(
      checkedRecord(`${type}.limits`, given.limits ?? {}),
      `${type}.limits`,
    ),
    description: checkedDescription(type, given.description),
  };
  return Object.freeze(contract);
}

const contractOptions = [
  'state',
  'initial',
  'consistency',
  'events',
  'signals',
  'actions',
  'description',
  'stateVersion',
  'limits',
];

const actionOptions = ['input', 'output', 'description'];

const kinds: readonly ActionKind[] = ['turn', 'read', 'task'];

function action<
  K extends ActionKind,
  I extends Schema | undefined,
  O extends Schema | undefined,
  C extends Schema | undefined,
>(kind: K, shape: TaskShape<I, O, C>): Action<K, I, O, C> {
  const known = kind === 'task' ? [...actionOptions, 'stream', 'timeout'] : actionOptions;
  checkedOptions(`${kind}()`, shape, known);
  const { input, output, stream, timeout, description } = shape;
  const made = {
    kind,
    input: schemaOf(`the input of ${kind}()`, input),
    output: schemaOf(`the output of ${kind}()`, output),
    stream: schemaOf(`the stream of ${kind}()`, stream),
    timeoutMs: timeout === undefined ? undefined : durationMs(timeout, `the timeout of ${kind}()`),
    description: checkedDescription(`${kind}()`, description),
  };
  // What was left out is undefined, which is what the type parameters stand for then.
  return Object.freeze(made) as Action<K, I, O, C>;
}

function schemaOf(place: string, schema: unknown): Schema | undefined {
  return schema === undefined ? undefined : checkedSchema(place, schema);
}

function checkedConsistency(type: string, given: Readonly<Record<string, unknown>>): Consistency {
  const { consistency = 'strong' } = given;
  if (consistency === 'strong') return consistency;
  if (consistency !== 'none') {
    throw unsupported(
      `${type}: consistency ${previewOf(consistency)} is not available; use "strong" or "none"`,
    );
  }
  for (const name of ['events', 'signals'] as const) {
    if (given[name] === undefined || Object.keys(Object(given[name])).length === 0) continue;
    throw unsupported(
      `${type}: consistency "none" has no ${name}; use "strong", or leave them out`,
    );
  }
  return consistency;
}

function checkedStateVersion(type: string, stateVersion: unknown): number {
  if (stateVersion === undefined) return 1;
  if (Number.isSafeInteger(stateVersion) && Number(stateVersion) >= 1) return Number(stateVersion);
  throw refusal(`${type}.stateVersion is ${previewOf(stateVersion)}; it counts from 1`);
}

function checkedActions(type: string, consistency: Consistency, actions: unknown): Actions {
  const entries = Object.entries(checkedRecord(`${type}.actions`, actions));
  return named(
    entries.map(([name, candidate]) => {
      checkedName(`an action of ${type}`, name);
      return [name, actionFrom(`${type}.${name}`, consistency, candidate)];
    }),
  );
}

function actionFrom(place: string, consistency: Consistency, candidate: unknown): Action {
  const { kind } = Object(candidate) as Partial<Action>;
  if (kind === undefined || !kinds.includes(kind) || !Object.isFrozen(candidate)) {
    throw refusal(`${place} is no action; write turn({ … }), read({ … }) or task({ … })`);
  }
  if (kind === 'task' && consistency === 'none') {
    throw unsupported(
      `${place} is a task, which consistency "none" does not have; use "strong", or a turn`,
    );
  }
  return candidate as Action;
}

function unsupported(detail: string): TroupeError {
  return new TroupeError('LEVEL_UNSUPPORTED', { detail });
}
