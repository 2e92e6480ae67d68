/**
 * What a reference to an agent offers, as types: to callers outside, and inside the contexts of
 * turns, reads and tasks. The client implements the former, contexts the latter; both infer every
 * name and value from the contract.
 */
import type { Duration } from '../core/duration.ts';
import type { Guarantee, Position, Priority } from '../core/envelope.ts';
import type { TroupeError } from '../core/errors.ts';
import type { ActionKind, Contract } from './contract.ts';
import type {
  AgentEvent,
  EventMeta,
  EventName,
  EventsOptions,
  Moment,
  Rebuilt,
  StateAt,
  StateChange,
} from './history-types.ts';
import type { DeepReadonly } from './read-only.ts';
import type { RunsOfAgent } from './run-types.ts';
import type { In, Out, Schema } from './schema.ts';

/** The names of the actions of a contract that are of one of these kinds. */
export type ActionName<D extends Contract, K extends ActionKind = ActionKind> = keyof {
  [P in keyof D['actions'] & string as [Extract<D['actions'][P]['kind'], K>] extends [never]
    ? never
    : P]: P;
};

/** The names of the signals of a contract. */
export type SignalName<D extends Contract> = keyof D['signals'] & string;

/** The parameter for an input: none without a schema, optional where the schema allows it. */
export type InputArgs<I> = I extends Schema
  ? undefined extends In<I>
    ? [input?: DeepReadonly<In<I>> | undefined]
    : [input: DeepReadonly<In<I>>]
  : [input?: undefined];

/** The parameters for an action's input and for options. */
export type ActionArgs<D extends Contract, P extends string, O> = [
  ...InputArgs<D['actions'][P]['input']>,
  options?: O | undefined,
];

/** What an action answers. */
export type OutputOf<D extends Contract, P extends string> = Out<D['actions'][P]['output']>;

/** Options of every call. */
export interface CallOptions {
  /** How long the caller waits; `executeTimeout` of the type when left out. */
  readonly timeout?: Duration | undefined;
  /** The lane of the mailbox (default `normal`). */
  readonly priority?: Priority | undefined;
}

/** Options of `execute`, `tryExecute`, `send` and `stream`. */
export interface SendOptions extends CallOptions {
  /** What is promised (default `at_least_once`; with a key `exactly_once`). */
  readonly delivery?: Guarantee | undefined;
  /** The same key with the same action and input takes effect once within the result window. */
  readonly idempotencyKey?: string | undefined;
}

/** {@link SendOptions} towards agents in memory only, which keep no keys. */
export interface VolatileSendOptions extends CallOptions {
  /** What is promised (default `at_least_once`). */
  readonly delivery?: 'at_most_once' | 'at_least_once' | undefined;
}

/** The options of sending to agents of a contract. */
export type SendOptionsFor<D extends Contract> = D['consistency'] extends 'none'
  ? VolatileSendOptions
  : SendOptions;

/** Options of `request`. */
export interface RequestOptions {
  readonly priority?: Priority | undefined;
  /** As in {@link SendOptions}; the same key gives the same future. */
  readonly idempotencyKey?: string | undefined;
}

/** Options of `stream`. */
export interface StreamOptions extends CallOptions {
  /** As in {@link SendOptions}; the same key gives the same run. */
  readonly idempotencyKey?: string | undefined;
  /** Leaves out so many chunks: with the same `idempotencyKey`, a reader goes on where it was. */
  readonly from?: number | undefined;
}

/** The place of an answer: which agent, and which version it made or saw. */
export interface ReplyPosition extends Position {
  /** The address of the agent. */
  readonly agent: string;
}

/** How a call ended, as a value. */
export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly position: ReplyPosition }
  | {
      readonly ok: false;
      readonly error: TroupeError;
      /** Present when the agent itself answered, as with a rejection. */
      readonly position?: ReplyPosition | undefined;
    };

/** An answer that outlives its caller: value or error lies with the agent for the result window. */
export interface Future<T> extends PromiseLike<T> {
  /** Finds it again: `troupe.futures.get(id)`, also after a restart. */
  readonly id: string;
  /** Resolves as soon as the request is recorded and will be carried out whatever crashes. */
  recorded(): Promise<void>;
  /** Ends what is not yet done with `CANCELLED`. A turn that has begun is not stopped. */
  cancel(reason?: string): Promise<void>;
}

/** The chunks of a task in order, and how it ended. */
export interface TaskStream<C, T> extends AsyncIterable<C> {
  readonly result: Promise<T>;
}

/** What every reference has. */
export interface CallableRef<D extends Contract, K extends ActionKind, O> {
  /** The agent's `type/key`. */
  readonly address: string;
  /** Resolves with the value; throws what went wrong. */
  execute<P extends ActionName<D, K>>(
    action: P,
    ...args: ActionArgs<D, P, O>
  ): Promise<OutputOf<D, P>>;
}

/** A reference inside a turn or a read: only reads may be awaited there. */
export type ReadRef<D extends Contract> = CallableRef<D, 'read', CallOptions>;

/** Options of a call inside a task. */
export interface TaskCallOptions extends CallOptions {
  /** Tells the call from others of the same task to the same action of the same agent. */
  readonly key?: string | undefined;
}

/** A reference inside a task: each call is a step, whose outcome a resumed task finds again. */
export type TaskRef<D extends Contract> = CallableRef<D, ActionKind, TaskCallOptions>;

/** A caller's reference to an agent in memory only. */
export interface VolatileAgentRef<D extends Contract>
  extends CallableRef<D, ActionKind, SendOptionsFor<D>> {
  readonly type: D['type'];
  readonly key: string;
  /** Like `execute`, but failures are values too, and every answer comes with its position. */
  tryExecute<P extends ActionName<D>>(
    action: P,
    ...args: ActionArgs<D, P, SendOptionsFor<D>>
  ): Promise<Result<OutputOf<D, P>>>;
  /** Sends without waiting for the answer; resolves when the agent has taken the message. */
  send<P extends ActionName<D, 'turn' | 'task'>>(
    action: P,
    ...args: ActionArgs<D, P, SendOptionsFor<D>>
  ): Promise<{ readonly messageId: string }>;
  /** One attempt, and an answer within `timeout`. */
  call<P extends ActionName<D>>(
    action: P,
    input: InputArgs<D['actions'][P]['input']>[0],
    options: CallOptions & { readonly timeout: Duration },
  ): Promise<OutputOf<D, P>>;
}

/** A caller's reference to an agent whose state survives. */
export interface DurableAgentRef<D extends Contract> extends VolatileAgentRef<D> {
  /** The runs of the agent's tasks. */
  readonly runs: RunsOfAgent;
  /** Like `execute`, but the answer outlives the caller, and nothing bounds the wait. */
  request<P extends ActionName<D>>(
    action: P,
    ...args: ActionArgs<D, P, RequestOptions>
  ): Future<OutputOf<D, P>>;
  /** Starts a task and yields what it writes. */
  stream<P extends ActionName<D, 'task'>>(
    action: P,
    ...args: ActionArgs<D, P, StreamOptions>
  ): TaskStream<Out<D['actions'][P]['stream']>, OutputOf<D, P>>;
  /** Gives a signal to the run named, or to the first that waits for it; resolves when recorded. */
  signal<P extends SignalName<D>>(
    signal: P,
    data: DeepReadonly<In<D['signals'][P]>>,
    options?: { readonly run?: string | undefined },
  ): Promise<void>;
  /** Listens to events as they are accepted, at most once. Returns the way to stop. */
  on<P extends EventName<D>>(
    event: P,
    listener: (data: Out<D['events'][P]>, meta: EventMeta) => void,
  ): () => void;
  /** The events that are kept, oldest first; each once, also across restarts of the agent. */
  events(options?: EventsOptions): AsyncIterable<AgentEvent<D>>;
  /** @throws `HISTORY_TRIMMED` when that version is no longer kept. */
  stateAt(moment: Moment): Promise<StateAt<Out<D['state']>>>;
  /** What changed from one moment to another. */
  diff(before: Moment, after: Moment): Promise<readonly StateChange[]>;
  /**
   * Folds the whole kept history anew, compares the result with the agent in memory, and, if both
   * agree, records a fresh snapshot.
   *
   * @throws `LOG_CORRUPT` when the chain of records is broken.
   */
  rebuild(options?: CallOptions): Promise<Rebuilt>;
  /** Sets the agent back to its beginning and cancels its timers and runs: a recorded turn. */
  delete(options?: CallOptions): Promise<void>;
}

/** What a caller outside agents holds: all that the consistency of the contract allows. */
export type AgentRef<D extends Contract = Contract> = D['consistency'] extends 'none'
  ? VolatileAgentRef<D>
  : DurableAgentRef<D>;
