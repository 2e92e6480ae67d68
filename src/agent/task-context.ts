/**
 * What a task sees and may ask for. Each effect is announced or recorded by its {@link TaskRun}.
 */
import { type Duration, durationMs } from '../core/duration.ts';
import type { Priority, Reply, TraceContext } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import { readOnlyView } from '../state/draft.ts';
import { hexHash } from '../state/hash.ts';
import type { Op } from '../state/record.ts';
import type { Logger } from '../telemetry/logger.ts';
import { actionOf } from './action.ts';
import type { Contract } from './contract.ts';
import { failureOf } from './failure.ts';
import type { OutgoingMessage } from './host.ts';
import { ownItem } from './own-item.ts';
import { type InnerCall, type InnerReference, innerReference } from './reference.ts';
import { parseWith } from './schema.ts';
import { runStep, type StepBody, type StepOptions } from './step.ts';
import { suggestionFor } from './suggest.ts';
import { type Claim, type EffectOutcome, never, type TaskRun } from './task-run.ts';
import { addOp, type TurnContext } from './turn-context.ts';

interface Keyed {
  readonly key?: string | undefined;
}

interface WaitOptions extends Keyed {
  readonly timeout?: Duration | undefined;
  readonly default?: unknown;
}

interface SendOptions extends Keyed {
  readonly delivery?: OutgoingMessage['guarantee'] | undefined;
  readonly priority?: Priority | undefined;
}

/** The context of a task. */
export class TaskContext {
  readonly #task: TaskRun;
  #draws = 0;

  constructor(task: TaskRun) {
    this.#task = task;
  }

  get key(): string {
    return this.#task.activation.key;
  }

  get address(): string {
    return this.#task.activation.address;
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
    return this.#task.activation.logger;
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
    const copy = copyValue(
      input,
      `${this.address}.${this.#task.run.action}: input of step "${name}"`,
    );
    return runStep(this.#task, { name, input: copy, body, options });
  }

  async update(change: (turn: TurnContext) => unknown, options: Keyed = {}): Promise<unknown> {
    const task = this.#task;
    const claim = task.claim('update', 'update', undefined, options.key);
    if (claim.effect?.status === 'done') return task.tell(claim.effect.outcome, claim.effect.at);
    task.enter(claim, options.key ?? claim.identity);
    await task.commit([]);
    const outcome = await this.#exclusively(claim, change);
    task.leave(claim, options.key ?? claim.identity);
    if (outcome[0] === 'error') return task.conclude(claim, outcome);
    return task.tell(outcome, task.activation.host.clock.now());
  }

  send(
    contract: Contract,
    key: string,
    action: string,
    input?: unknown,
    options: SendOptions = {},
  ): void {
    const task = this.#task;
    const { activation } = task;
    const { type } = contract;
    const copy = copyValue(input, `${type}/${key}.${action}: input`);
    const shape = actionOf(contract, action);
    parseWith(shape.input, copy, `${type}.${action}`, 'INVALID_INPUT');
    const claim = task.claim('send', `${type}/${key}.${action}`, copy, options.key);
    if (claim.effect?.status === 'done') return;
    const guarantee =
      options.delivery ?? (contract.consistency === 'none' ? 'at_least_once' : 'exactly_once');
    const sending = {
      type,
      key,
      action,
      input: copy,
      guarantee,
      priority: options.priority ?? 'normal',
    } as const;
    const at = activation.host.clock.now();
    const effect = task.effectOp(claim, { status: 'done', outcome: ['ok', undefined], at });
    const cause = { correlationId: task.run.correlationId, trace: undefined };
    task.commit([effect, ...activation.promiseOps([sending], cause)]).then(
      () => activation.sent([sending], cause),
      () => undefined,
    );
  }

  async waitFor(signal: string, options: WaitOptions = {}): Promise<unknown> {
    const task = this.#task;
    const { contract, host } = task.activation;
    if (!Object.hasOwn(contract.signals, signal)) {
      throw new TroupeError('ACTION_NOT_DEFINED', {
        detail: `${contract.type} has no signal "${signal}"${suggestionFor(signal, Object.keys(contract.signals))}`,
      });
    }
    const claim = task.claim('waitFor', signal, undefined, options.key);
    if (claim.effect?.status === 'done') return task.tell(claim.effect.outcome, claim.effect.at);
    const early = this.#earlySignal(claim, signal);
    if (early !== undefined) {
      await task.commit(early.ops);
      return task.tell(early.outcome, host.clock.now());
    }
    const span =
      options.timeout === undefined
        ? undefined
        : durationMs(options.timeout, 'the timeout of ctx.waitFor');
    return this.#await(claim, span, [
      'ok',
      copyValue(options.default, 'the default of ctx.waitFor'),
    ]);
  }

  async sleep(span: Duration, options: Keyed = {}): Promise<void> {
    const task = this.#task;
    const ms = durationMs(span, 'the span of ctx.sleep');
    const claim = task.claim('sleep', String(span), undefined, options.key);
    if (claim.effect?.status === 'done') task.tell(claim.effect.outcome, claim.effect.at);
    else await this.#await(claim, ms, ['ok', undefined]);
  }

  write(chunk: unknown): void {
    this.#task.write(chunk);
  }

  get(contract: Contract, key: string): InnerReference {
    return innerReference(contract, key, call => this.#call(call));
  }

  async #await(claim: Claim, spanMs: number | undefined, onDue: EffectOutcome): Promise<unknown> {
    const task = this.#task;
    const { host } = task.activation;
    const dueAt =
      claim.effect?.dueAt ?? (spanMs === undefined ? undefined : host.clock.now() + spanMs);
    const outcome = task.wait(claim, dueAt, onDue);
    if (claim.effect === undefined)
      await task.commit([task.effectOp(claim, { ...(dueAt === undefined ? {} : { dueAt }) })]);
    task.activation.rearm();
    const ended = await outcome;
    return task.tell(ended === 'retry' ? undefined : ended, undefined);
  }

  #earlySignal(claim: Claim, signal: string): { ops: Op[]; outcome: EffectOutcome } | undefined {
    const task = this.#task;
    const { image, host } = task.activation;
    const entry = image?.signals?.find(
      ({ name, runId }) => name === signal && (runId === undefined || runId === task.run.id),
    );
    if (entry === undefined) return undefined;
    const outcome = ['ok', entry.data] as const;
    return {
      ops: [
        ['unsignal', entry.id],
        task.effectOp(claim, { status: 'done', outcome, at: host.clock.now() }),
      ],
      outcome,
    };
  }

  /** Runs a change as a turn of its own, whose record also says that it was done. */
  #exclusively(claim: Claim, change: (turn: TurnContext) => unknown): Promise<EffectOutcome> {
    const task = this.#task;
    const { activation } = task;
    const { host, address } = activation;
    return new Promise(resolve => {
      let outcome: EffectOutcome = ['ok', undefined];
      const done = (turn: TurnContext, value: unknown) => {
        outcome = [
          'ok',
          copyValue(value, `${address}.${task.run.action}: the result of an update`),
        ];
        addOp(turn, task.effectOp(claim, { status: 'done', outcome, at: host.clock.now() }));
      };
      const work = (turn: TurnContext): unknown => {
        task.checkLive();
        const result = change(turn);
        if (result instanceof Promise) return result.then(value => done(turn, value));
        return done(turn, result);
      };
      const settled = (error: TroupeError | undefined) => {
        if (task.isOver) return;
        resolve(error === undefined ? outcome : ['error', error.toValue()]);
      };
      const { correlationId, caller } = task.run;
      host.enqueue(
        address,
        ownItem(activation, `${task.run.action}.update`, work, { correlationId, caller, settled }),
      );
    });
  }

  /** Calls another agent, as a step: an answer that was recorded is not asked for again. */
  async #call(call: InnerCall): Promise<Reply> {
    const task = this.#task;
    const { contract, key, action, input, stepKey } = call;
    const claim = task.claim('call', `${contract.type}/${key}.${action}`, input, stepKey);
    const position = { epoch: 0, version: 0 };
    if (claim.effect?.status === 'done')
      return { value: task.tell(claim.effect.outcome, claim.effect.at), ...position };
    task.enter(claim, stepKey ?? claim.identity);
    const isRead = actionOf(contract, action).kind === 'read';
    if (!isRead && claim.effect === undefined) await task.announce(claim, 1);
    const outcome = await this.#delivered(call, claim, isRead);
    task.leave(claim, stepKey ?? claim.identity);
    return { value: task.conclude(claim, outcome), ...position };
  }

  async #delivered(call: InnerCall, claim: Claim, isRead: boolean): Promise<EffectOutcome> {
    const { contract, key, action, input, priority, timeoutMs } = call;
    const { activation, run } = this.#task;
    const isKeyed = !isRead && contract.consistency !== 'none';
    try {
      const reply = await activation.host.deliver({
        type: contract.type,
        key,
        action,
        input,
        priority,
        guarantee: isRead ? 'at_most_once' : isKeyed ? 'exactly_once' : 'at_least_once',
        ...(isKeyed ? { idempotencyKey: `${run.id} ${claim.identity}` } : {}),
        timeoutMs: timeoutMs ?? (isRead ? undefined : Number.POSITIVE_INFINITY),
        caller: activation.address,
        correlationId: run.correlationId,
        trace: undefined,
        wantsReply: true,
      });
      return ['ok', reply.value];
    } catch (error) {
      if (this.#task.isOver || (TroupeError.is(error) && stopCodes.has(error.code))) return never();
      const failure = TroupeError.is(error)
        ? error
        : failureOf(error, `${contract.type}/${key}.${action}`);
      return ['error', failure.toValue()];
    }
  }
}

/** Errors that say that this process stops: the next one calls again. */
const stopCodes: ReadonlySet<string> = new Set(['NODE_DRAINING', 'NOT_STARTED']);
