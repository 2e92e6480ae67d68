/** The public surface of Troupe: names re-exported one by one, nothing else. */
export type {
  BaseContext,
  ContextSendOptions,
  DurableTurnContext,
  EffectOptions,
  Finding,
  ReadContext,
  RepeatOptions,
  StepCall,
  StepOptions,
  TaskContext,
  TimerOptions,
  TurnContext,
  VolatileContextSendOptions,
  VolatileTurnContext,
} from './agent/contexts.ts';
export {
  type Action,
  type ActionKind,
  type ActionShape,
  type Consistency,
  type Contract,
  defineAgent,
  read,
  type TaskShape,
  task,
  turn,
} from './agent/contract.ts';
export type {
  AgentEvent,
  EventMeta,
  EventsOptions,
  Moment,
  StateAt,
  StateChange,
} from './agent/history-types.ts';
export {
  type Handlers,
  type Implementation,
  type ImplementOptions,
  implement,
} from './agent/implementation.ts';
export type {
  NodeLimitOptions,
  NodeLimits,
  TypeLimitOptions,
  TypeLimits,
} from './agent/limit-options.ts';
export type { DeepReadonly, ReadonlyDate } from './agent/read-only.ts';
export type {
  AgentRef,
  CallOptions,
  DurableAgentRef,
  Future,
  ReadRef,
  ReplyPosition,
  RequestOptions,
  Result,
  SendOptions,
  StreamOptions,
  TaskCallOptions,
  TaskRef,
  TaskStream,
  VolatileAgentRef,
  VolatileSendOptions,
} from './agent/references.ts';
export type {
  Resolution,
  ResolveOptions,
  RunInfo,
  RunStatus,
  RunStep,
  RunsOfAgent,
} from './agent/run-types.ts';
export type { Schema, SchemaIssue } from './agent/schema.ts';
export type { ClusterCredentials, ClusterOptions, ClusterTls } from './client/cluster-options.ts';
export type {
  AgentDefinition,
  AgentInfo,
  Agents,
  CreateTroupe,
  DeadLetterInfo,
  DeadLetters,
  Futures,
  LifecycleEvent,
  ListOptions,
  Page,
  PageOptions,
  RunListOptions,
  Runs,
  StopOptions,
  TopicBus,
  TopicMeta,
  Troupe,
  TroupeOptions,
} from './client/troupe.ts';
export type { Duration } from './core/duration.ts';
export type { Guarantee, Position, Priority, TraceContext } from './core/envelope.ts';
export type { ErrorCode } from './core/error-codes.ts';
export { type ErrorValue, type Outcome, TroupeError } from './core/errors.ts';
export { createTroupe } from './gateway/create-troupe.ts';
export type { Logger } from './telemetry/logger.ts';
