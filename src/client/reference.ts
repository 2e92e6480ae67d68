/**
 * A caller's reference to an agent: typed by its contract, cheap, and valid however often the agent
 * moves, sleeps or restarts. Each verb checks its input, copies it, and hands a message to
 * delivery.
 */
import { actionOf } from '../agent/action.ts';
import type { AdministrativeInputs } from '../agent/administration.ts';
import type { AdministrativeReadInputs } from '../agent/administration-reads.ts';
import { positionOf } from '../agent/answer-position.ts';
import { checkGuarantee, checkNames, noOptions, priorityOf } from '../agent/call-options.ts';
import type { Contract } from '../agent/contract.ts';
import type {
  EventMeta,
  EventsOptions,
  Moment,
  Rebuilt,
  StateAt,
  StateChange,
} from '../agent/history-types.ts';
import { checkKey } from '../agent/key-check.ts';
import { checkPayload, copyPayload } from '../agent/payload.ts';
import type {
  CallOptions,
  Future,
  RequestOptions,
  Result,
  SendOptions,
  StreamOptions,
  TaskStream,
} from '../agent/references.ts';
import type { RunsOfAgent } from '../agent/run-types.ts';
import { parseWith } from '../agent/schema.ts';
import { suggestionFor } from '../agent/suggest.ts';
import { durationMs } from '../core/duration.ts';
import type { Guarantee, Reply } from '../core/envelope.ts';
import { TroupeError, wrapError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import type { Message } from '../delivery/delivery.ts';
import { DurableFuture } from './future.ts';
import { diffOf, eventsOf, stateAt } from './history.ts';
import type { KernelSource } from './kernel.ts';
import { runsOf } from './runs.ts';
import { openStream } from './stream.ts';

/** A message that a reference sends, before the reference has added its agent. */
type Verb = Omit<Message, 'type' | 'key' | 'address' | 'action' | 'input' | 'trace'>;

const callNames = ['timeout', 'priority'];
const requestNames = ['priority', 'idempotencyKey'];
const streamNames = [...callNames, 'idempotencyKey', 'from'];
const sendNames = [...callNames, 'delivery', 'idempotencyKey'];

/** A reference. Its public types are those of `AgentRef`. */
export class AgentReference {
  readonly address: string;
  readonly type: string;
  readonly key: string;
  readonly #contract: Contract;
  readonly #kernel: KernelSource;

  constructor(kernel: KernelSource, contract: Contract, key: string) {
    this.type = contract.type;
    this.key = key;
    this.address = `${contract.type}/${key}`;
    this.#contract = contract;
    this.#kernel = kernel;
  }

  get runs(): RunsOfAgent {
    return runsOf(this);
  }

  execute(action: string, input?: unknown, options: SendOptions = noOptions): Promise<unknown> {
    try {
      const message = this.#message(action, input, this.#verb(options, true));
      return this.#kernel().delivery.ask(message);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async tryExecute(
    action: string,
    input?: unknown,
    options: SendOptions = noOptions,
  ): Promise<Result<unknown>> {
    try {
      const { value, epoch, version } = await this.#deliver(
        action,
        input,
        this.#verb(options, true),
      );
      return { ok: true, value, position: { agent: this.address, epoch, version } };
    } catch (thrown) {
      const error = wrapError('INVARIANT_BROKEN', thrown, `${this.address}.${action}`);
      const position = positionOf(error);
      if (position === undefined) return { ok: false, error };
      return { ok: false, error, position: { agent: this.address, ...position } };
    }
  }

  async send(
    action: string,
    input?: unknown,
    options: SendOptions = noOptions,
  ): Promise<{ readonly messageId: string }> {
    if (actionOf(this.#contract, action).kind === 'read') {
      throw new TroupeError('INVALID_INPUT', {
        detail: `${this.address}.${action} is a read: nothing would come of sending to it; use execute`,
      });
    }
    const id = this.#kernel().nextId();
    await this.#deliver(action, input, { ...this.#verb(options, false), id });
    return { messageId: id };
  }

  async call(action: string, input: unknown, options: CallOptions): Promise<unknown> {
    if (options?.timeout === undefined) {
      throw new TroupeError('INVALID_INPUT', {
        detail: `${this.address}.${action}: call needs { timeout }; execute has a default`,
      });
    }
    checkNames(options, callNames, `${this.address}: call`);
    const reply = await this.#deliver(action, input, {
      ...this.#verb(options, true),
      guarantee: 'at_most_once',
    });
    return reply.value;
  }

  request(action: string, input?: unknown, options: RequestOptions = {}): Future<unknown> {
    this.#needsLog('request');
    checkNames(options, requestNames, `${this.address}: request`);
    const key = options.idempotencyKey ?? this.#kernel().nextId();
    checkKey(key, `${this.address}: idempotencyKey`);
    const message = this.#message(action, input, {
      guarantee: 'exactly_once',
      priority: priorityOf(options.priority, this.address),
      idempotencyKey: key,
      wantsReply: false,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
    return new DurableFuture(this.#kernel, {
      type: this.type,
      key: this.key,
      request: key,
      message,
    });
  }

  stream(
    action: string,
    input?: unknown,
    options: StreamOptions = {},
  ): TaskStream<unknown, unknown> {
    this.#needsLog('stream');
    const { from = 0, ...others } = options;
    checkNames(others, streamNames, `${this.address}: stream`);
    if (actionOf(this.#contract, action).kind !== 'task') {
      throw new TroupeError('INVALID_INPUT', {
        detail: `${this.address}.${action} is no task, and only tasks stream`,
      });
    }
    const key = options.idempotencyKey ?? this.#kernel().nextId();
    const verb = this.#verb(
      { timeout: Number.POSITIVE_INFINITY, ...others, idempotencyKey: key },
      false,
    );
    const message = this.#message(action, input, verb);
    return openStream(this.#kernel, { message, request: key, from });
  }

  async signal(
    signal: string,
    data: unknown,
    options: { readonly run?: string | undefined } = {},
  ): Promise<void> {
    this.#needsLog('signal');
    const schema = Object.hasOwn(this.#contract.signals, signal)
      ? this.#contract.signals[signal]
      : undefined;
    if (schema === undefined) {
      const names = Object.keys(this.#contract.signals);
      throw new TroupeError('ACTION_NOT_DEFINED', {
        detail: `${this.type} has no signal "${signal}"; it has ${names.join(', ') || 'none'}${suggestionFor(signal, names)}`,
      });
    }
    const place = `${this.type} signal ${signal}`;
    parseWith(schema, data, place, 'INVALID_INPUT');
    checkPayload(data, this.#contract, place);
    await this.administer('$signal', { name: signal, data, runId: options.run });
  }

  on(event: string, listener: (data: never, meta: EventMeta) => void): () => void {
    this.#needsLog('on');
    if (!Object.hasOwn(this.#contract.events, event)) {
      const names = Object.keys(this.#contract.events);
      throw new TroupeError('ACTION_NOT_DEFINED', {
        detail: `${this.type} has no event "${event}"; it has ${names.join(', ') || 'none'}${suggestionFor(event, names)}`,
      });
    }
    return this.#kernel().events.on(
      this.address,
      event,
      listener as (data: unknown, meta: EventMeta) => void,
    );
  }

  events(options: EventsOptions = {}): AsyncIterable<unknown> {
    this.#needsLog('events');
    return eventsOf(this.#kernel(), this.address, options);
  }

  async stateAt(moment: Moment): Promise<StateAt<unknown>> {
    this.#needsLog('stateAt');
    return stateAt(this.#kernel(), this.address, moment);
  }

  async diff(before: Moment, after: Moment): Promise<readonly StateChange[]> {
    this.#needsLog('diff');
    return diffOf(this.#kernel(), this.address, before, after);
  }

  async rebuild(options: CallOptions = {}): Promise<Rebuilt> {
    this.#needsLog('rebuild');
    return (await this.administer('$rebuild', undefined, options)) as Rebuilt;
  }

  async delete(options: CallOptions = {}): Promise<void> {
    this.#needsLog('delete');
    await this.administer('$delete', undefined, options);
  }

  /** Does an administrative act, or asks an administrative question. */
  async administer<K extends keyof (AdministrativeInputs & AdministrativeReadInputs)>(
    action: K,
    input: (AdministrativeInputs & AdministrativeReadInputs)[K],
    options: CallOptions = {},
  ): Promise<unknown> {
    const { type, key } = this;
    const message = {
      type,
      key,
      action,
      input: copyValue(input, `${this.address}.${action}`),
      trace: undefined,
    };
    const reply = await this.#kernel().delivery.deliver({
      ...message,
      ...this.#verb(options, true),
    });
    return reply.value;
  }

  #deliver(action: string, input: unknown, verb: Verb): Promise<Reply> {
    return this.#kernel().delivery.deliver(this.#message(action, input, verb));
  }

  #message(action: string, input: unknown, verb: Verb): Message {
    const { type, key, address } = this;
    const place = `${type}.${action}`;
    parseWith(actionOf(this.#contract, action).input, input, place, 'INVALID_INPUT');
    const { guarantee, priority, idempotencyKey, wantsReply, timeoutMs, id } = verb;
    return {
      type,
      key,
      address,
      action,
      input: copyPayload(input, this.#contract, `${place}: input`),
      trace: undefined,
      guarantee,
      priority,
      idempotencyKey,
      wantsReply,
      timeoutMs,
      id,
    };
  }

  #verb(options: SendOptions, wantsReply: boolean): Verb {
    checkNames(options, sendNames, this.address);
    const { idempotencyKey, priority, timeout } = options;
    return {
      guarantee: this.#guarantee(options),
      priority: priorityOf(priority, this.address),
      idempotencyKey,
      wantsReply,
      timeoutMs: timeout === undefined ? undefined : timeoutOf(timeout, this.address),
    };
  }

  #guarantee({ delivery, idempotencyKey }: SendOptions): Guarantee {
    checkGuarantee(delivery, this.address);
    if (idempotencyKey !== undefined) {
      this.#needsLog('an idempotencyKey');
      checkKey(idempotencyKey, `${this.address}: idempotencyKey`);
      if (delivery === undefined || delivery === 'exactly_once') return 'exactly_once';
      throw new TroupeError('INVALID_INPUT', {
        detail: `${this.address}: an idempotencyKey means exactly_once, and ${delivery} was asked for; leave one out`,
      });
    }
    if (delivery !== 'exactly_once') return delivery ?? 'at_least_once';
    throw new TroupeError('INVALID_INPUT', {
      detail: `${this.address}: exactly_once from outside an agent needs an idempotencyKey, which says what "once" refers to`,
    });
  }

  #needsLog(what: string): void {
    if (this.#contract.consistency !== 'none') return;
    throw new TroupeError('LEVEL_UNSUPPORTED', {
      detail: `${this.type} has consistency "none", which does not offer ${what}; use "strong"`,
    });
  }
}

function timeoutOf(timeout: NonNullable<SendOptions['timeout']>, address: string): number {
  if (timeout === Number.POSITIVE_INFINITY) return timeout;
  return durationMs(timeout, `the timeout of a call to ${address}`);
}
