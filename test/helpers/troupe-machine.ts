/**
 * A machine in the simulator on which a node serves the agents of a test, on the embedded engine as
 * it is. Whoever crashes it gets a new life of it a moment later; callers outside try again.
 */
import type { AgentDefinition, ContractsIn, Troupe } from '../../src/client/troupe.ts';
import { TroupeError } from '../../src/core/errors.ts';
import { openEmbeddedLog } from '../../src/engines/embedded/log.ts';
import type { SimPorts, SimProcess, SimProgram } from '../../src/testing/sim-process.ts';
import { SimWorld } from '../../src/testing/sim-world.ts';
import { troupeOn } from './troupe-on.ts';

/** The machine. */
export interface TroupeMachine<T extends SimProgram> {
  readonly world: SimWorld;
  readonly process: SimProcess<T>;
  /**
   * Calls the node, again and again until one of its lives answers; agents' errors are passed on.
   */
  ask<Value>(question: (troupe: T) => Promise<Value>): Promise<Value>;
  /** Runs virtual time until the promise has settled, at most for so long. */
  until<Value>(promise: Promise<Value>, withinMs?: number): Promise<Value>;
  /** Lets virtual time pass. */
  pass(ms: number): Promise<void>;
  /** Runs virtual time until something is so. */
  reach(what: () => boolean): Promise<void>;
  /** Kills the process or cuts the power, and has it started again. */
  crash(kind: 'kill' | 'power-loss'): void;
}

const dayMs = 86_400_000;
const pauseMs = 200;

/** Starts a machine; the world must be closed. */
export function troupeMachine<const R extends readonly AgentDefinition[]>(
  seed: number,
  agents: R,
): TroupeMachine<Troupe<ContractsIn<R>>> & Disposable {
  const world = new SimWorld({ seed });
  const boot = async ({ clock, random, disk, onFaultPoint }: SimPorts) => {
    const log = await openEmbeddedLog({ disk, random, onFaultPoint });
    const { epoch, lineage } = log;
    const troupe = troupeOn({ agents, clock, random, log, epoch, lineage });
    await troupe.start();
    return troupe;
  };
  const process = world.addProcess({ name: 'node', boot });
  process.start();
  return {
    world,
    process,
    async ask(question) {
      while (true) {
        try {
          return await process.call('ask', question);
        } catch (error) {
          if (!isDown(error)) throw error;
          await world.scheduler.sleep(pauseMs);
        }
      }
    },
    async until(promise, withinMs = dayMs) {
      let isSettled = false;
      const mark = () => {
        isSettled = true;
      };
      promise.then(mark, mark);
      await world.run({ untilMs: world.nowMs + withinMs, isDone: () => isSettled });
      if (!isSettled) throw new Error(`nothing came within ${withinMs} ms`);
      return promise;
    },
    async reach(what) {
      await world.run({ untilMs: world.nowMs + dayMs, isDone: what });
      if (!what()) throw new Error(`it did not come within ${dayMs} ms`);
    },
    pass: ms => world.run({ untilMs: world.nowMs + ms }),
    crash: kind => world.crash(process, kind),
    [Symbol.dispose]: () => world.close(),
  };
}

/**
 * Whether the process was down, or stopped before it could answer: the next life is asked again.
 */
function isDown(error: unknown): boolean {
  return TroupeError.is(error) && ['NODE_UNREACHABLE', 'NOT_STARTED'].includes(error.code);
}
