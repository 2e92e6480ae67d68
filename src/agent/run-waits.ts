/** What one run waits for: signals, points in time, and people. */
import { TroupeError } from '../core/errors.ts';
import type { SignalEntry } from '../state/entries.ts';
import type { Op } from '../state/record.ts';
import type { Effect, Run } from '../state/runs.ts';
import { keyOf } from './administration-reads.ts';
import type { Claim, EffectOutcome } from './effects.ts';
import type { RecordedAct } from './live-agent.ts';
import type { Resolution } from './run-types.ts';

/** How a wait ended: with an outcome, or with the word that a step is to be repeated. */
export type WaitEnd = { readonly outcome: EffectOutcome; readonly at: number } | 'retry';

interface Wait {
  readonly effect: Effect;
  /** The outcome when time is up. */
  readonly onDue: EffectOutcome;
  resolve(end: WaitEnd): void;
}

/** The waits of one run. */
export class RunWaits {
  readonly #run: Run;
  readonly #waits = new Map<string, Wait>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** How many there are. */
  get count(): number {
    return this.#waits.size;
  }

  /** Adds a wait; without `dueAt` it has no end of its own. */
  add(claim: Claim, dueAt: number | undefined, onDue: EffectOutcome): Promise<WaitEnd> {
    const { identity, kind, name, fingerprint } = claim;
    return new Promise(resolve => {
      const effect: Effect = { kind, name, fingerprint, status: 'intent', attempts: 1, dueAt };
      this.#waits.set(identity, { effect, onDue, resolve });
    });
  }

  /** Ends the waits whose time has come. */
  due(now: number): RecordedAct[] {
    const acts: RecordedAct[] = [];
    for (const [identity, wait] of this.#waits) {
      const { dueAt } = wait.effect;
      if (dueAt === undefined || dueAt > now || this.#isDone(identity)) continue;
      acts.push(this.#end(identity, wait.onDue, now));
    }
    return acts;
  }

  /** Gives a signal to a wait for it, if there is one. */
  takeSignal({ name, data }: SignalEntry, now: number): RecordedAct | undefined {
    for (const [identity, { effect }] of this.#waits) {
      if (effect.kind !== 'waitFor' || effect.name !== name || this.#isDone(identity)) continue;
      return this.#end(identity, ['ok', data], now);
    }
    return undefined;
  }

  /**
   * Takes a person's word about a step that was cut off.
   *
   * @throws `INVALID_INPUT` when no such step asks.
   */
  resolve(step: string, key: string | undefined, resolve: (effect: Effect) => Answer): RecordedAct {
    for (const [identity, effect] of this.#run.effects) {
      if (effect.status !== 'asking' || effect.name !== step) continue;
      if (key !== undefined && keyOf(identity) !== key) continue;
      return this.#answer(identity, effect, resolve(effect));
    }
    throw new TroupeError('INVALID_INPUT', {
      detail: `no step "${step}" of run ${this.#run.id} waits for a person`,
    });
  }

  /** Ends nothing any more. */
  clear(): void {
    this.#waits.clear();
  }

  #answer(identity: string, effect: Effect, answer: Answer): RecordedAct {
    if (answer !== 'retry') return this.#end(identity, answer.outcome, answer.at, effect);
    const again: Effect = { ...effect, status: 'intent', by: toBeRepeated };
    return {
      ops: [['effect', this.#run.id, identity, again]],
      delivered: () => this.#take(identity)?.resolve('retry'),
    };
  }

  #end(identity: string, outcome: EffectOutcome, at: number, recorded?: Effect): RecordedAct {
    const effect = recorded ?? this.#waits.get(identity)?.effect;
    const ops: Op[] =
      effect === undefined
        ? []
        : [['effect', this.#run.id, identity, { ...effect, status: 'done', outcome, at }]];
    return { ops, delivered: () => this.#take(identity)?.resolve({ outcome, at }) };
  }

  /** Whether the end of a wait is in a record that was made: until then, another may end it. */
  #isDone(identity: string): boolean {
    return this.#run.effects.get(identity)?.status === 'done';
  }

  #take(identity: string): Wait | undefined {
    const wait = this.#waits.get(identity);
    this.#waits.delete(identity);
    return wait;
  }
}

/** A person's answer, as an outcome, or the word to repeat the step. */
export type Answer = Exclude<WaitEnd, string> | Extract<Resolution, 'retry'>;

/** Stands for the process that began a step, when a person has said to begin it again. */
export const toBeRepeated = 'nobody';
