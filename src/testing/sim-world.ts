/**
 * A simulated world: one scheduler, devices, processes, faults and their counts, all from one seed.
 * What runs in it, what callers do and which histories are checked is left to whoever builds it.
 */
import { textOf } from '../core/errors.ts';
import type { Violation } from './history.ts';
import { SimMachineClock, type SimMachineClockOptions } from './sim-clock.ts';
import { SimDevice } from './sim-device.ts';
import type { SimOwner } from './sim-event-heap.ts';
import { type FaultBoundary, type FaultPointHook, SimFaultPoints } from './sim-fault-points.ts';
import { platform } from './sim-platform.ts';
import {
  bootFailureText,
  type SimBoot,
  type SimCrashKind,
  type SimLeftLife,
  SimProcess,
  type SimProgram,
} from './sim-process.ts';
import { createStreams, type SimStreams } from './sim-random.ts';
import { type SimRunOptions, SimScheduler } from './sim-scheduler.ts';
import { SimTrace, type SimTraceLine } from './sim-trace.ts';
import { installTrap, type SimTrap } from './sim-trap.ts';

const restartMs = { low: 5, high: 3_000 } as const;

/** What a world is made of. */
export interface SimWorldOptions {
  readonly seed: number;
  /** Sees every event: for `--trace`. */
  readonly onTraceLine?: ((line: SimTraceLine) => void) | undefined;
  /** Fault points to list even if they are never reached. */
  readonly faultPoints?: ReadonlyMap<string, FaultBoundary> | undefined;
  /** How likely a crash at a fault point takes the power of the machine along (default 0.7). */
  readonly powerLossProbability?: number | undefined;
  /** Whether direct clocks, timers, randomness, disk and network throw (default true). */
  readonly isTrapped?: boolean | undefined;
  /** Events between two visits to the real event loop (default 1,000). It changes no outcome. */
  readonly eventsPerYield?: number | undefined;
  /** More events within a virtual second are a circle, and end the run (default: no limit). */
  readonly eventsPerSecondMax?: number | undefined;
  /** Decides about a process whose boot failed (default: a violation, and another try). */
  readonly onBootFailure?: ((process: SimProcess, error: unknown) => void) | undefined;
}

/** A process to add to a world. */
export interface SimProcessSpec<Program extends SimProgram> {
  readonly name: string;
  readonly boot: SimBoot<Program>;
  /** Its disk (default: one of its own). Processes that share one lose power together. */
  readonly device?: SimDevice | undefined;
  readonly clock?: SimMachineClockOptions | undefined;
}

/** Everything that one run consists of. */
export class SimWorld {
  readonly seed: number;
  readonly streams: SimStreams;
  readonly trace: SimTrace;
  readonly scheduler: SimScheduler;
  readonly faultPoints: SimFaultPoints;
  /** How many faults took effect, by kind. */
  readonly faultCounts: Map<string, number> = new Map();
  /** How often something was met that comes of faults, or of the way of the servers, by name. */
  readonly metCounts: Map<string, number> = new Map();
  readonly violations: Violation[] = [];
  /** What happened last before the first of the violations that the world noticed itself. */
  eventsBeforeViolation: readonly SimTraceLine[] | undefined;
  readonly processes: SimProcess[] = [];
  /** How often a process died, for whatever reason, and was to be started again. */
  crashRestarts = 0;
  readonly #options: SimWorldOptions;
  readonly #trap: SimTrap | undefined;
  readonly #stopListening: () => void;
  #crashesAtEnter = 0;

  constructor(options: SimWorldOptions) {
    this.#options = options;
    this.seed = options.seed;
    this.streams = createStreams(options.seed);
    this.trace = new SimTrace(options.onTraceLine);
    this.faultPoints = new SimFaultPoints(
      this.streams.faults.fork('fault-points'),
      options.faultPoints,
    );
    const trap = options.isTrapped === false ? undefined : installTrap();
    this.#trap = trap;
    this.scheduler = new SimScheduler({
      random: this.streams.schedule,
      trace: this.trace,
      eventsPerYield: options.eventsPerYield,
      eventsPerSecondMax: options.eventsPerSecondMax,
      onEnter: () => {
        this.#crashesAtEnter = this.crashRestarts;
        trap?.enter();
      },
      onLeave: trap?.leave,
      onError: (error, owner) => this.#eventThrew(error, owner),
    });
    this.#stopListening = platform.onUnhandledRejection(reason => this.#rejected(reason));
  }

  /** True virtual time, in milliseconds since the start. */
  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  addDevice(name: string): SimDevice {
    return new SimDevice({
      name,
      latency: this.streams.disk.fork(name),
      faults: this.streams.faults.fork(`device/${name}`),
      onFault: fault => this.countFault(fault),
    });
  }

  /** Adds a process; it begins to live when it is started. */
  addProcess<Program extends SimProgram>(spec: SimProcessSpec<Program>): SimProcess<Program> {
    const host = {
      scheduler: this.scheduler,
      random: this.streams.process,
      schedule: this.streams.schedule,
      network: this.streams.network,
      faultPointHook: (owner: SimProcess) => this.#faultPointHook(owner),
      bootFailed: (failed: SimProcess, error: unknown) => this.#bootFailed(failed, error),
    };
    const process = new SimProcess<Program>(host, {
      name: spec.name,
      boot: spec.boot,
      device: spec.device ?? this.addDevice(spec.name),
      machineClock: new SimMachineClock(spec.clock),
    });
    // The list is for faults, which do not care what runs inside.
    this.processes.push(process as unknown as SimProcess);
    return process;
  }

  /** A fault took effect. */
  countFault(kind: string): void {
    this.faultCounts.set(kind, (this.faultCounts.get(kind) ?? 0) + 1);
    this.trace.add(this.nowMs, kind, '');
  }

  /** Something was met that a run should meet. */
  countMet(name: string): void {
    this.metCounts.set(name, (this.metCounts.get(name) ?? 0) + 1);
  }

  /** A promise was broken. */
  violate(check: string, message: string): void {
    this.eventsBeforeViolation ??= this.trace.recent();
    this.violations.push({ check, message: `${message} (at ${this.nowMs.toFixed(3)} ms)` });
  }

  /**
   * Crashes a process and starts it again after a while. Power takes all its machine's processes.
   */
  crash(process: SimProcess, kind: SimCrashKind): void {
    const victims =
      kind === 'kill' ? [process] : this.processes.filter(each => each.device === process.device);
    if (!victims.some(each => each.isAlive)) return;
    this.countFault(kind);
    const { faults } = this.streams;
    for (const [place, victim] of victims.entries()) {
      const wasAlive = victim.isAlive;
      // The device loses its power once, whoever runs on it.
      victim.crash(place === 0 ? kind : 'kill');
      if (!wasAlive) continue;
      this.crashRestarts++;
      victim.start(faults.between(restartMs.low, restartMs.high));
    }
  }

  /**
   * Lets the program of a process go on, and begins another life of the process after a while:
   * what happens when a node is taken for dead, or started twice. It goes on until it is ended.
   */
  leaveBehind(process: SimProcess): SimLeftLife | undefined {
    const left = process.leaveBehind();
    if (left === undefined) return undefined;
    process.start(this.streams.faults.between(restartMs.low, restartMs.high));
    const end = () => {
      if (!left.owner.isAlive) return;
      // One more that ended by force: see `#rejected`.
      this.crashRestarts++;
      left.end();
    };
    return { ...left, end };
  }

  /** Runs the world; see {@link SimScheduler.run}. */
  run(options: SimRunOptions): Promise<void> {
    return this.scheduler.run(options);
  }

  /** Ends the run: nothing of it happens any more, and the trap is gone. */
  close(): void {
    for (const process of this.processes) process.crash('kill');
    this.#trap?.remove();
    this.#stopListening();
  }

  #faultPointHook(process: SimProcess): FaultPointHook {
    const incarnation = process.incarnation;
    return (name, boundary) => {
      if (!process.isLiving(incarnation)) return never();
      // What was left behind is ended by whoever left it.
      if (!process.isAlive || process.incarnation !== incarnation) return Promise.resolve();
      if (!this.faultPoints.pass(name, boundary)) return Promise.resolve();
      this.countFault(`crash-${boundary}`);
      const { faults } = this.streams;
      const isPowerLoss = faults.chance(this.#options.powerLossProbability ?? 0.7);
      this.crash(process, isPowerLoss ? 'power-loss' : 'kill');
      return never();
    };
  }

  #bootFailed(process: SimProcess, error: unknown): void {
    if (this.#options.onBootFailure === undefined) {
      this.violate('boot', bootFailureText(process, error));
      process.start(1_000);
    } else this.#options.onBootFailure(process, error);
  }

  #eventThrew(error: unknown, owner: SimOwner | undefined): void {
    const where = owner?.label ?? 'the world';
    this.violate('uncaught', `${where} threw from an event: ${textOf(error)}`);
    const process = this.processes.find(each => owner?.label.startsWith(`${each.name}#`) === true);
    if (process !== undefined) this.crash(process, 'kill');
  }

  #rejected(reason: unknown): void {
    // A life that was cut off cannot attach handlers any more: its rejections prove nothing.
    if (this.crashRestarts !== this.#crashesAtEnter) return;
    this.violate('unhandled-rejection', textOf(reason));
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
