/**
 * Named fault points: places in production code, between an effect and its confirmation, where a
 * crash is most telling. The code awaits a hook there; the simulator counts that the place was
 * reached and, as its seed decides, lets the process die in it.
 */
import type { SimRandom } from './sim-random.ts';

/** Where a fault point lies: the record is not on the device, may be, or is; or nothing changes. */
export type FaultBoundary = 'before-durable' | 'ambiguous' | 'after-durable' | 'read-only';

/** What production code awaits at a fault point. */
export type FaultPointHook = (name: string, boundary: FaultBoundary) => Promise<void>;

/** How often a fault point was reached, and how often the process died there. */
export interface FaultPointCount {
  readonly boundary: FaultBoundary;
  hits: number;
  fired: number;
}

/** Counts fault points and decides where to crash. */
export class SimFaultPoints {
  /** How likely a crash is at each passage; 0 switches all of them off. */
  crashProbability = 0;
  readonly #random: SimRandom;
  readonly #counts = new Map<string, FaultPointCount>();
  readonly #armed = new Map<string, number>();

  /** `known` fault points are listed even if they are never reached. */
  constructor(random: SimRandom, known: ReadonlyMap<string, FaultBoundary> = new Map()) {
    this.#random = random;
    for (const [name, boundary] of known) this.#counts.set(name, { boundary, hits: 0, fired: 0 });
  }

  /** Every fault point that is known or was reached, by name. */
  get counts(): ReadonlyMap<string, Readonly<FaultPointCount>> {
    return this.#counts;
  }

  /** Crashes the process that next passes this point for the `passage`-th time from now. */
  arm(name: string, passage = 1): void {
    this.#armed.set(name, passage);
  }

  /** A fault point was reached. Tells whether the process dies there. */
  pass(name: string, boundary: FaultBoundary): boolean {
    let count = this.#counts.get(name);
    if (count === undefined) {
      count = { boundary, hits: 0, fired: 0 };
      this.#counts.set(name, count);
    }
    count.hits++;
    const isDrawn = this.#random.chance(this.crashProbability);
    const isFired = this.#isArmed(name) || isDrawn;
    if (isFired) count.fired++;
    return isFired;
  }

  #isArmed(name: string): boolean {
    const passages = this.#armed.get(name);
    if (passages === undefined) return false;
    if (passages > 1) {
      this.#armed.set(name, passages - 1);
      return false;
    }
    this.#armed.delete(name);
    return true;
  }
}
