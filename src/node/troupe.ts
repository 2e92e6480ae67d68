/** The object that a program holds: it exists before the node runs, and refuses until it does. */
import type { Contract } from '../agent/contract.ts';
import type { Implementation } from '../agent/implementation.ts';
import { AgentDirectory } from '../client/agents.ts';
import { deadLetters } from '../client/dead-letters.ts';
import { DurableFuture, parseFutureId } from '../client/future.ts';
import { allRuns } from '../client/runs.ts';
import { topicBus } from '../client/topics.ts';
import type {
  AgentDefinition,
  Agents,
  DeadLetters,
  Futures,
  Runs,
  StopOptions,
  TopicBus,
  Troupe,
} from '../client/troupe.ts';
import { durationMs } from '../core/duration.ts';
import { TroupeError } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';
import { type KnownType, Router } from '../routing/router.ts';
import type { ClusterStanding, FaceOpener, NodeFace, OpenFace, Standing } from './face.ts';
import type { TroupeNode } from './node.ts';

/** A node that was opened, and the way to close what it stands on. */
export interface OpenedNode {
  readonly node: TroupeNode;
  /** What the node's faces may do with its data, if it has a directory. */
  readonly data?: NodeFace['data'];
  /** Where it leaves what others on this machine look for. */
  readonly directory?: string | undefined;
  /** How it stands in its cluster, if it has one. */
  readonly cluster?: (() => ClusterStanding) | undefined;
  /** Looks at its cluster as an operator does. */
  readonly inspectCluster?: NodeFace['inspectCluster'];
  /** Copies its cluster to an empty directory. */
  readonly backUpCluster?: NodeFace['backUpCluster'];
  close(): Promise<void>;
}

/** How a {@link TroupeHandle} makes its node. */
export interface TroupeHandleOptions {
  readonly types: ReadonlyMap<string, KnownType>;
  readonly drainMs: number;
  open(): Promise<OpenedNode>;
  /** Opens the face that the options ask for. */
  readonly openFace?: FaceOpener | undefined;
}

/** A node as a program holds it. */
export class TroupeHandle implements Troupe {
  readonly agents: Agents;
  readonly runs: Runs;
  readonly futures: Futures;
  readonly deadLetters: DeadLetters;
  readonly bus: TopicBus;
  readonly #options: TroupeHandleOptions;
  readonly #directory: AgentDirectory;
  #opened: OpenedNode | undefined;
  #face: OpenFace | undefined;
  #isReady = false;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: TroupeHandleOptions) {
    this.#options = options;
    const kernel = () => this.node.kernel;
    const router = new Router(options.types);
    const directory = new AgentDirectory({ kernel, contractOf: type => router.contractOf(type) });
    this.#directory = directory;
    const at = (address: string) => directory.get(address);
    // The class cannot infer names from contracts; its types are those of the interface.
    this.agents = directory as unknown as Agents;
    this.runs = allRuns(kernel, at);
    this.futures = { get: id => new DurableFuture<unknown>(kernel, parseFutureId(id)) };
    this.deadLetters = deadLetters(kernel, at);
    this.bus = topicBus(kernel);
  }

  /**
   * The node.
   *
   * @throws `NOT_STARTED` while there is none.
   */
  get node(): TroupeNode {
    if (this.#opened !== undefined) return this.#opened.node;
    throw new TroupeError('NOT_STARTED', {
      detail:
        this.#stopping === undefined
          ? 'the node has not started; await troupe.start() first'
          : 'the node has stopped',
    });
  }

  start(): Promise<void> {
    if (this.#stopping !== undefined) return Promise.reject(stopped());
    this.#starting ??= this.#start();
    return this.#starting;
  }

  stop(options: StopOptions = {}): Promise<void> {
    const drainMs =
      options.drain === undefined
        ? this.#options.drainMs
        : durationMs(options.drain, 'stop({ drain })');
    this.#stopping ??= this.#stop(drainMs);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    const opened = await this.#options.open();
    this.#opened = opened;
    try {
      this.#face = await this.#options.openFace?.(this.#faceOf(opened));
      await opened.node.start();
      this.#isReady = true;
    } catch (error) {
      await this.#letGo(0);
      throw error;
    }
  }

  async #stop(drainMs: number): Promise<void> {
    await this.#starting?.catch(() => undefined);
    await this.#letGo(drainMs);
  }

  async #letGo(drainMs: number): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    await opened.node.stop(drainMs);
    await this.#face?.close();
    this.#opened = undefined;
    await opened.close();
  }

  #faceOf(opened: OpenedNode): NodeFace {
    const { node, data, directory, cluster, inspectCluster, backUpCluster } = opened;
    let failure: TroupeError | undefined;
    node.kernel.log.onFailure(error => {
      failure = error;
    });
    const standing = (): Standing => {
      if (failure !== undefined) return 'failed';
      if (this.#stopping !== undefined) return 'draining';
      if (!node.mayServe) return 'suspended';
      return this.#isReady ? 'ready' : 'starting';
    };
    return {
      node,
      data,
      directory,
      cluster: () => cluster?.(),
      inspectCluster,
      backUpCluster,
      agents: this.#directory,
      runs: this.runs,
      deadLetters: this.deadLetters,
      standing: () => ({ standing: standing(), failure }),
    };
  }
}

function stopped(): TroupeError {
  return new TroupeError('NOT_STARTED', {
    detail: 'the node has stopped; make a new one with createTroupe',
  });
}

/** The types and implementations of a list of definitions. */
export interface Definitions {
  readonly types: Map<string, KnownType>;
  readonly implementations: Map<string, Implementation>;
}

/**
 * Sorts a list of definitions.
 *
 * @throws `CONFIG_INVALID` when something in it is no definition, or a type occurs twice.
 */
export function sortDefinitions(agents: readonly AgentDefinition[]): Definitions {
  if (!Array.isArray(agents)) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `agents is ${previewOf(agents)}; give a list of what implement() returns`,
    });
  }
  const definitions: Definitions = { types: new Map(), implementations: new Map() };
  for (const [index, definition] of agents.entries()) {
    const implementation = isImplementation(definition) ? definition : undefined;
    const contract = implementation?.contract ?? (definition as Contract);
    if (typeof contract?.type !== 'string' || contract.actions === undefined) {
      throw new TroupeError('CONFIG_INVALID', {
        detail: `agents[${index}] is neither an implementation nor a contract`,
      });
    }
    if (definitions.types.has(contract.type)) {
      throw new TroupeError('CONFIG_INVALID', {
        detail: `agents[${index}]: the type "${contract.type}" is in the list twice`,
      });
    }
    definitions.types.set(contract.type, { contract, isHosted: implementation !== undefined });
    if (implementation !== undefined)
      definitions.implementations.set(contract.type, implementation);
  }
  return definitions;
}

function isImplementation(definition: AgentDefinition): definition is Implementation {
  return typeof definition === 'object' && definition !== null && 'handlers' in definition;
}
