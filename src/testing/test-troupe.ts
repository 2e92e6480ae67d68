/**
 * A node in a user's own test: time stands still until the test lets it pass, the node crashes and
 * starts again on the same data when told to, and the disk fails on demand.
 */

import type { Contract } from '../agent/contract.ts';
import type { NodeLimitOptions } from '../agent/limit-options.ts';
import type { AgentDefinition, ContractsIn } from '../client/troupe.ts';
import type { Duration } from '../core/duration.ts';
import { TroupeError } from '../core/errors.ts';
import type { WriteFault } from '../engines/memory/faults.ts';
import { MemoryLogs } from '../engines/memory/log.ts';
import { SimDevice } from './sim-device.ts';
import { SimDisk } from './sim-disk.ts';
import type { SimOwner } from './sim-event-heap.ts';
import type { SimCrashKind, SimPorts } from './sim-process.ts';
import { createStreams, type SimStreams } from './sim-random.ts';
import { remotePort } from './sim-remote.ts';
import { type TestClient, testClient } from './test-client.ts';
import { openTestLife, type TestEngine, type TestLife } from './test-life.ts';
import { keepingLogger, type LoggedEntry } from './test-logger.ts';
import { readRecords, type TestRecord } from './test-records.ts';
import { TestTime } from './test-time.ts';

/** Options of {@link createTestTroupe}. */
export interface TestTroupeOptions<R extends readonly AgentDefinition[]> {
  readonly agents: R;
  /**
   * `memory` (default) keeps data like a server that outlives the node; `embedded` is the engine of
   * real nodes, on a simulated disk that loses what was not flushed when its power fails.
   */
  readonly engine?: TestEngine | undefined;
  /** Decides whatever is random: the same seed, the same test (default 1). */
  readonly seed?: number | undefined;
  readonly limits?: NodeLimitOptions | undefined;
}

/** What can go wrong in a test, on switches. All are off at first. */
export interface TestFaults {
  /** While true there is no space: writes are refused with `DISK_FULL`, reads go on. */
  isDiskFull: boolean;
  /**
   * The next operations of this kind fail on the simulated disk, as a broken device would.
   *
   * @throws `CONFIG_INVALID` on the memory engine, which has no disk.
   */
  failNext(operation: 'read' | 'write' | 'flush', times?: number): void;
  /**
   * The next append ends so; for what only a store far away can do: `unknown-stored` for example
   * stores the record and loses the answer.
   *
   * @throws `CONFIG_INVALID` on the embedded engine.
   */
  nextAppend(fault: WriteFault, times?: number): void;
  /**
   * The node dies when it passes this point for the `passage`-th time from now (default the first).
   * `points` lists those that were passed so far.
   */
  crashAt(point: string, passage?: number): void;
  /** The named points that the node has passed. */
  readonly points: ReadonlySet<string>;
}

/**
 * A node in a test. Its agents, runs, futures and topics are those of a node; references stay good
 * over a crash and a restart, listeners and subscriptions end with the life they were made in.
 */
export interface TestTroupe<D extends Contract = Contract> extends TestClient<D>, AsyncDisposable {
  readonly faults: TestFaults;
  /** What the nodes of this test wrote for people, oldest first. */
  readonly logged: readonly LoggedEntry[];
  /** Virtual wall-clock milliseconds: 2030-01-01 at the beginning. */
  now(): number;
  /** Lets time pass: timers, timeouts and retries come due, in order. */
  advance(span: Duration): Promise<void>;
  /** Lets time pass until a promise settles, and answers as it does. */
  advanceUntil<T>(promise: PromiseLike<T>): Promise<T>;
  /** Waits until everything that does not wait for time has been done. */
  settled(): Promise<void>;
  /**
   * Ends the node at once, as `kill -9` does, or with the power of its machine (default), which the
   * simulated disk's unflushed writes do not survive. Open calls end with `NODE_UNREACHABLE`.
   */
  crash(kind?: SimCrashKind): void;
  /** Starts the node again on its data, on other code if given; stops it first if it runs. */
  restart(options?: { readonly agents?: readonly AgentDefinition[] | undefined }): Promise<void>;
  /** Stops the node in good order. Its data stay. */
  stop(): Promise<void>;
  /** The records of an agent's log, oldest first. */
  records(address: string): Promise<readonly TestRecord[]>;
}

/**
 * Starts a node for a test.
 *
 * @example
 * ```ts
 * import { defineAgent, implement, read, turn } from 'troupe';
 * import { createTestTroupe } from 'troupe/testing';
 * import { z } from 'zod';
 *
 * const counter = defineAgent('counter', {
 *   state: z.object({ count: z.number().default(0) }),
 *   actions: {
 *     addLater: turn({ input: z.number() }),
 *     add: turn({ input: z.number() }),
 *     count: read({ output: z.number() }),
 *   },
 * });
 * const counterAgent = implement(counter, {
 *   addLater: (ctx, by) => ctx.after('7d', 'add', by),
 *   add(ctx, by) {
 *     ctx.state.count += by;
 *   },
 *   count: ctx => ctx.state.count,
 * });
 *
 * await using troupe = await createTestTroupe({ agents: [counterAgent], engine: 'embedded' });
 * const visits = troupe.agents.get(counter, 'visits');
 * await visits.execute('addLater', 5);
 * troupe.crash();
 * await troupe.restart();
 * await troupe.advance('7d');
 * console.assert((await visits.execute('count')) === 5);
 * ```
 */
export async function createTestTroupe<const R extends readonly AgentDefinition[]>(
  options: TestTroupeOptions<R>,
): Promise<TestTroupe<ContractsIn<R>>> {
  const habitat = new TestHabitat(options);
  await habitat.restart();
  const client = testClient<ContractsIn<R>>(() => habitat.life.node.kernel);
  const { time } = habitat;
  return {
    ...client,
    faults: habitat.faults,
    logged: habitat.logged,
    now: () => time.nowMs,
    advance: span => time.advance(span),
    advanceUntil: promise => time.advanceUntil(promise),
    settled: () => time.settled(),
    crash: kind => habitat.crash(kind),
    restart: other => habitat.restart(other?.agents),
    stop: () => habitat.stop(),
    records: address => readRecords(habitat.life.node.kernel.log, address),
    [Symbol.asyncDispose]: () => habitat.stop(),
  };
}

/** What lives on while the node dies: its data, its disk, and time. */
class TestHabitat {
  readonly time: TestTime;
  readonly logged: LoggedEntry[] = [];
  readonly faults: TestFaults;
  readonly #engine: TestEngine;
  readonly #limits: NodeLimitOptions | undefined;
  readonly #streams: SimStreams;
  readonly #device: SimDevice;
  readonly #memory: MemoryLogs;
  readonly #points = new Set<string>();
  readonly #armed = new Map<string, number>();
  #agents: readonly AgentDefinition[];
  #owner: SimOwner | undefined;
  /** Tells whoever waits for the start of the life that has died. */
  #died: ((error: TroupeError) => void) | undefined;
  #life: TestLife | undefined;
  #incarnation = 0;

  constructor(options: TestTroupeOptions<readonly AgentDefinition[]>) {
    this.#agents = options.agents;
    this.#engine = options.engine ?? 'memory';
    this.#limits = options.limits;
    this.#streams = createStreams(options.seed ?? 1);
    this.time = new TestTime(this.#streams.schedule);
    this.#memory = new MemoryLogs({});
    this.#device = new SimDevice({
      name: 'disk',
      latency: this.#streams.disk,
      faults: this.#streams.faults,
      onFault: () => undefined,
    });
    this.faults = this.#makeFaults();
  }

  /** @throws `NOT_STARTED` when the node is down. */
  get life(): TestLife {
    if (this.#life !== undefined) return this.#life;
    throw new TroupeError('NOT_STARTED', {
      detail: 'the node of this test is down; await restart() first',
    });
  }

  crash(kind: SimCrashKind = 'power-loss'): void {
    const [owner, life] = [this.#owner, this.#life];
    if (owner === undefined) return;
    this.#owner = undefined;
    this.#life = undefined;
    owner.isAlive = false;
    if (kind === 'power-loss') this.#device.losePower();
    else this.#device.ownerDied(owner);
    const error = new TroupeError('NODE_UNREACHABLE', { detail: 'the node of this test crashed' });
    life?.node.kernel.delivery.close(error);
    this.#died?.(error);
  }

  async restart(agents: readonly AgentDefinition[] = this.#agents): Promise<void> {
    await this.stop();
    this.#agents = agents;
    this.#incarnation += 1;
    const label = `node#${this.#incarnation}`;
    const owner: SimOwner = { label, isAlive: true, isPaused: false, held: [] };
    this.#owner = owner;
    const died = new Promise<never>((_resolve, reject) => {
      this.#died = reject;
    });
    died.catch(() => undefined);
    const opening = openTestLife(this.#portsFor(owner), {
      agents,
      engine: this.#engine,
      memory: this.#memory,
      limits: this.#limits,
      logger: keepingLogger(this.logged, () => this.time.nowMs),
    });
    this.#life = await Promise.race([opening, died]);
  }

  async stop(): Promise<void> {
    const [owner, life] = [this.#owner, this.#life];
    if (owner === undefined) return;
    await this.time.settled();
    await life?.stop();
    owner.isAlive = false;
    this.#device.ownerDied(owner);
    this.#owner = undefined;
    this.#life = undefined;
  }

  #portsFor(owner: SimOwner): SimPorts {
    const { scheduler } = this.time;
    const network = this.#streams.network.fork(owner.label);
    return {
      name: 'node',
      incarnation: this.#incarnation,
      clock: this.time.clockFor(owner),
      random: this.#streams.process.fork(owner.label),
      disk: new SimDisk({ device: this.#device, scheduler, owner }),
      owner,
      onFaultPoint: name => this.#pass(name, owner),
      remote: (target, synchronous) =>
        remotePort(target, { scheduler, owner, random: network }, synchronous),
    };
  }

  #pass(point: string, owner: SimOwner): Promise<void> {
    if (!owner.isAlive) return new Promise(() => undefined);
    this.#points.add(point);
    const left = this.#armed.get(point);
    if (left === undefined) return Promise.resolve();
    if (left > 1) {
      this.#armed.set(point, left - 1);
      return Promise.resolve();
    }
    this.#armed.delete(point);
    this.crash();
    return new Promise(() => undefined);
  }

  #makeFaults(): TestFaults {
    const device = this.#device;
    const { faults } = this.#memory;
    const needs = (engine: TestEngine, what: string) => {
      if (this.#engine === engine) return;
      throw new TroupeError('CONFIG_INVALID', { detail: `${what} needs the ${engine} engine` });
    };
    return {
      points: this.#points,
      get isDiskFull() {
        return device.isFull;
      },
      set isDiskFull(isFull) {
        device.isFull = isFull;
        faults.isFull = isFull;
      },
      failNext: (operation, times = 1) => {
        needs('embedded', 'failNext');
        device.failNext[operation] += times;
      },
      nextAppend: (fault, times = 1) => {
        needs('memory', 'nextAppend');
        faults.next(fault, { times });
      },
      crashAt: (point, passage = 1) => void this.#armed.set(point, passage),
    };
  }
}
