/**
 * What a task asks for, told apart: each effect has an identity, by which a resumed run finds what
 * was recorded of it. Steps are found by name, the rest by place; a key replaces either.
 */
import { TroupeError } from '../core/errors.ts';
import { fingerprint } from '../state/fingerprint.ts';
import type { Effect, EffectKind, Run } from '../state/runs.ts';
import { checkKey } from './key-check.ts';

/** The outcome of an effect. */
export type EffectOutcome = NonNullable<Effect['outcome']>;

/** An effect that a task asks for. */
export interface Claim {
  readonly identity: string;
  readonly kind: EffectKind;
  readonly name: string;
  readonly fingerprint: string;
  /** Names it among what goes on; the name of a step, which needs keys to be used twice at once. */
  readonly mark: string;
  /** What was recorded of it. */
  readonly effect: Effect | undefined;
}

/** What an effect is found by. */
export interface EffectRequest {
  readonly kind: EffectKind;
  readonly name: string;
  readonly input: unknown;
  readonly key: string | undefined;
}

/** The effects of one run, as the task asks for them from the top. */
export class Effects {
  readonly #run: Run;
  /** Names the action, for errors. */
  readonly #place: string;
  readonly #effectsMax: number;
  readonly #occurrences = new Map<string, number>();
  readonly #going = new Set<string>();
  /** Effects that are done and not yet recorded. */
  readonly #concluded = new Map<string, Effect>();
  #count = 0;

  constructor(run: Run, place: string, effectsMax: number) {
    this.#run = run;
    this.#place = place;
    this.#effectsMax = effectsMax;
  }

  /**
   * Finds an effect.
   *
   * @throws `STEP_MISMATCH`, `QUOTA_EXCEEDED`, `INVALID_INPUT`
   */
  claim(request: EffectRequest): Claim {
    const { kind, name, input, key } = request;
    const print = fingerprint([name, input]);
    const identity = this.#identity(request);
    const effect = this.#concluded.get(identity) ?? this.#run.effects.get(identity);
    if (effect === undefined) this.#checkCount();
    else if (effect.kind !== kind || effect.fingerprint !== print) {
      throw this.#mismatch(identity, effect, request);
    }
    const mark = kind === 'step' && key === undefined ? `step ${name}` : identity;
    return { identity, kind, name, fingerprint: print, mark, effect };
  }

  /**
   * Marks an effect as going on.
   *
   * @throws `INVALID_INPUT` when one of the same name is, and has no key.
   */
  enter({ mark, name }: Claim): void {
    if (this.#going.has(mark)) {
      throw new TroupeError('INVALID_INPUT', {
        detail: `${this.#place}: "${name}" is going on already; give each its own key`,
        outcome: 'rolled-back',
      });
    }
    this.#going.add(mark);
  }

  /** Marks an effect as over. */
  leave({ mark }: Claim): void {
    this.#going.delete(mark);
  }

  /** An effect is done: who asks for it again is told so before it is recorded. */
  conclude(identity: string, effect: Effect): void {
    this.#concluded.set(identity, effect);
  }

  /** The end of an effect is recorded. */
  recorded(identity: string): void {
    this.#concluded.delete(identity);
  }

  /** How many go on. */
  get goingCount(): number {
    return this.#going.size;
  }

  #identity({ kind, name, key }: EffectRequest): string {
    const base = kind === 'step' ? `step ${name}` : '';
    if (key !== undefined) {
      checkKey(key, `${this.#place}: the key of ${kind} "${name}"`);
      return `${base} "${key}"`;
    }
    if (base === '') {
      this.#count += 1;
      return `#${this.#count}`;
    }
    const occurrence = (this.#occurrences.get(base) ?? 0) + 1;
    this.#occurrences.set(base, occurrence);
    return `${base} #${occurrence}`;
  }

  #checkCount(): void {
    if (this.#run.effects.size < this.#effectsMax) return;
    throw new TroupeError('QUOTA_EXCEEDED', {
      detail: `run ${this.#run.id} of ${this.#place} has recorded ${this.#run.effects.size} effects, as many as limits.effectsMax allows; go on in a run of its own`,
      outcome: 'rolled-back',
    });
  }

  #mismatch(identity: string, effect: Effect, { kind, name }: EffectRequest): TroupeError {
    const isInput = effect.kind === kind && effect.name === name;
    return new TroupeError('STEP_MISMATCH', {
      detail: `run ${this.#run.id} of ${this.#place} has recorded the ${effect.kind} "${effect.name}" in the place "${identity.trim()}", and the code now asks for the ${kind} "${name}"${isInput ? ' with another input' : ''}; give it another name or key, or let this run end on the code that began it`,
    });
  }
}
