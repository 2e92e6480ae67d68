/**
 * The notebook outside of Troupe: what the code of agents did to the world, written down the moment
 * it happens. A life that has ended writes nothing, as its effects never took place.
 */
import type { StepEvent } from './check-steps.ts';

/** A turn of an agent that lives in memory only. */
export interface MothNote {
  readonly agent: string;
  readonly incarnation: string;
  readonly life: number;
  readonly turns: number;
  readonly total: number;
  readonly command: string;
  readonly amount: number;
}

/** What is written down about agents, in one order with the operations of callers. */
export class Notebook {
  readonly steps: StepEvent[] = [];
  /** How often one life may run the body of a step, by idempotency key. */
  readonly attempts: Map<string, number> = new Map();
  /** In the order in which the turns ended. */
  readonly moths: MothNote[] = [];
  readonly #nextOrder: () => number;

  constructor(nextOrder: () => number) {
    this.#nextOrder = nextOrder;
  }

  /** The pages of one life of the process. */
  open(incarnation: string, isAlive: () => boolean): NotebookPages {
    return {
      incarnation,
      step: (kind, step, isOutdated) => {
        if (!isAlive()) return;
        const order = this.#nextOrder();
        this.steps.push({ kind, run: runOf(step), step, order, incarnation, isOutdated });
      },
      moth: note => {
        if (isAlive()) this.moths.push({ ...note, incarnation });
      },
      attempts: (step, count) => void this.attempts.set(step, count),
    };
  }
}

/** Where one life of the process writes. */
export interface NotebookPages {
  readonly incarnation: string;
  /** Something happened to the step with this idempotency key. */
  step(kind: StepEvent['kind'], step: string, isOutdated?: boolean): void;
  /** A moth has done something. */
  moth(note: Omit<MothNote, 'incarnation'>): void;
  /** The body of the step may be run so often for one intent. */
  attempts(step: string, count: number): void;
}

/** The run that a step belongs to: the first word of its idempotency key. */
export function runOf(step: string): string {
  return step.slice(0, step.indexOf(' '));
}
