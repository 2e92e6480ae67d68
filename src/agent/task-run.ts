/**
 * One run of a task in memory. The function runs from the top; every effect it asks for is looked
 * up by its identity first, so what was recorded stands in for what was done. Outcomes are recorded
 * in the same record as the next intent, or at the end of the tick, and nothing that stands on one
 * leaves before.
 */
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import { encodeValue } from '../state/codec.ts';
import { hexHash } from '../state/hash.ts';
import type { Op, SignalEntry, StoredReply } from '../state/record.ts';
import type { Effect, EffectKind, Run } from '../state/runs.ts';
import { actionOf } from './action.ts';
import type { Activation } from './activation.ts';
import { keyOf } from './administration-reads.ts';
import { failureOf, withOutcome } from './failure.ts';
import type { Implementation } from './implementation.ts';
import type { Resolution } from './run-types.ts';
import { parseWith } from './schema.ts';
import { TaskContext } from './task-context.ts';

/** The outcome of an effect. */
export type EffectOutcome = NonNullable<Effect['outcome']>;

/** What a task waits for. */
interface Wait {
  readonly effect: Effect;
  /** The outcome when time is up. */
  readonly onDue: EffectOutcome | undefined;
  resolve(outcome: EffectOutcome | 'retry'): void;
}

/** An effect that a task asks for. */
export interface Claim {
  readonly identity: string;
  readonly kind: EffectKind;
  readonly name: string;
  readonly fingerprint: string;
  /** What is recorded of it. */
  readonly effect: Effect | undefined;
}

/** What a task run is made of. */
export interface TaskRunOptions {
  readonly activation: Activation;
  readonly implementation: Implementation;
  readonly run: Run;
  readonly isResumed: boolean;
}

/** One run. */
export class TaskRun {
  readonly activation: Activation;
  readonly run: Run;
  readonly #options: TaskRunOptions;
  readonly #waits = new Map<string, Wait>();
  readonly #claimed = new Map<string, number>();
  readonly #running = new Set<string>();
  readonly #chunksBefore: number;
  readonly #controller = new AbortController();
  #buffer: { op: Op; done: (() => void) | undefined }[] = [];
  #isFlushing = false;
  #busy = 0;
  #place = 0;
  #writes = 0;
  #now: number;
  #isOver = false;

  constructor(options: TaskRunOptions) {
    this.#options = options;
    this.activation = options.activation;
    this.run = options.run;
    this.#now = options.run.startedAt;
    this.#chunksBefore = options.run.chunksDropped + options.run.chunks.length;
  }

  /** Whether nothing goes on but waiting. */
  get isWaiting(): boolean {
    return this.#waits.size > 0 && this.#busy === 0 && this.#buffer.length === 0;
  }

  get abortSignal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The time of the last outcome that the task has seen. */
  get now(): number {
    return this.#now;
  }

  /** Runs the task from the top. */
  start(): void {
    const { run, activation } = this;
    const context = new TaskContext(this);
    const handler = this.#options.implementation.handlers[run.action] as (
      context: unknown,
      input: unknown,
    ) => unknown;
    const input = copyValue(run.input, `${activation.address}.${run.action}: input`);
    const startedAt = activation.host.clock.monotonic();
    Promise.resolve()
      .then(() => handler(context, input))
      .then(value => this.#reply(value))
      .catch(thrown => this.#failure(thrown))
      .then(reply => this.#end(reply, startedAt));
  }

  /**
   * Finds an effect by its identity. Steps are found by name, the rest by place; a key replaces
   * either.
   */
  claim(kind: EffectKind, name: string, input: unknown, key: string | undefined): Claim {
    this.checkLive();
    const fingerprint = hexHash(encodeValue([name, input]));
    const base = kind === 'step' ? `step ${name}` : '';
    const identity = key === undefined ? this.#nextIdentity(base) : `${base} "${key}"`;
    const effect = this.run.effects.get(identity);
    if (effect !== undefined && (effect.kind !== kind || effect.fingerprint !== fingerprint)) {
      throw new TroupeError('STEP_MISMATCH', {
        detail: `run ${this.run.id} of ${this.activation.address}.${this.run.action} has recorded the ${effect.kind} "${effect.name}" in the place "${identity.trim()}", and the code now asks for the ${kind} "${name}"${effect.kind === kind && effect.name === name ? ' with another input' : ''}`,
      });
    }
    return { identity, kind, name, fingerprint, effect };
  }

  /** Marks a claim as going on; a name at work needs keys to be used again at once. */
  enter(claim: Claim, key: string | undefined): void {
    const mark = claim.kind === 'step' && key === undefined ? `step ${claim.name}` : claim.identity;
    if (this.#running.has(mark)) {
      throw new TroupeError('INVALID_INPUT', {
        detail: `${this.activation.address}.${this.run.action}: "${claim.name}" is going on already; give each its own key`,
        outcome: 'rolled-back',
      });
    }
    this.#running.add(mark);
    this.#busy += 1;
  }

  leave(claim: Claim, key: string | undefined): void {
    this.#running.delete(
      claim.kind === 'step' && key === undefined ? `step ${claim.name}` : claim.identity,
    );
    this.#busy -= 1;
  }

  /** Records that an effect is about to begin; resolves when that is accepted. */
  async announce(claim: Claim, attempts: number): Promise<void> {
    const { incarnation } = this.activation.host;
    await this.commit([this.effectOp(claim, { status: 'intent', by: incarnation, attempts })]);
    this.activation.host.faultPoint('task.intent-recorded', 'after-durable');
  }

  /** The operation that says how an effect stands. */
  effectOp(claim: Claim, change: Partial<Effect>): Op {
    const { kind, name, fingerprint, effect } = claim;
    return [
      'effect',
      this.run.id,
      claim.identity,
      { attempts: effect?.attempts ?? 1, kind, name, fingerprint, status: 'intent', ...change },
    ];
  }

  /**
   * Takes down an outcome, and tells the task. It is recorded with the next intent, or at the end
   * of the tick.
   */
  conclude<T>(claim: Claim, outcome: EffectOutcome, more: readonly Op[] = []): T {
    const at = this.activation.host.clock.now();
    for (const op of more) this.#enqueue(op, undefined);
    this.#enqueue(this.effectOp(claim, { status: 'done', outcome, at }), undefined);
    return this.tell(outcome, at) as T;
  }

  /** What a recorded outcome means to the task: its value, or its error thrown. */
  tell(outcome: EffectOutcome | undefined, at: number | undefined): unknown {
    if (at !== undefined && at > this.#now) this.#now = at;
    if (outcome?.[0] === 'error') throw TroupeError.from(outcome[1]);
    return copyValue(
      outcome?.[1],
      `${this.activation.address}.${this.run.action}: a recorded outcome`,
    );
  }

  /** Records operations, with all outcomes that wait to be recorded before them. */
  commit(ops: readonly Op[]): Promise<void> {
    this.checkLive();
    const buffered = this.#buffer;
    this.#buffer = [];
    if (buffered.length + ops.length === 0) return Promise.resolve();
    this.#busy += 1;
    const all = [...buffered.map(entry => entry.op), ...ops];
    return this.activation.record(all).then(() => {
      this.#busy -= 1;
      for (const entry of buffered) entry.done?.();
      return this.#isOver ? never() : undefined;
    });
  }

  /** Nothing of an effect goes on but waiting. */
  pauseBegins(): void {
    this.#busy -= 1;
  }

  pauseEnds(): void {
    this.#busy += 1;
  }

  /** Waits for a signal, for time, or for a person. */
  wait(
    claim: Claim,
    dueAt: number | undefined,
    onDue: EffectOutcome | undefined,
  ): Promise<EffectOutcome | 'retry'> {
    return new Promise(resolve => {
      const effect: Effect = {
        kind: claim.kind,
        name: claim.name,
        fingerprint: claim.fingerprint,
        status: 'intent',
        attempts: 1,
        dueAt,
      };
      this.#waits.set(claim.identity, { effect, onDue, resolve });
    });
  }

  /** A chunk of the stream; those of an earlier life of the run are not written again. */
  write(chunk: unknown): void {
    this.checkLive();
    const offset = this.#writes;
    this.#writes += 1;
    if (offset < this.#chunksBefore) return;
    const { contract, tasks } = this.activation;
    const place = `${contract.type}.${this.run.action} chunk`;
    const copy = copyValue(
      parseWith(actionOf(contract, this.run.action).stream, chunk, place, 'OUTPUT_INVALID'),
      place,
    );
    this.#enqueue(['chunk', this.run.id, copy, contract.limits.chunksMax], () =>
      tasks.streams.changed(this.run.id),
    );
  }

  /** The task is told what time it is: waits that are over end. */
  onTime(now: number): void {
    for (const [identity, wait] of this.#waits) {
      const { effect, onDue } = wait;
      if (effect.dueAt === undefined || effect.dueAt > now) continue;
      this.#waits.delete(identity);
      const outcome = onDue ?? (['ok', undefined] as const);
      this.commit([
        ['effect', this.run.id, identity, { ...effect, status: 'done', outcome, at: now }],
      ]).then(() => this.#resume(wait, outcome, now), ignoreEnded);
    }
  }

  /** Gives a signal to a wait for it. */
  takeSignal(
    entry: SignalEntry,
  ): { readonly ops: Op[]; readonly delivered: () => void } | undefined {
    for (const [identity, wait] of this.#waits) {
      if (wait.effect.kind !== 'waitFor' || wait.effect.name !== entry.name) continue;
      this.#waits.delete(identity);
      const at = this.activation.host.clock.now();
      const outcome = ['ok', entry.data] as const;
      return {
        ops: [['effect', this.run.id, identity, { ...wait.effect, status: 'done', outcome, at }]],
        delivered: () => this.#resume(wait, outcome, at),
      };
    }
    return undefined;
  }

  /** Takes a person's word about a step that was cut off. */
  resolve(
    step: string,
    key: string | undefined,
    resolution: Resolution,
  ): { readonly ops: Op[]; readonly delivered: () => void } {
    for (const [identity, effect] of this.run.effects) {
      if (effect.status !== 'asking' || effect.name !== step) continue;
      if (key !== undefined && keyOf(identity) !== key) continue;
      return this.#resolution(identity, effect, resolution);
    }
    throw new TroupeError('INVALID_INPUT', {
      detail: `no step "${step}" of run ${this.run.id} waits for a person`,
    });
  }

  /** Stops the run for good: what it asks for from now on fails with `error`. */
  abort(error: TroupeError): void {
    this.#isOver = true;
    this.#controller.abort(error);
  }

  /** Lets go of the run; a later life goes on. */
  close(): void {
    this.#isOver = true;
    this.#waits.clear();
  }

  /** Refuses what a run that is over still asks for. */
  checkLive(): void {
    if (!this.#isOver) return;
    const { reason } = this.#controller.signal;
    if (TroupeError.is(reason)) throw reason;
    throw new TroupeError('CANCELLED', {
      detail: `run ${this.run.id} goes on elsewhere`,
      outcome: 'unknown',
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  #resolution(
    identity: string,
    effect: Effect,
    resolution: Resolution,
  ): { ops: Op[]; delivered: () => void } {
    const wait = this.#waits.get(identity);
    this.#waits.delete(identity);
    const at = this.activation.host.clock.now();
    if (resolution === 'retry') {
      const again: Effect = {
        ...effect,
        status: 'intent',
        by: 'nobody',
        attempts: effect.attempts,
      };
      return {
        ops: [['effect', this.run.id, identity, again]],
        delivered: () => wait?.resolve('retry'),
      };
    }
    const outcome: EffectOutcome =
      resolution === 'fail'
        ? ['error', stepUnknown(this, effect.name).toValue()]
        : ['ok', resolution.value];
    return {
      ops: [['effect', this.run.id, identity, { ...effect, status: 'done', outcome, at }]],
      delivered: () => (wait === undefined ? undefined : this.#resume(wait, outcome, at)),
    };
  }

  #resume(wait: Wait, outcome: EffectOutcome, at: number): void {
    if (this.#isOver) return;
    if (at > this.#now) this.#now = at;
    wait.resolve(outcome);
  }

  #nextIdentity(base: string): string {
    if (base === '') {
      this.#place += 1;
      return `#${this.#place}`;
    }
    const occurrence = (this.#claimed.get(base) ?? 0) + 1;
    this.#claimed.set(base, occurrence);
    return `${base} #${occurrence}`;
  }

  #enqueue(op: Op, done: (() => void) | undefined): void {
    this.#buffer.push({ op, done });
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.activation.host.clock.defer(() => {
      this.#isFlushing = false;
      if (!this.#isOver) this.commit([]).catch(ignoreEnded);
    });
  }

  #reply(value: unknown): StoredReply {
    const { address, contract, image } = this.activation;
    const shape = actionOf(contract, this.run.action);
    const place = `${contract.type}.${this.run.action} output`;
    const output =
      shape.output === undefined
        ? undefined
        : copyValue(
            parseWith(shape.output, value, place, 'OUTPUT_INVALID'),
            `${address}: ${place}`,
          );
    return ['ok', output, image?.version ?? 0];
  }

  #failure(thrown: unknown): StoredReply | TroupeError {
    const error = failureOf(thrown, `${this.activation.address}.${this.run.action}`);
    if (error.code === 'STEP_MISMATCH' && this.#options.isResumed) return error;
    return ['error', withOutcome(error, 'executed').toValue(), this.activation.image?.version ?? 0];
  }

  #end(reply: StoredReply | TroupeError, startedAt: number): void {
    if (this.#isOver) return;
    const { tasks, host } = this.activation;
    if (TroupeError.is(reply)) {
      tasks.stuck(this.run.id, reply);
      return;
    }
    host.observeRun(this.activation.contract.type, this.run.action, startedAt, reply[0] === 'ok');
    this.commit([['ended', this.run.id, reply]]).then(
      () => tasks.ended(this.run.id, reply),
      error => this.#endFailed(error),
    );
  }

  /** The end could not be recorded because it is too large: that is how the run ends, then. */
  #endFailed(error: unknown): void {
    if (!TroupeError.is(error) || error.code !== 'PAYLOAD_TOO_LARGE' || this.activation.isEnded)
      return;
    const reply: StoredReply = [
      'error',
      withOutcome(error, 'executed').toValue(),
      this.activation.image?.version ?? 0,
    ];
    this.activation
      .record([['ended', this.run.id, reply]])
      .then(() => this.activation.tasks.ended(this.run.id, reply), ignoreEnded);
  }
}

/** The error of a step of which nobody knows whether it took effect. */
export function stepUnknown(task: TaskRun, name: string): TroupeError {
  return new TroupeError('STEP_UNKNOWN', {
    detail: `step "${name}" of run ${task.run.id} (${task.activation.address}.${task.run.action}) was cut off, and nobody knows whether it took effect`,
  });
}

/** A promise for a run that goes on elsewhere: what awaits it ends with this process. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** The activation has ended; its next life goes on. */
function ignoreEnded(): void {}
