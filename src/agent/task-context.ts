/**
 * What a task sees and may ask for. Each effect is announced or recorded by its {@link TaskRun}.
 */
import { type Duration, durationMs } from '../core/duration.ts';
import type { Reply, TraceContext } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import { readOnlyView } from '../state/draft.ts';
import { hexHash } from '../state/hash.ts';
import type { Op } from '../state/record.ts';
import type { Logger } from '../telemetry/logger.ts';
import { actionOf } from './action.ts';
import { isThenable } from './answer.ts';
import { checkNames } from './call-options.ts';
import type { Contract } from './contract.ts';
import type { Claim, EffectOutcome } from './effects.ts';
import { failureOf } from './failure.ts';
import { ownItem } from './own-item.ts';
import { copyPayload } from './payload.ts';
import { checkOutbox } from './quotas.ts';
import { type InnerCall, type InnerReference, innerReference } from './reference.ts';
import { sendOps } from './seal.ts';
import { type SendingOptions, sendingOf } from './sending.ts';
import { runStep, type StepBody, type StepOptions } from './step.ts';
import { suggestionFor } from './suggest.ts';
import { never, type TaskRun } from './task-run.ts';
import { addOp, type TurnContext } from './turn-context.ts';

interface Keyed {
  readonly key?: string | undefined;
}

interface WaitOptions extends Keyed {
  readonly timeout?: Duration | undefined;
  readonly default?: unknown;
}

type SendOptions = SendingOptions & Keyed;

const keyNames = ['key'];
const waitNames = ['timeout', 'default', 'key'];

/** The context of a task. */
export class TaskContext {
  readonly #task: TaskRun;
  #draws = 0;

  constructor(task: TaskRun) {
    this.#task = task;
  }

  get key(): string {
    return this.#task.agent.key;
  }

  get address(): string {
    return this.#task.agent.address;
  }

  get runId(): string {
    return this.#task.run.id;
  }

  get caller(): string | undefined {
    return this.#task.run.caller;
  }

  get correlationId(): string {
    return this.#task.run.correlationId;
  }

  get trace(): TraceContext | undefined {
    return undefined;
  }

  get logger(): Logger {
    return this.#task.agent.logger;
  }

  get abortSignal(): AbortSignal {
    return this.#task.abortSignal;
  }

  get state(): unknown {
    return readOnlyView(this.#task.run.state, this.address);
  }

  now(): number {
    return this.#task.now;
  }

  random(): number {
    this.#draws += 1;
    return (
      Number.parseInt(hexHash(Buffer.from(`${this.runId} ${this.#draws}`)).slice(0, 12), 16) /
      2 ** 48
    );
  }

  step(name: string, input: unknown, body: StepBody, options: StepOptions = {}): Promise<unknown> {
    const task = this.#task;
    const copy = copyValue(input, `${task.place}: input of step "${name}"`);
    return runStep(task, { name, input: copy, body, options });
  }

  async update(change: (turn: TurnContext) => unknown, options: Keyed = {}): Promise<unknown> {
    const task = this.#task;
    checkNames(options, keyNames, `${task.place}: ctx.update`);
    const { key } = options;
    const claim = task.claim({ kind: 'update', name: 'update', input: undefined, key });
    if (claim.effect?.status === 'done') return task.tell(claim.effect.outcome, claim.effect.at);
    task.enter(claim);
    task.flush();
    const { outcome, at } = await this.#exclusively(claim, change);
    task.leave(claim);
    return at === undefined ? task.conclude(claim, outcome) : task.tell(outcome, at);
  }

  send(
    contract: Contract,
    key: string,
    action: string,
    ...[input, options = {}]: [input?: unknown, options?: SendOptions]
  ): void {
    const task = this.#task;
    const { agent, run } = task;
    const sending = sendingOf(agent, { contract, key, action, input, options });
    const name = `${contract.type}/${key}.${action}`;
    const claim = task.claim({ kind: 'send', name, input: sending.input, key: options.key });
    if (claim.effect?.status === 'done' || agent.image === undefined) return;
    checkOutbox(agent, 1);
    const at = agent.host.clock.now();
    const effect = task.effectOp(claim, { status: 'done', outcome: ['ok', undefined], at });
    const cause = { correlationId: run.correlationId, trace: undefined };
    task.commit([effect, ...sendOps(agent.image, [sending], cause, agent.host)]).then(
      () => agent.sendFromMemory([sending], cause),
      () => undefined,
    );
  }

  async waitFor(signal: string, options: WaitOptions = {}): Promise<unknown> {
    const task = this.#task;
    const { contract, host } = task.agent;
    if (!Object.hasOwn(contract.signals, signal)) {
      throw new TroupeError('ACTION_NOT_DEFINED', {
        detail: `${contract.type} has no signal "${signal}"; it has ${Object.keys(contract.signals).join(', ') || 'none'}${suggestionFor(signal, Object.keys(contract.signals))}`,
      });
    }
    checkNames(options, waitNames, `${task.place}: ctx.waitFor`);
    const spanMs = spanOf(options.timeout, `${task.place}: the timeout of ctx.waitFor`);
    const otherwise = copyPayload(options.default, contract, `${task.place}: a default`);
    const { key } = options;
    const claim = task.claim({ kind: 'waitFor', name: signal, input: undefined, key });
    if (claim.effect?.status === 'done') return task.tell(claim.effect.outcome, claim.effect.at);
    const early = this.#earlySignal(claim, signal);
    if (early === undefined) return this.#await(claim, spanMs, ['ok', otherwise]);
    await task.commit(early.ops);
    return task.tell(early.outcome, host.clock.now());
  }

  async sleep(span: Duration, options: Keyed = {}): Promise<void> {
    const task = this.#task;
    const spanMs = durationMs(span, `${task.place}: the span of ctx.sleep`);
    checkNames(options, keyNames, `${task.place}: ctx.sleep`);
    const { key } = options;
    const claim = task.claim({ kind: 'sleep', name: String(span), input: undefined, key });
    if (claim.effect?.status === 'done') task.tell(claim.effect.outcome, claim.effect.at);
    else await this.#await(claim, spanMs, ['ok', undefined]);
  }

  write(chunk: unknown): void {
    this.#task.write(chunk);
  }

  get(contract: Contract, key: string): InnerReference {
    return innerReference(contract, key, call => this.#call(call));
  }

  async #await(claim: Claim, spanMs: number | undefined, onDue: EffectOutcome): Promise<unknown> {
    const task = this.#task;
    const { host } = task.agent;
    const endsAt = spanMs === undefined ? undefined : host.clock.now() + spanMs;
    const dueAt = claim.effect === undefined ? endsAt : claim.effect.dueAt;
    const ending = task.wait(claim, dueAt, onDue);
    if (claim.effect === undefined) {
      await task.commit([task.effectOp(claim, dueAt === undefined ? {} : { dueAt })]);
    }
    task.agent.rearm();
    const end = await ending;
    return end === 'retry' ? undefined : task.tell(end.outcome, end.at);
  }

  #earlySignal(claim: Claim, signal: string): { ops: Op[]; outcome: EffectOutcome } | undefined {
    const task = this.#task;
    const { image, host } = task.agent;
    const entry = image?.signals?.find(
      ({ name, runId }) => name === signal && (runId === undefined || runId === task.run.id),
    );
    if (entry === undefined) return undefined;
    const outcome = ['ok', entry.data] as const;
    const effect = task.effectOp(claim, { status: 'done', outcome, at: host.clock.now() });
    return { ops: [['unsignal', entry.id], effect], outcome };
  }

  /** Runs a change as a turn of its own, whose record also says that it was done. */
  #exclusively(claim: Claim, change: (turn: TurnContext) => unknown): Promise<Updated> {
    const task = this.#task;
    const { agent, run } = task;
    const { host, address, contract } = agent;
    return new Promise(resolve => {
      let updated: Updated = { outcome: ['ok', undefined], at: undefined };
      const done = (turn: TurnContext, value: unknown) => {
        const copy = copyPayload(value, contract, `${task.place}: the result of an update`);
        updated = { outcome: ['ok', copy], at: host.clock.now() };
        addOp(turn, task.effectOp(claim, { status: 'done', ...updated }));
      };
      const work = (turn: TurnContext): unknown => {
        task.checkLive();
        const result = change(turn);
        if (isThenable(result)) return result.then(value => done(turn, value));
        return done(turn, result);
      };
      const settled = (error: TroupeError | undefined) => {
        if (task.isOver) return;
        resolve(
          error === undefined ? updated : { outcome: ['error', error.toValue()], at: undefined },
        );
      };
      const { correlationId, caller } = run;
      const options = { correlationId, caller, settled };
      host.enqueue(address, ownItem(agent, `${run.action}.update`, work, options));
    });
  }

  /** Calls another agent, as a step: an answer that was recorded is not asked for again. */
  async #call(call: InnerCall): Promise<Reply> {
    const task = this.#task;
    const { contract, key, action, input, stepKey } = call;
    const name = `${contract.type}/${key}.${action}`;
    const claim = task.claim({ kind: 'call', name, input, key: stepKey });
    const position = { epoch: 0, version: 0 };
    if (claim.effect?.status === 'done') {
      return { value: task.tell(claim.effect.outcome, claim.effect.at), ...position };
    }
    task.enter(claim);
    const isRead = actionOf(contract, action).kind === 'read';
    // Even a read may depend on outcomes, so nothing leaves before they are recorded.
    if (!isRead && claim.effect === undefined) await task.announce(claim, 1);
    else await task.commit([]);
    const outcome = await this.#delivered(call, claim, isRead);
    task.leave(claim);
    return { value: task.conclude(claim, outcome), ...position };
  }

  async #delivered(call: InnerCall, claim: Claim, isRead: boolean): Promise<EffectOutcome> {
    const task = this.#task;
    const { contract, key, action, input, priority, timeoutMs } = call;
    const { agent, run } = task;
    const isKeyed = !isRead && contract.consistency !== 'none';
    const message = {
      type: contract.type,
      key,
      action,
      input,
      priority,
      caller: agent.address,
      correlationId: run.correlationId,
      trace: undefined,
      wantsReply: true,
      timeoutMs: timeoutMs ?? (isRead ? undefined : Number.POSITIVE_INFINITY),
      guarantee: isKeyed ? 'exactly_once' : 'at_least_once',
      idempotencyKey: isKeyed ? `${run.id} ${claim.identity}` : undefined,
    } as const;
    try {
      const { value } = await agent.host.deliver(message);
      return task.isOver ? never() : ['ok', value];
    } catch (error) {
      return failedCall(task, error, `${contract.type}/${key}.${action}`);
    }
  }
}

/** The outcome of an update; without a time, it is not recorded yet. */
interface Updated {
  readonly outcome: EffectOutcome;
  readonly at: number | undefined;
}

/** Errors that say that this process stops: the next one calls again. */
const stopCodes: ReadonlySet<string> = new Set(['NODE_DRAINING', 'NOT_STARTED']);

function failedCall(task: TaskRun, thrown: unknown, place: string): EffectOutcome | Promise<never> {
  const error = TroupeError.is(thrown) ? thrown : failureOf(thrown, place);
  if (task.isOver || stopCodes.has(error.code)) return never();
  return ['error', error.toValue()];
}

function spanOf(span: Duration | undefined, place: string): number | undefined {
  return span === undefined ? undefined : durationMs(span, place);
}
