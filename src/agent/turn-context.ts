/**
 * What a turn sees and decides. All that it decides is collected here and becomes one record, or
 * nothing. After the turn has ended the context refuses everything.
 */
import { type Duration, durationMs } from '../core/duration.ts';
import type { Envelope, TraceContext } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import { type Draft, openDraft } from '../state/draft.ts';
import type { TimerEntry } from '../state/entries.ts';
import type { Op } from '../state/record.ts';
import { firstDueAt, type TimerSchedule } from '../state/schedule.ts';
import type { Logger } from '../telemetry/logger.ts';
import { actionOf } from './action.ts';
import { checkNames } from './call-options.ts';
import type { Contract } from './contract.ts';
import type { MessageHost } from './message.ts';
import { copyPayload } from './payload.ts';
import { readsOf } from './reference.ts';
import { parseWith } from './schema.ts';
import { type Sending, type SendingOptions, sendingOf } from './sending.ts';
import { suggestionFor } from './suggest.ts';

/** What a context needs to know of its agent. */
export interface TurnAgent {
  readonly address: string;
  readonly key: string;
  readonly contract: Contract;
  readonly host: MessageHost;
  readonly local: Map<string, unknown>;
  readonly logger: Logger;
}

/** Options of `ctx.after` and `ctx.every`. */
interface TimerOptions {
  readonly id?: string | undefined;
  readonly timeZone?: string | undefined;
  readonly missed?: 'skip' | 'once' | 'all' | undefined;
}

/** What a turn decided. */
export interface TurnDecision {
  /** The state after the turn; identical with the one before if nothing changed. */
  readonly state: unknown;
  readonly ops: readonly Op[];
  /** Messages, in order; those with `exactly_once` go through the outbox. */
  readonly sends: readonly Sending[];
  /** What to do when the record is accepted. */
  readonly followUps: readonly (() => void)[];
}

const timerNames = ['id'];
const repeatNames = ['id', 'timeZone', 'missed'];

const nothing: readonly never[] = [];

/** Ends a turn and tells what it decided. Assigned by the class, whose private fields it reads. */
export let closeTurn: (turn: TurnContext) => TurnDecision;
/** Ends a turn that failed. */
export let abandonTurn: (turn: TurnContext) => void;
/** Adds an operation to the record of a turn. */
export let addOp: (turn: TurnContext, op: Op) => void;

/** Adds what is to be done when the record of a turn is accepted. */
export let addFollowUp: (turn: TurnContext, followUp: () => void) => void;

/** Adds a message to the record of a turn. */
export let addSending: (turn: TurnContext, sending: Sending) => void;

/**
 * The context of a turn; see `TurnContext` in `contexts.ts` for what each kind of agent may use.
 */
export class TurnContext {
  readonly #agent: TurnAgent;
  readonly #envelope: Envelope;
  readonly #base: unknown;
  #draft: Draft<unknown> | undefined;
  #ops: Op[] | undefined;
  #sends: Sending[] | undefined;
  #followUps: (() => void)[] | undefined;
  #isOpen = true;

  static {
    closeTurn = turn => turn.#close();
    abandonTurn = turn => {
      turn.#isOpen = false;
      turn.#draft?.discard();
    };
    addOp = (turn, op) => turn.#add(op);
    addSending = (turn, sending) => {
      turn.#sends ??= [];
      turn.#sends.push(sending);
    };
    addFollowUp = (turn, followUp) => {
      turn.#followUps ??= [];
      turn.#followUps.push(followUp);
    };
  }

  constructor(agent: TurnAgent, envelope: Envelope, base: unknown) {
    this.#agent = agent;
    this.#envelope = envelope;
    this.#base = base;
  }

  get key(): string {
    return this.#agent.key;
  }

  get address(): string {
    return this.#agent.address;
  }

  get caller(): string | undefined {
    return this.#envelope.caller;
  }

  get correlationId(): string {
    return this.#envelope.correlationId;
  }

  get trace(): TraceContext | undefined {
    return this.#envelope.trace;
  }

  get logger(): Logger {
    return this.#agent.logger;
  }

  get local(): Map<string, unknown> {
    return this.#agent.local;
  }

  get state(): unknown {
    this.#draft ??= this.#open();
    return this.#draft.state;
  }

  set state(value: unknown) {
    this.#draft ??= this.#open();
    this.#draft.replace(value);
  }

  now(): number {
    return this.#agent.host.clock.now();
  }

  random(): number {
    return this.#agent.host.random.next();
  }

  reject(code: string, data?: unknown): never {
    const { address } = this.#agent;
    throw new TroupeError('REJECTED', {
      detail: `${address}.${this.#envelope.action} answered ${code}`,
      data: {
        code,
        ...(data === undefined ? {} : { data: copyValue(data, `${address} rejection ${code}`) }),
      },
    });
  }

  emit(name: string, data: unknown): void {
    const { contract, address } = this.#agent;
    this.#refuseOn('none', 'events');
    const schema = Object.hasOwn(contract.events, name) ? contract.events[name] : undefined;
    if (schema === undefined) {
      throw new TroupeError('ACTION_NOT_DEFINED', {
        detail: `${contract.type} has no event "${name}"; it has ${Object.keys(contract.events).join(', ') || 'none'}${suggestionFor(name, Object.keys(contract.events))}`,
        outcome: 'rolled-back',
      });
    }
    const parsed = parseWith(schema, data, `${contract.type} event ${name}`, 'OUTPUT_INVALID');
    this.#add(['event', name, copyPayload(parsed, contract, `${address} event ${name}`)]);
  }

  send(
    contract: Contract,
    key: string,
    action: string,
    ...[input, options = {}]: [input?: unknown, options?: SendingOptions]
  ): void {
    this.#checkOpen();
    addSending(this, sendingOf(this.#agent, { contract, key, action, input, options }));
  }

  after(delay: Duration, action: string, input?: unknown, options: TimerOptions = {}): void {
    checkNames(options, timerNames, `${this.address}: ctx.after`);
    const dueAt = this.now() + durationMs(delay, `${this.address}: the delay of ctx.after`);
    this.#setTimer(action, input, options, { dueAt });
  }

  every(
    schedule: TimerSchedule,
    action: string,
    input?: unknown,
    options: TimerOptions = {},
  ): void {
    checkNames(options, repeatNames, `${this.address}: ctx.every`);
    const { timeZone, missed } = options;
    const dueAt = firstDueAt(schedule, this.now(), timeZone);
    this.#setTimer(action, input, options, {
      dueAt,
      schedule: schedule as string | number,
      ...(timeZone === undefined ? {} : { timeZone }),
      missed: missed ?? 'once',
    });
  }

  cancelTimer(id: string): void {
    this.#refuseOn('none', 'timers');
    this.#add(['untimer', id]);
  }

  get(contract: Contract, key: string): unknown {
    this.#checkOpen();
    return readsOf(this.#agent, this.#envelope, contract, key);
  }

  #setTimer(
    action: string,
    input: unknown,
    options: TimerOptions,
    timing: Omit<TimerEntry, 'action' | 'input'>,
  ): void {
    const { contract, address } = this.#agent;
    this.#refuseOn('none', 'timers');
    const shape = actionOf(contract, action);
    if (shape.kind === 'read') {
      throw new TroupeError('INVALID_INPUT', {
        detail: `a timer of ${address} cannot run the read "${action}"`,
        outcome: 'rolled-back',
      });
    }
    parseWith(shape.input, input, `${contract.type}.${action}`, 'INVALID_INPUT');
    this.#add([
      'timer',
      options.id ?? action,
      { action, input: copyPayload(input, contract, `${address} timer ${action}`), ...timing },
    ]);
  }

  #refuseOn(level: Contract['consistency'], what: string): void {
    if (this.#agent.contract.consistency !== level) return;
    throw new TroupeError('LEVEL_UNSUPPORTED', {
      detail: `${this.#agent.contract.type} has consistency "${level}", which has no ${what}; use "strong"`,
      outcome: 'rolled-back',
    });
  }

  #add(op: Op): void {
    this.#checkOpen();
    this.#ops ??= [];
    this.#ops.push(op);
  }

  #open(): Draft<unknown> {
    this.#checkOpen();
    return openDraft(this.#base, this.#agent.address);
  }

  #close(): TurnDecision {
    this.#checkOpen();
    this.#isOpen = false;
    const state = this.#draft === undefined ? this.#base : this.#draft.close();
    return {
      state,
      ops: this.#ops ?? nothing,
      sends: this.#sends ?? nothing,
      followUps: this.#followUps ?? nothing,
    };
  }

  #checkOpen(): void {
    if (this.#isOpen) return;
    throw new TroupeError('HANDLER_FAILED', {
      detail: `the context of ${this.#agent.address}.${this.#envelope.action} was used after its turn had ended; await what the turn starts`,
    });
  }
}
