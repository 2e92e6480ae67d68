/**
 * The simulator for a user's own agents: callers of the user's make, faults of every kind, and the
 * user's own check at the end, on a virtual clock, from one seed each.
 */

import type { Contract } from '../agent/contract.ts';
import type { NodeLimitOptions } from '../agent/limit-options.ts';
import type { AgentDefinition, ContractsIn } from '../client/troupe.ts';
import { type Duration, durationMs } from '../core/duration.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { TroupeError, textOf } from '../core/errors.ts';
import { MemoryLogs } from '../engines/memory/log.ts';
import type { Logger } from '../telemetry/logger.ts';
import { drawFaults, drawSwarm, heal, type SimFaultKind, scheduleFaults } from './sim-faults.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRandom } from './sim-random.ts';
import { addReports, emptyReport, reportWorld, type SimReport } from './sim-runner.ts';
import { SimWorld } from './sim-world.ts';
import { type TestClient, testClient } from './test-client.ts';
import { openTestLife, type TestEngine, type TestLife } from './test-life.ts';

/** What the user's callers have of a simulated world. */
export interface SimulatedWorld<D extends Contract = Contract> {
  readonly seed: number;
  /** The caller's own luck: the same for the same seed. */
  readonly random: SimRandom;
  /**
   * Does something once, as a caller outside of the node.
   *
   * @throws `NODE_UNREACHABLE` when the node is down, or dies before it answers; and whatever the
   * work throws.
   */
  attempt<T>(work: (troupe: TestClient<D>) => Promise<T>): Promise<T>;
  /**
   * Does it again and again until it succeeds or fails for good; what must not happen twice needs
   * an `idempotencyKey`.
   */
  patiently<T>(work: (troupe: TestClient<D>) => Promise<T>): Promise<T>;
  /** Waits in virtual time. */
  sleep(span: Duration): Promise<void>;
}

/** Options of {@link simulate}. */
export interface SimulateOptions<R extends readonly AgentDefinition[]> {
  readonly agents: R;
  /** What callers do while faults happen. What it throws is a violation. */
  workload(world: SimulatedWorld<ContractsIn<R>>): Promise<void>;
  /** Looks at the outcome when all is well again. What it throws is a violation. */
  check?(world: SimulatedWorld<ContractsIn<R>>): Promise<void>;
  /** How many worlds (default 10), from seed `firstSeed` (default 1) on. */
  readonly seeds?: number | undefined;
  readonly firstSeed?: number | undefined;
  /** How long faults happen at most, in virtual time (default 10 minutes). */
  readonly time?: Duration | undefined;
  /** Mean time between faults (default 10 seconds). */
  readonly faultGap?: Duration | undefined;
  /** Of which each world suffers some (default: crashes, pauses, and troubles of the disk). */
  readonly faults?: readonly SimFaultKind[] | undefined;
  /** Default `embedded`, on a simulated disk. */
  readonly engine?: TestEngine | undefined;
  readonly limits?: NodeLimitOptions | undefined;
}

const faultsDefault: readonly SimFaultKind[] = [
  'kill',
  'power-loss',
  'pause',
  'slow-disk',
  'disk-full',
  'failed-flush',
  'failed-write',
];

const timeMsDefault = 600_000;
const faultGapMsDefault = 10_000;
/** When faults have ended, everything must end within this time. */
const recoveryMs = 3_600_000;
const pauseMs = { low: 50, high: 1_000 } as const;
const attemptsMax = 10_000;

/** Failures that pass. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NODE_UNREACHABLE',
  'NODE_DRAINING',
  'NOT_STARTED',
  'ENGINE_UNAVAILABLE',
  'ENGINE_FAILED',
  'DISK_FULL',
  'DEADLINE_EXCEEDED',
  'MAILBOX_FULL',
  'OVERLOADED',
]);

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Runs agents in simulated worlds, one seed after the other.
 *
 * @remarks Inside, direct clocks, timers, randomness, files and sockets throw: what agents do must
 * depend on the seed alone. A violation names the seed; that seed alone (`firstSeed`, `seeds: 1`)
 * shows it again.
 * @example
 * ```ts
 * import { defineAgent, implement, read, turn } from 'troupe';
 * import { simulate } from 'troupe/testing';
 * import { z } from 'zod';
 *
 * const counter = defineAgent('counter', {
 *   state: z.object({ count: z.number().default(0) }),
 *   actions: { add: turn(), count: read({ output: z.number() }) },
 * });
 * const counterAgent = implement(counter, {
 *   add(ctx) {
 *     ctx.state.count += 1;
 *   },
 *   count: ctx => ctx.state.count,
 * });
 *
 * const { violations } = await simulate({
 *   agents: [counterAgent],
 *   seeds: 2,
 *   async workload(world) {
 *     for (let n = 0; n < 20; n++) {
 *       const idempotencyKey = `add ${n}`;
 *       await world.patiently(troupe =>
 *         troupe.agents.get(counter, 'one').execute('add', undefined, { idempotencyKey }),
 *       );
 *       await world.sleep('1s');
 *     }
 *   },
 *   async check(world) {
 *     const count = await world.patiently(troupe =>
 *       troupe.agents.get(counter, 'one').execute('count'),
 *     );
 *     if (count !== 20) throw new Error(`20 were added, and ${count} are there`);
 *   },
 * });
 * console.assert(violations.length === 0);
 * ```
 */
export async function simulate<const R extends readonly AgentDefinition[]>(
  options: SimulateOptions<R>,
): Promise<SimReport> {
  const { seeds = 10, firstSeed = 1 } = options;
  let report = emptyReport;
  for (let place = 0; place < seeds; place++) {
    report = addReports(report, await simulateSeed(options, firstSeed + place));
  }
  return report;
}

async function simulateSeed<R extends readonly AgentDefinition[]>(
  options: SimulateOptions<R>,
  seed: number,
): Promise<SimReport> {
  const world = new SimWorld({ seed, onBootFailure: (process, error) => retry(process, error) });
  const retry = (process: SimProcess, error: unknown) => {
    const isPassing = TroupeError.is(error) && passing.has(error.code);
    if (!isPassing) world.violate('boot', `the node did not start: ${textOf(error)}`);
    process.start(1_000);
  };
  try {
    const callers = new Callers(world, addNode(world, options));
    const ofUser = callers as unknown as SimulatedWorld<ContractsIn<R>>;
    scheduleFaults(world, plannedFaults(world, options));
    const timeMs = durationMs(options.time ?? timeMsDefault, 'time');
    const working = callers.begin('workload', () => options.workload(ofUser));
    await world.run({ untilMs: timeMs, isDone: () => working.isOver });
    heal(world);
    await finish(world, working, 'workload');
    const { check } = options;
    if (check !== undefined) {
      await finish(
        world,
        callers.begin('check', () => check(ofUser)),
        'check',
      );
    }
    const hours = world.nowMs / 3_600_000;
    return reportWorld(world, { hours, operations: callers.operations, violations: [] });
  } finally {
    world.close();
  }
}

function addNode(
  world: SimWorld,
  options: SimulateOptions<readonly AgentDefinition[]>,
): SimProcess<TestLife> {
  const memory = new MemoryLogs({});
  const { agents, engine = 'embedded', limits } = options;
  const process: SimProcess<TestLife> = world.addProcess({
    name: 'node',
    boot: async ports => {
      const life = await openTestLife(ports, { agents, engine, memory, limits, logger: silent });
      // A node whose engine has failed is started again, as a supervisor would.
      life.node.kernel.log.onFailure(() => {
        for (const each of world.processes) world.crash(each, 'kill');
      });
      return life;
    },
  });
  process.start();
  return process;
}

function plannedFaults(world: SimWorld, options: SimulateOptions<readonly AgentDefinition[]>) {
  const random = world.streams.faults.fork('plan');
  return drawFaults(random, {
    kinds: drawSwarm(random, options.faults ?? faultsDefault),
    targets: ['node'],
    fromMs: 1_000,
    untilMs: durationMs(options.time ?? timeMsDefault, 'time'),
    gapMs: durationMs(options.faultGap ?? faultGapMsDefault, 'faultGap'),
  });
}

async function finish(world: SimWorld, deed: Deed, name: string): Promise<void> {
  if (!deed.isOver) {
    await world.run({ untilMs: world.nowMs + recoveryMs, isDone: () => deed.isOver });
  }
  if (!deed.isOver) {
    world.violate('liveness', `the ${name} did not end within an hour after the last fault`);
  }
}

interface Deed {
  isOver: boolean;
}

/** Everybody outside of the node. */
class Callers implements SimulatedWorld {
  operations = 0;
  readonly seed: number;
  readonly random: SimRandom;
  readonly #world: SimWorld;
  readonly #process: SimProcess<TestLife>;

  constructor(world: SimWorld, process: SimProcess<TestLife>) {
    this.#world = world;
    this.#process = process;
    this.seed = world.seed;
    this.random = world.streams.workload;
  }

  begin(name: string, act: () => Promise<void>): Deed {
    const deed: Deed = { isOver: false };
    const run = async () => {
      try {
        await act();
      } catch (error) {
        this.#world.violate(name, textOf(error));
      }
      deed.isOver = true;
    };
    this.#world.scheduler.schedule({ delayMs: 0, kind: name, task: () => void run() });
    return deed;
  }

  attempt<T>(work: (troupe: TestClient) => Promise<T>): Promise<T> {
    this.operations += 1;
    return this.#process.call('attempt', ({ node }) => work(testClient(() => node.kernel)));
  }

  async patiently<T>(work: (troupe: TestClient) => Promise<T>): Promise<T> {
    for (let left = attemptsMax; ; left--) {
      try {
        return await this.attempt(work);
      } catch (error) {
        if (left === 0 || !TroupeError.is(error) || !passing.has(error.code)) throw error;
        await this.#world.scheduler.sleep(this.random.between(pauseMs.low, pauseMs.high));
      }
    }
  }

  sleep(span: Duration): Promise<void> {
    return this.#world.scheduler.sleep(durationMs(span, 'sleep'));
  }
}
