/**
 * What the code of an action is given, as types: one kind of context per kind of action and level.
 * What a context does not offer does not compile, so a turn cannot wait for another's turn, a read
 * cannot write, and an agent in memory only cannot promise what needs a record.
 */
import type { Duration } from '../core/duration.ts';
import type { Guarantee, Priority, TraceContext } from '../core/envelope.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Action, Contract } from './contract.ts';
import type { EventName } from './history-types.ts';
import type { DeepReadonly } from './read-only.ts';
import type { ActionArgs, ActionName, ReadRef, SignalName, TaskRef } from './references.ts';
import type { In, Out } from './schema.ts';

/** What every context has. */
export interface BaseContext {
  readonly key: string;
  /** The agent's `type/key`. */
  readonly address: string;
  /** The address of the calling agent, or what the caller outside said of itself. */
  readonly caller: string | undefined;
  /** Shared by all messages that one message from outside led to. */
  readonly correlationId: string;
  /** Where this action belongs in a trace. */
  readonly trace: TraceContext | undefined;
  readonly logger: Logger;
  /** Wall-clock milliseconds. In a task, the time of the last record it has seen. */
  now(): number;
  /** Uniform in [0, 1). In a task, the same values whenever it resumes. */
  random(): number;
}

/** The context of a `read`. */
export interface ReadContext<D extends Contract> extends BaseContext {
  /** The last accepted state. */
  readonly state: DeepReadonly<Out<D['state']>>;
  /** Another agent, of which only reads may be awaited. */
  get<T extends Contract>(contract: T, key: string): ReadRef<T>;
}

/** Options of `ctx.send`. */
export interface ContextSendOptions {
  /** How long it is sent again before it is a dead letter (default: the result window). */
  readonly timeout?: Duration | undefined;
  /** The lane of the mailbox (default `normal`). */
  readonly priority?: Priority | undefined;
  /** What is promised (default `exactly_once`; towards `none` `at_least_once`). */
  readonly delivery?: Guarantee | undefined;
}

/** Options of `ctx.send` to or from agents in memory only. */
export interface VolatileContextSendOptions {
  readonly priority?: Priority | undefined;
  /** What is promised: nothing else is possible. */
  readonly delivery?: 'at_least_once' | undefined;
}

/** What of a turn does not depend on the level. */
export interface VolatileTurnContext<D extends Contract> extends BaseContext {
  /** The state: change it, or assign another. What a failed turn did to it leaves no trace. */
  state: Out<D['state']>;
  /** Memory of this activation: not stored, and gone when the agent leaves memory. */
  readonly local: Map<string, unknown>;
  /** Ends the turn with a refusal that is the agent's own answer: `REJECTED`, never retried. */
  reject(code: string, data?: unknown): never;
  /** Another agent, of which only reads may be awaited. */
  get<T extends Contract>(contract: T, key: string): ReadRef<T>;
  /** Sends a message, at least once, as soon as the turn is over; from memory only. */
  send<T extends Contract, P extends ActionName<T, 'turn' | 'task'>>(
    contract: T,
    key: string,
    action: P,
    ...args: ActionArgs<T, P, VolatileContextSendOptions>
  ): void;
}

/** Options of a timer. */
export interface TimerOptions {
  /** Names the timer (default: the action). Setting one of the same name replaces it. */
  readonly id?: string | undefined;
}

/** Options of a repeating timer. */
export interface RepeatOptions extends TimerOptions {
  /**
   * In which a cron text is read, as in `Europe/Berlin` (default UTC). A tick in the hour that
   * daylight saving skips runs right after it, and one in the hour that comes twice runs once.
   */
  readonly timeZone?: string | undefined;
  /** What becomes of ticks that come more than a minute late (default `once` for all of them). */
  readonly missed?: 'skip' | 'once' | 'all' | undefined;
}

/** What a turn of an agent whose state survives can decide, all of it in one record. */
export interface DurableTurnContext<D extends Contract>
  extends Omit<VolatileTurnContext<D>, 'send'> {
  /** Adds an event to the history of the agent. */
  emit<P extends EventName<D>>(event: P, data: DeepReadonly<In<D['events'][P]>>): void;
  /** Sends a message, exactly once unless told otherwise, when the record is accepted. */
  send<T extends Contract, P extends ActionName<T, 'turn' | 'task'>>(
    contract: T,
    key: string,
    action: P,
    ...args: ActionArgs<
      T,
      P,
      T['consistency'] extends 'none' ? VolatileContextSendOptions : ContextSendOptions
    >
  ): void;
  /** Runs one of the agent's own actions later. */
  after<P extends ActionName<D, 'turn' | 'task'>>(
    delay: Duration,
    action: P,
    ...args: ActionArgs<D, P, TimerOptions>
  ): void;
  /** Runs one of the agent's own actions again and again: by a cron text, or every so often. */
  every<P extends ActionName<D, 'turn' | 'task'>>(
    schedule: Duration | (string & {}),
    action: P,
    ...args: ActionArgs<D, P, RepeatOptions>
  ): void;
  /** Harmless when there is no such timer. */
  cancelTimer(id: string): void;
}

/** The context of a `turn`. */
export type TurnContext<D extends Contract> = D['consistency'] extends 'none'
  ? VolatileTurnContext<D>
  : DurableTurnContext<D>;

/** What the code of a step is given. */
export interface StepCall {
  /** The same whenever this step is begun again: outside services recognise a repeat by it. */
  readonly idempotencyKey: string;
  /**
   * How often this step has been begun, this time included: above 1 when it was cut off before.
   * Attempts of `retry` do not count, and of a `pure` step no beginning is remembered.
   */
  readonly attempt: number;
  /** Aborted when the run is cancelled or its time is over. */
  readonly abortSignal: AbortSignal;
}

/** What an `onUnknown` function answers about a step that was cut off. */
export type Finding<T> = { readonly value: T } | 'retry' | 'fail' | 'ask';

/** What tells an effect of a task from others of its kind and name. */
export interface EffectOptions {
  /** Needed when the same name is used twice at once; otherwise the order tells them apart. */
  readonly key?: string | undefined;
}

/** Options of `ctx.step`. */
export interface StepOptions<T> extends EffectOptions {
  /** Computes only, so that nothing has to be recorded before it begins. */
  readonly pure?: boolean | undefined;
  /** How often it is tried when it throws (default once), and the pause before the second try. */
  readonly retry?:
    | { readonly attempts: number; readonly backoff?: Duration | undefined }
    | undefined;
  /** What to do when it was cut off and nobody knows whether it took effect (default `retry`). */
  readonly onUnknown?:
    | 'retry'
    | 'fail'
    | 'ask'
    | ((call: StepCall) => Finding<T> | Promise<Finding<T>>)
    | undefined;
}

/** The context of a `task` that writes chunks of type `C`. */
export interface TaskContext<D extends Contract, C = never> extends BaseContext {
  /** Names this run. */
  readonly runId: string;
  /** The state when the run began; `update` sees the present one. */
  readonly state: DeepReadonly<Out<D['state']>>;
  /** Aborted when the run is cancelled or its time is over. */
  readonly abortSignal: AbortSignal;
  /** An effect on the outside world. Once its outcome is recorded it never runs again. */
  step<I, T>(
    name: string,
    input: I,
    run: (call: StepCall) => T | Promise<T>,
    options?: StepOptions<NoInfer<T>>,
  ): Promise<T>;
  /** A turn of this agent, in the middle of the task. */
  update<T>(
    change: (turn: DurableTurnContext<D>) => T | Promise<T>,
    options?: EffectOptions,
  ): Promise<T>;
  /** Waits for a signal without holding memory; with `timeout`, until then. */
  waitFor<P extends SignalName<D>>(
    signal: P,
    options?: EffectOptions,
  ): Promise<Out<D['signals'][P]>>;
  waitFor<P extends SignalName<D>, F>(
    signal: P,
    options: EffectOptions & { readonly timeout: Duration; readonly default: F },
  ): Promise<Out<D['signals'][P]> | F>;
  /** Waits without holding memory. */
  sleep(span: Duration, options?: EffectOptions): Promise<void>;
  /** Adds a chunk to the stream of the run. */
  write(chunk: C): void;
  /** Sends a message, once, however often the task resumes. */
  send<T extends Contract, P extends ActionName<T, 'turn' | 'task'>>(
    contract: T,
    key: string,
    action: P,
    ...args: ActionArgs<
      T,
      P,
      EffectOptions &
        (T['consistency'] extends 'none' ? VolatileContextSendOptions : ContextSendOptions)
    >
  ): void;
  /** Another agent; each call is a step. */
  get<T extends Contract>(contract: T, key: string): TaskRef<T>;
}

/** The context of an action. */
export type ContextOf<D extends Contract, A extends Action> = A['kind'] extends 'read'
  ? ReadContext<D>
  : A['kind'] extends 'task'
    ? TaskContext<D, A['stream'] extends undefined ? never : DeepReadonly<In<A['stream']>>>
    : TurnContext<D>;
