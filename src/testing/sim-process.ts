/**
 * A simulated process: a program that gets its ports, lives until it crashes or stops, and is
 * started again. Each life is an incarnation; a crash cuts all its ports at once, so that nothing
 * of it has an effect any more, and whatever it was waiting for never comes. What it is that runs
 * inside is left to the user's boot function.
 */
import { TroupeError, textOf } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Random } from '../ports/random.ts';
import { SimClock, type SimMachineClock } from './sim-clock.ts';
import type { SimDevice } from './sim-device.ts';
import { SimDisk } from './sim-disk.ts';
import type { SimEvent, SimOwner } from './sim-event-heap.ts';
import type { FaultPointHook } from './sim-fault-points.ts';
import type { SimRandom } from './sim-random.ts';
import { remotePort, type SynchronousNames } from './sim-remote.ts';
import type { SimScheduler } from './sim-scheduler.ts';

/** What a simulated program gets instead of the real world. */
export interface SimPorts {
  readonly name: string;
  /** 1 for the first life, then rising. */
  readonly incarnation: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  /** This life, for what has to know whether it goes on: the end of a connection, say. */
  readonly owner: SimOwner;
  /** To be awaited at each named fault point; it may be the last thing this life does. */
  readonly onFaultPoint: FaultPointHook;
  /** Lets the program use an engine that lives outside of the process and outlives it. */
  remote<Port extends object>(target: Port, synchronous?: SynchronousNames<Port>): Port;
}

/** What a boot function returns. */
export interface SimProgram {
  stop(): Promise<void>;
}

/** Starts a program on its ports. */
export type SimBoot<Program extends SimProgram> = (ports: SimPorts) => Promise<Program>;

/** How a process dies: alone, or with the power of its machine. */
export type SimCrashKind = 'kill' | 'power-loss';

/** What a process is made of. */
export interface SimProcessOptions<Program extends SimProgram> {
  readonly name: string;
  readonly boot: SimBoot<Program>;
  readonly device: SimDevice;
  readonly machineClock: SimMachineClock;
}

/** What the world lends to its processes. */
export interface SimProcessHost {
  readonly scheduler: SimScheduler;
  readonly random: SimRandom;
  readonly schedule: SimRandom;
  readonly network: SimRandom;
  faultPointHook(process: SimProcess): FaultPointHook;
  bootFailed(process: SimProcess, error: unknown): void;
}

/** A life that goes on although whoever looks after its process has begun another one elsewhere. */
export interface SimLeftLife {
  readonly owner: SimOwner;
  readonly incarnation: number;
  /** Freezes it. */
  pause(): void;
  /** Ends a pause. */
  resume(): void;
  /** Ends it. Harmless when it has ended. */
  end(): void;
}

/** How likely a caller reaches a life that was left behind, and not its successor. */
const leftAskedProbability = 0.4;

interface Life<Program> {
  readonly owner: SimOwner;
  readonly incarnation: number;
  program: Program | undefined;
  /** Calls from outside that wait for an answer of this life. */
  readonly calls: Set<(error: TroupeError) => void>;
}

/** A process that can be crashed, paused and started again. */
export class SimProcess<Program extends SimProgram = SimProgram> {
  readonly name: string;
  readonly device: SimDevice;
  readonly machineClock: SimMachineClock;
  readonly #host: SimProcessHost;
  readonly #boot: SimBoot<Program>;
  #life: Life<Program> | undefined;
  /** Lives that were left behind and have not ended. */
  readonly #left = new Set<Life<Program>>();
  readonly #luck: SimRandom;
  #incarnation = 0;
  #restart: SimEvent | undefined;

  constructor(host: SimProcessHost, options: SimProcessOptions<Program>) {
    this.#host = host;
    this.#boot = options.boot;
    this.name = options.name;
    this.device = options.device;
    this.machineClock = options.machineClock;
    this.#luck = host.network.fork(`${options.name}/asked`);
  }

  /** The running program; absent while the process is down or still starting. */
  get program(): Program | undefined {
    return this.#life?.program;
  }

  /** Whether it was started and has not crashed since. */
  get isAlive(): boolean {
    return this.#life !== undefined;
  }

  get isPaused(): boolean {
    return this.#life?.owner.isPaused === true;
  }

  /** The number of the newest life; 0 before the first. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** Whether a life goes on: the newest one, or one that was left behind. */
  isLiving(incarnation: number): boolean {
    if (this.#life?.incarnation === incarnation) return true;
    return [...this.#left].some(each => each.incarnation === incarnation);
  }

  /** How many lives were left behind and have not ended. */
  get leftCount(): number {
    return this.#left.size;
  }

  /** Begins a new life after a virtual time. Harmless while one is going on. */
  start(delayMs = 0): void {
    if (this.#life !== undefined || this.#restart !== undefined) return;
    this.#restart = this.#host.scheduler.schedule({
      delayMs,
      kind: 'start',
      task: () => {
        this.#restart = undefined;
        this.#beginLife();
      },
    });
  }

  /** Ends the life at once. Harmless when there is none. */
  crash(kind: SimCrashKind): void {
    const life = this.#life;
    if (kind === 'power-loss') this.device.losePower();
    if (life === undefined) return;
    this.#life = undefined;
    this.#end(life, kind);
  }

  /**
   * Lets the program that is running go on by itself, so that another life can begin beside it:
   * on another machine, where nobody can tell whether this one is dead. Who calls may still reach
   * it. Absent when no program is running.
   */
  leaveBehind(): SimLeftLife | undefined {
    const life = this.#life;
    if (life?.program === undefined) return undefined;
    const { owner, incarnation } = life;
    this.#life = undefined;
    this.#left.add(life);
    return {
      owner,
      incarnation,
      pause: () => {
        owner.isPaused = true;
      },
      resume: () => this.#resume(owner),
      end: () => {
        if (this.#left.delete(life)) this.#end(life, 'kill');
      },
    };
  }

  /** Freezes the process: nothing of it runs, and what comes due waits. */
  pause(): void {
    if (this.#life !== undefined) this.#life.owner.isPaused = true;
  }

  /** Ends a pause; all that came due meanwhile runs now. */
  resume(): void {
    if (this.#life !== undefined) this.#resume(this.#life.owner);
  }

  /** Stops the program in good order, then ends the life. */
  async stop(): Promise<void> {
    const life = this.#life;
    if (life?.program === undefined) return;
    await this.call('stop', program => program.stop());
    if (this.#life === life) this.crash('kill');
  }

  /**
   * Lets the program do something for the world outside, as a client on another machine would.
   *
   * @remarks The request and the answer are events of their own, so the answer of a life that ended
   * meanwhile does not arrive.
   * @throws `NODE_UNREACHABLE`: `not-executed` when no program is running, `unknown` when it
   * crashed before it answered. What the program throws is passed on.
   */
  call<Result>(name: string, task: (program: Program) => Promise<Result>): Promise<Result> {
    const life = this.#lifeAsked();
    if (life?.program === undefined) return Promise.reject(this.#unreachable('not-executed'));
    const { owner, calls } = life;
    const { scheduler } = this.#host;
    return new Promise((resolve, reject) => {
      const lose = (error: TroupeError) => {
        calls.delete(lose);
        scheduler.schedule({ delayMs: 0, kind: `${name}-lost`, task: () => reject(error) });
      };
      calls.add(lose);
      const answer = (settle: () => void) => {
        if (!owner.isAlive || !calls.delete(lose)) return;
        scheduler.schedule({ delayMs: 0, kind: `${name}-answer`, task: settle });
      };
      const run = async () => {
        const program = life.program;
        if (program === undefined) return;
        try {
          const result = await task(program);
          answer(() => resolve(result));
        } catch (error) {
          answer(() => reject(error));
        }
      };
      scheduler.schedule({ delayMs: 0, kind: name, owner, task: () => void run() });
    });
  }

  /** Callers do not know that there are two, and reach now the one, now the other. */
  #lifeAsked(): Life<Program> | undefined {
    const life = this.#life;
    if (this.#left.size === 0) return life;
    const isLeftAsked = life?.program === undefined || this.#luck.chance(leftAskedProbability);
    return isLeftAsked ? this.#luck.pick([...this.#left]) : life;
  }

  #resume(owner: SimOwner): void {
    if (!owner.isAlive || !owner.isPaused) return;
    owner.isPaused = false;
    this.#host.scheduler.release(owner);
  }

  #end({ owner, calls }: Life<Program>, kind: SimCrashKind): void {
    owner.isAlive = false;
    owner.held.length = 0;
    if (kind === 'kill') this.device.ownerDied(owner);
    this.#host.scheduler.trace.add(this.#host.scheduler.nowMs, kind, owner.label);
    for (const lose of [...calls]) lose(this.#unreachable('unknown'));
  }

  #beginLife(): void {
    this.#incarnation++;
    const incarnation = this.#incarnation;
    const owner: SimOwner = {
      label: `${this.name}#${incarnation}`,
      isAlive: true,
      isPaused: false,
      held: [],
    };
    const life: Life<Program> = { owner, incarnation, program: undefined, calls: new Set() };
    this.#life = life;
    // As an event of its own, so that what the program does first is traced as its own.
    this.#host.scheduler.schedule({
      delayMs: 0,
      kind: 'boot',
      owner,
      task: () => void this.#bootInto(life),
    });
  }

  async #bootInto(life: Life<Program>): Promise<void> {
    try {
      const program = await this.#boot(this.#ports(life));
      if (life.owner.isAlive) life.program = program;
    } catch (error) {
      if (!life.owner.isAlive) return;
      this.crash('kill');
      this.#host.bootFailed(this, error);
    }
  }

  #ports(life: Life<Program>): SimPorts {
    const { scheduler, random, schedule, network } = this.#host;
    const { owner, incarnation } = life;
    return {
      name: this.name,
      incarnation,
      clock: new SimClock({ scheduler, machine: this.machineClock, owner, random: schedule }),
      random: random.fork(owner.label),
      disk: new SimDisk({ device: this.device, scheduler, owner }),
      owner,
      onFaultPoint: this.#host.faultPointHook(this),
      remote: (target, synchronous) =>
        remotePort(target, { scheduler, owner, random: network.fork(owner.label) }, synchronous),
    };
  }

  #unreachable(outcome: 'not-executed' | 'unknown'): TroupeError {
    return new TroupeError('NODE_UNREACHABLE', {
      detail: `the simulated process ${this.name} is down`,
      outcome,
    });
  }
}

/** What a boot failure looks like to people. */
export function bootFailureText(process: SimProcess, error: unknown): string {
  return `${process.name}#${process.incarnation} did not start: ${textOf(error)}`;
}
