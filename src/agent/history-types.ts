/** The past of an agent, as types: its events, and its state at earlier versions. */
import type { Position } from '../core/envelope.ts';
import type { Contract } from './contract.ts';
import type { Out } from './schema.ts';

/** The names of the events of a contract. */
export type EventName<D extends Contract> = keyof D['events'] & string;

/** Where and when something was accepted. */
export interface EventMeta extends Position {
  /** The address of the agent. */
  readonly agent: string;
  /** Its place among the events of the same version, from 0. */
  readonly index: number;
  readonly at: Date;
}

/** An event with its place: one of those that the contract declares, told apart by `name`. */
export type AgentEvent<D extends Contract> = {
  readonly [P in EventName<D>]: EventMeta & {
    readonly name: P;
    readonly data: Out<D['events'][P]>;
  };
}[EventName<D>];

/** Which events to read. */
export interface EventsOptions {
  /** The first version of interest; the oldest kept when left out. */
  readonly from?: number | undefined;
  /** Whether to go on with new events at the end (default false). */
  readonly follow?: boolean | undefined;
  /** Ends the reading. */
  readonly abortSignal?: AbortSignal | undefined;
}

/** A moment in the history of an agent: a version, or the last version at a time. */
export type Moment = { readonly version: number } | { readonly time: Date | number };

/** The state of an agent at a moment. */
export interface StateAt<S> extends Position {
  readonly state: S;
  /** When this version was accepted. */
  readonly at: Date;
}

/** One difference between two states. */
export interface StateChange {
  readonly kind: 'added' | 'removed' | 'changed';
  /** Keys of objects and maps, and indexes of arrays, from the outside in. */
  readonly path: readonly (string | number)[];
  /** Absent when added. */
  readonly before?: unknown;
  /** Absent when removed. */
  readonly after?: unknown;
}

/** What came of folding the kept history of an agent anew. */
export interface Rebuilt {
  readonly version: number;
  /** Whether the agent in memory is what its records say. */
  readonly matches: boolean;
}
