/**
 * One run of a task in memory. The function runs from the top; every effect it asks for is looked
 * up by its identity first, so what was recorded stands in for what was done. Outcomes are recorded
 * in the same record as the next intent, or at the end of the tick, and nothing that stands on one
 * leaves before.
 */
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import type { SignalEntry, StoredReply } from '../state/entries.ts';
import type { Op } from '../state/record.ts';
import type { Effect, Run } from '../state/runs.ts';
import { sizeOf } from '../state/value-size.ts';
import { actionOf } from './action.ts';
import { type Claim, type EffectOutcome, type EffectRequest, Effects } from './effects.ts';
import { failureOf, withOutcome } from './failure.ts';
import type { Handler } from './implementation.ts';
import type { LiveAgent, RecordedAct } from './live-agent.ts';
import { copyPayload } from './payload.ts';
import type { Resolution } from './run-types.ts';
import { type Answer, RunWaits, type WaitEnd } from './run-waits.ts';
import { parseWith } from './schema.ts';

/** What a task run is made of. */
export interface TaskRunOptions {
  readonly agent: LiveAgent;
  readonly handler: Handler;
  readonly run: Run;
  readonly isResumed: boolean;
  /** Makes what the task is given. */
  contextOf(task: TaskRun): unknown;
}

/** What a record says of an effect. */
type EffectOp = Extract<Op, readonly ['effect', ...unknown[]]>;

/** An operation that waits to be recorded. */
interface Buffered {
  readonly op: Op;
  readonly done: (() => void) | undefined;
}

/** So much of the largest record is filled by joining outcomes; more get records of their own. */
const joinedShare = 0.25;

/** One run. */
export class TaskRun {
  readonly agent: LiveAgent;
  readonly run: Run;
  readonly #options: TaskRunOptions;
  readonly #effects: Effects;
  readonly #waits: RunWaits;
  readonly #chunksBefore: number;
  readonly #controller = new AbortController();
  #buffer: Buffered[] = [];
  #isFlushing = false;
  #recording = 0;
  #pauses = 0;
  #writes = 0;
  #now: number;
  #isOver = false;

  constructor(options: TaskRunOptions) {
    const { agent, run } = options;
    this.#options = options;
    this.agent = agent;
    this.run = run;
    this.#effects = new Effects(run, this.place, agent.contract.limits.effectsMax);
    this.#waits = new RunWaits(run);
    this.#now = run.startedAt;
    this.#chunksBefore = run.chunksDropped + run.chunks.length;
  }

  /** Names the action, for errors. */
  get place(): string {
    return `${this.agent.address}.${this.run.action}`;
  }

  /** Whether nothing goes on but waiting. */
  get isWaiting(): boolean {
    const isIdle = this.#recording === 0 && this.#buffer.length === 0;
    return isIdle && this.#waits.count > 0 && this.#effects.goingCount === this.#pauses;
  }

  get abortSignal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The time of the last outcome that the task has seen. */
  get now(): number {
    return this.#now;
  }

  /** Whether nothing of the run happens here any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Runs the task from the top. */
  start(): void {
    const { handler, contextOf } = this.#options;
    const startedAt = this.agent.host.clock.monotonic();
    Promise.resolve()
      .then(() => handler(contextOf(this), copyValue(this.run.input, `${this.place}: input`)))
      .then(value => this.#reply(value))
      .catch(thrown => this.#failure(thrown))
      .then(reply => this.#end(reply, startedAt), neverFails);
  }

  /** Finds an effect by its identity. */
  claim(request: EffectRequest): Claim {
    this.checkLive();
    return this.#effects.claim(request);
  }

  /** Marks a claim as going on. */
  enter(claim: Claim): void {
    this.#effects.enter(claim);
  }

  /** Marks a claim as over. */
  leave(claim: Claim): void {
    this.#effects.leave(claim);
  }

  /** Records that an effect is about to begin; resolves when that is accepted. */
  async announce(claim: Claim, attempts: number): Promise<void> {
    const { incarnation } = this.agent.host;
    await this.commit([this.effectOp(claim, { status: 'intent', by: incarnation, attempts })]);
    this.agent.host.faultPoint('task.intent-recorded', 'after-durable');
  }

  /** The operation that says how an effect stands. */
  effectOp(claim: Claim, change: Partial<Effect>): EffectOp {
    const { identity, kind, name, fingerprint, effect } = claim;
    const attempts = effect?.attempts ?? 1;
    const base = { attempts, kind, name, fingerprint, status: 'intent' } as const;
    return ['effect', this.run.id, identity, { ...base, ...change }];
  }

  /**
   * Takes down an outcome, and tells the task. It is recorded with the next intent, or at the end
   * of the tick; then `done` is called.
   */
  conclude(claim: Claim, outcome: EffectOutcome, done?: () => void): unknown {
    this.checkLive();
    const at = this.agent.host.clock.now();
    const op = this.effectOp(claim, { status: 'done', outcome, at });
    this.#effects.conclude(claim.identity, op[3]);
    const recorded = () => {
      this.#effects.recorded(claim.identity);
      done?.();
    };
    this.#enqueue({ op, done: recorded });
    return this.tell(outcome, at);
  }

  /** What a recorded outcome means to the task: its value, or its error thrown. */
  tell(outcome: EffectOutcome | undefined, at: number | undefined): unknown {
    if (at !== undefined && at > this.#now) this.#now = at;
    if (outcome?.[0] === 'error') throw TroupeError.from(outcome[1]);
    return copyValue(outcome?.[1], `${this.place}: a recorded outcome`);
  }

  /**
   * Records operations, behind all outcomes that wait to be recorded; resolves when everything up
   * to here is accepted. Never resolves when the run goes on elsewhere or cannot go on.
   */
  commit(ops: readonly Op[]): Promise<void> {
    this.checkLive();
    const buffered = this.#buffer;
    this.#buffer = [];
    if (buffered.length + ops.length === 0) return this.#whenAccepted();
    this.#recording += 1;
    return this.#record(buffered, ops).then(
      () => {
        this.#recording -= 1;
        for (const { done } of buffered) done?.();
        return this.#isOver ? never() : undefined;
      },
      error => this.#breakDown(error),
    );
  }

  /** Records what waits to be recorded, so that it stands before whatever is recorded next. */
  flush(): void {
    if (this.#buffer.length > 0 && !this.#isOver) this.commit([]).catch(neverFails);
  }

  /** Waits for a signal, for time, or for a person. */
  wait(claim: Claim, dueAt: number | undefined, onDue: EffectOutcome): Promise<WaitEnd> {
    return this.#waits.add(claim, dueAt, onDue);
  }

  /** Waits for a person; the step itself does not go on meanwhile. */
  async ask(claim: Claim): Promise<WaitEnd> {
    const answer = this.#waits.add(claim, undefined, ['ok', undefined]);
    this.#pauses += 1;
    if (claim.effect?.status !== 'asking') {
      await this.commit([this.effectOp(claim, { status: 'asking' })]);
    }
    const end = await answer;
    this.#pauses -= 1;
    return end;
  }

  /** A chunk of the stream; those of an earlier life of the run are not written again. */
  write(chunk: unknown): void {
    this.checkLive();
    const offset = this.#writes;
    this.#writes += 1;
    if (offset < this.#chunksBefore) return;
    const { contract, tasks } = this.agent;
    const place = `${contract.type}.${this.run.action} chunk`;
    const { stream } = actionOf(contract, this.run.action);
    const copy = copyPayload(parseWith(stream, chunk, place, 'OUTPUT_INVALID'), contract, place);
    const op: Op = ['chunk', this.run.id, copy, contract.limits.chunksMax];
    this.#enqueue({ op, done: () => tasks.streams.changed(this.run.id) });
  }

  /** The task is told what time it is: waits that are over end. */
  onTime(now: number): void {
    for (const act of this.#waits.due(now)) {
      this.commit(act.ops).then(() => act.delivered(), neverFails);
    }
  }

  /** Gives a signal to a wait for it. */
  takeSignal(entry: SignalEntry): RecordedAct | undefined {
    return this.#waits.takeSignal(entry, this.agent.host.clock.now());
  }

  /** Takes a person's word about a step that was cut off. */
  resolve(step: string, key: string | undefined, resolution: Resolution): RecordedAct {
    const at = this.agent.host.clock.now();
    return this.#waits.resolve(step, key, (effect): Answer => {
      if (resolution === 'retry') return 'retry';
      if (resolution === 'fail') {
        return { outcome: ['error', stepUnknown(this, effect.name).toValue()], at };
      }
      const place = `${this.place}: the value of step "${step}"`;
      return { outcome: ['ok', copyPayload(resolution.value, this.agent.contract, place)], at };
    });
  }

  /** Stops the run for good: what it asks for from now on fails with `error`. */
  abort(error: TroupeError): void {
    this.close();
    this.#controller.abort(error);
  }

  /** Lets go of the run; a later life goes on. */
  close(): void {
    this.#isOver = true;
    this.#waits.clear();
    this.#buffer = [];
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

  /** Everything that was recorded before is accepted. */
  #whenAccepted(): Promise<void> {
    return new Promise(resolve => {
      const accepted = () => (this.#isOver ? undefined : resolve());
      this.agent.committer?.whenAccepted({ accepted, failed: neverFails });
    });
  }

  async #record(buffered: readonly Buffered[], ops: readonly Op[]): Promise<void> {
    const { agent } = this;
    const joined = [...buffered.map(({ op }) => op), ...ops];
    const { recordBytesMax } = agent.host.log.capabilities;
    const max = joinedShare * Math.min(recordBytesMax, agent.contract.limits.stateBytesMax);
    if (buffered.length === 0 || sizeOf(joined, max) <= max) return agent.record(joined);
    const records = buffered.map(({ op }) => agent.record([op]));
    if (ops.length > 0) records.push(agent.record(ops));
    await Promise.all(records);
  }

  /** What the run did cannot be recorded: then it ends here, or goes on in a later life. */
  #breakDown(error: unknown): Promise<never> {
    if (!this.agent.isEnded && !this.#isOver) {
      const failure = failureOf(error, this.place);
      this.abort(failure);
      this.#recordEnd(this.#errorReply(failure));
    }
    return never();
  }

  #enqueue(buffered: Buffered): void {
    this.#buffer.push(buffered);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.agent.host.clock.defer(() => {
      this.#isFlushing = false;
      this.flush();
    });
  }

  #reply(value: unknown): StoredReply {
    const { contract, image } = this.agent;
    const shape = actionOf(contract, this.run.action);
    const place = `${contract.type}.${this.run.action} output`;
    const output =
      shape.output === undefined
        ? undefined
        : copyPayload(parseWith(shape.output, value, place, 'OUTPUT_INVALID'), contract, place);
    return ['ok', output, image?.version ?? 0];
  }

  #failure(thrown: unknown): StoredReply | TroupeError {
    const error = failureOf(thrown, this.place);
    if (error.code === 'STEP_MISMATCH' && this.#options.isResumed) return error;
    return this.#errorReply(error);
  }

  #errorReply(error: TroupeError): StoredReply {
    return ['error', withOutcome(error, 'executed').toValue(), this.agent.image?.version ?? 0];
  }

  #end(reply: StoredReply | TroupeError, startedAt: number): void {
    if (this.#isOver) return;
    const { tasks, host, contract } = this.agent;
    if (TroupeError.is(reply)) {
      tasks.stuck(this.run.id, reply);
      return;
    }
    host.observeRun(contract.type, this.run.action, startedAt, reply[0] === 'ok');
    this.commit([['ended', this.run.id, reply]]).then(
      () => tasks.ended(this.run.id, reply),
      neverFails,
    );
  }

  #recordEnd(reply: StoredReply): void {
    const { agent, run } = this;
    agent
      .record([['ended', run.id, reply]])
      .then(() => agent.tasks.ended(run.id, reply), neverFails);
  }
}

/** The error of a step of which nobody knows whether it took effect. */
export function stepUnknown(task: TaskRun, name: string): TroupeError {
  return new TroupeError('STEP_UNKNOWN', {
    detail: `step "${name}" of run ${task.run.id} (${task.place}) was cut off, and nobody knows whether it took effect`,
  });
}

/** A promise for a run that goes on elsewhere: what awaits it ends with this process. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** What fails here ended the activation; the next one goes on. */
function neverFails(): void {}
