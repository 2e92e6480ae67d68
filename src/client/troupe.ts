/**
 * A node as a program holds it, as types: the agents it can reach, and what is not about one agent
 * (runs, futures, dead letters, topics). The node makes such an object of the client's parts.
 */

import type { Contract } from '../agent/contract.ts';
import type { ContractOf, Implementation } from '../agent/implementation.ts';
import type { NodeLimitOptions } from '../agent/limit-options.ts';
import type { AgentRef, Future } from '../agent/references.ts';
import type { RunInfo, RunStatus, RunsOfAgent } from '../agent/run-types.ts';
import type { Duration } from '../core/duration.ts';
import type { ErrorValue } from '../core/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ClusterOptions } from './cluster-options.ts';

/** What `createTroupe` takes in its list: behaviour to host here, or a contract to talk to. */
export type AgentDefinition = Implementation | Contract;

/** The contracts of a list of definitions, as a union. */
export type ContractsIn<R extends readonly AgentDefinition[]> = ContractOf<R[number]>;

/** Options of `createTroupe`. */
export interface TroupeOptions<R extends readonly AgentDefinition[]> {
  /**
   * What this node knows: implementations are hosted here; a bare contract is known here and hosted
   * elsewhere.
   */
  readonly agents: R;
  /**
   * The directory of the data. Without it all is in memory and gone at the end. With `cluster` it
   * holds only who the node is, so that it goes on at once when it is started again there.
   */
  readonly data?: string | undefined;
  /**
   * The servers that keep the data, instead of this machine: the address of one of them, or more.
   *
   * @example
   * ```ts
   * import { createTroupe } from 'troupe';
   *
   * const troupe = createTroupe({
   *   agents: [],
   *   cluster: { servers: ['nats://a.example:4222', 'nats://b.example:4222'], name: 'shop' },
   *   data: './data',
   * });
   * ```
   */
  readonly cluster?: string | ClusterOptions | undefined;
  /** Opens the admin API on loopback, for the command line (default false). */
  readonly admin?: boolean | { readonly port?: number | undefined } | undefined;
  /**
   * Names the node to others and in logs: up to 64 letters, digits, `-` and `_` (default: drawn at
   * the first start, and kept in `data`). In a cluster no two processes have the same at a time.
   */
  readonly name?: string | undefined;
  /** Defaults and meanings are in the reference page on limits. */
  readonly limits?: NodeLimitOptions | undefined;
  /** Where messages for people go (default: JSON lines on standard error). */
  readonly logger?: Logger | undefined;
  /** The share of traces that are sampled, from 0 to 1 (default 0.01). */
  readonly traceRatio?: number | undefined;
}

/** Options of every list that comes in pages. */
export interface PageOptions {
  /** At most so many (default 100, at most 1,000). */
  readonly limit?: number | undefined;
  /** Goes on behind the page that had this `cursor`. */
  readonly cursor?: string | undefined;
}

/** Which agents to list. */
export interface ListOptions<T extends string> extends PageOptions {
  readonly type?: T | undefined;
  /** Only keys that begin so. */
  readonly prefix?: string | undefined;
}

/** An agent in a list. */
export interface AgentInfo<T extends string = string> {
  /** `type/key`. */
  readonly address: string;
  readonly type: T;
  readonly key: string;
  /** Whether it is in memory here. */
  readonly isActive: boolean;
  /** When it next has work of its own, if it has. */
  readonly wakeAt?: Date | undefined;
}

/** A page of a list, in no particular order. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Present when there may be more. */
  readonly cursor?: string | undefined;
}

/** The way to agents, typed by the contracts that the node knows. */
export interface Agents<D extends Contract = Contract> {
  /**
   * A reference by address. Getting one asks nobody and creates nothing.
   *
   * @throws `TYPE_NOT_DEFINED`, or `INVALID_INPUT` when it is no address.
   */
  get<T extends D['type']>(address: `${T}/${string}`): AgentRef<Extract<D, { readonly type: T }>>;
  /** A reference by contract and key. */
  get<T extends D>(contract: T, key: string): AgentRef<T>;
  /** Agents that have a history, or are in memory. */
  list<T extends D['type']>(options?: ListOptions<T>): Promise<Page<AgentInfo<T>>>;
}

/** Which runs to list. */
export interface RunListOptions extends PageOptions {
  readonly type?: string | undefined;
  readonly status?: RunStatus | undefined;
}

/** The runs of all agents of a node. */
export interface Runs extends Omit<RunsOfAgent, 'list'> {
  list(options?: RunListOptions): Promise<Page<RunInfo>>;
}

/** Futures that were made earlier, perhaps by another process. */
export interface Futures {
  /** The future of an id. Waiting for one that is unknown or too old ends with `EXPIRED`. */
  get(id: string): Future<unknown>;
}

/** A message that was given up after its last attempt. */
export interface DeadLetterInfo {
  readonly id: string;
  /** Where it lies: the agent that gave it up. */
  readonly agent: string;
  /** Where it was to go. */
  readonly target: string;
  readonly action: string;
  readonly input: unknown;
  readonly error: ErrorValue;
  readonly attempts: number;
  readonly at: Date;
  readonly caller?: string | undefined;
  readonly correlationId: string;
}

/** The messages that were given up. */
export interface DeadLetters {
  list(
    options?: PageOptions & { readonly type?: string | undefined },
  ): Promise<Page<DeadLetterInfo>>;
  /** Sends one again as a new message, without its old place in the order. */
  retry(id: string): Promise<{ readonly messageId: string }>;
  /** Forgets one. */
  drop(id: string): Promise<void>;
}

/** Something in the life of an agent, published as `agent.lifecycle.<kind>`. */
export interface LifecycleEvent {
  readonly kind: 'created' | 'activated' | 'passivated' | 'deleted' | 'failed' | 'quarantined';
  /** The address of the agent. */
  readonly agent: string;
  /** Particulars, as text. */
  readonly detail?: string | undefined;
}

/** Where a topic message came from. */
export interface TopicMeta {
  readonly topic: string;
  readonly at: Date;
}

/**
 * Topics: words joined by dots. In a pattern `*` is any one word, and `>` at the end one or more.
 *
 * @remarks At most once, to whoever listens now; in order from each publisher.
 */
export interface TopicBus {
  /** Returns the way to stop. */
  subscribe(
    pattern: `agent.lifecycle.${string}`,
    listener: (event: LifecycleEvent, meta: TopicMeta) => void,
  ): () => void;
  subscribe(pattern: string, listener: (data: unknown, meta: TopicMeta) => void): () => void;
  /** @throws `INVALID_INPUT` when the topic has empty words or wildcards. */
  publish(topic: string, data: unknown): Promise<void>;
}

/** Options of `stop`. */
export interface StopOptions {
  /** How long what is running may come to its end (default 10 seconds). */
  readonly drain?: Duration | undefined;
}

/** A node: it hosts the agents it has the behaviour of, and reaches those it knows. */
export interface Troupe<D extends Contract = Contract> extends AsyncDisposable {
  readonly agents: Agents<D>;
  readonly runs: Runs;
  readonly futures: Futures;
  readonly deadLetters: DeadLetters;
  readonly bus: TopicBus;
  /**
   * Opens the data and begins to serve.
   *
   * @throws `DATA_LOCKED`, `ENGINE_UNSUPPORTED`, `PORT_IN_USE`, `CONFIG_INVALID`, and on a cluster
   * `ENGINE_UNAVAILABLE`, `NO_QUORUM`, `UNAUTHORIZED`.
   */
  start(): Promise<void>;
  /** Finishes what runs, writes what must be written, and lets go of everything. Idempotent. */
  stop(options?: StopOptions): Promise<void>;
}

/** The type of `createTroupe`. */
export type CreateTroupe = <const R extends readonly AgentDefinition[]>(
  options: TroupeOptions<R>,
) => Troupe<ContractsIn<R>>;
