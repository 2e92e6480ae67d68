/**
 * How a message keeps its promise: numbered, handed over, repeated with the same number until it is
 * answered or its deadline has passed. Deduplication is the receiver's; the sender only repeats.
 */

import { actionOf } from '../agent/action.ts';
import { isAdministrativeRead } from '../agent/administration-reads.ts';
import { isAdministrative } from '../agent/administrative.ts';
import type { Contract } from '../agent/contract.ts';
import type { DeliveryEnd } from '../agent/host.ts';
import type { MailboxItem } from '../agent/item.ts';
import type { NodeLimits } from '../agent/limit-options.ts';
import type { OutgoingMessage } from '../agent/message.ts';
import type { Envelope, Priority, Reply, TraceContext } from '../core/envelope.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { TroupeError } from '../core/errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Router } from '../routing/router.ts';
import type { OutboxEntry } from '../state/entries.ts';
import { Deadlines } from './deadlines.ts';
import { Outgoing } from './outgoing.ts';
import { type Answer, type Carrier, Shipment } from './shipment.ts';

/** What delivery needs. */
export interface DeliveryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: NodeLimits;
  readonly incarnation: string;
  readonly router: Router;
  nextId(): string;
  /** The trace context of a new message, if it belongs to the sample. */
  trace(parent: TraceContext | undefined): TraceContext | undefined;
  /** Hands a message to an agent that this node hosts. */
  accept(address: string, item: MailboxItem, isRead: boolean): void;
  /** Takes a message back from a mailbox. */
  withdraw(address: string, item: MailboxItem): boolean;
}

/** A message from outside or inside an agent. */
export interface Message extends Omit<OutgoingMessage, 'caller' | 'correlationId'> {
  readonly caller?: string | undefined;
  readonly correlationId?: string | undefined;
  /** The id of the message, when the sender has to know it. */
  readonly id?: string | undefined;
  /** The address, when the sender has it at hand: to look up a new string costs more. */
  readonly address?: string | undefined;
}

/** Failures after which the same message, with the same number, may be handed over again. */
const repeatable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'VERSION_CONFLICT',
  'STALE_EPOCH',
  'WRONG_OWNER',
  'ENGINE_UNAVAILABLE',
  'NODE_UNREACHABLE',
]);

/** Failures that say that this node stops. */
const stopping: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['NODE_DRAINING', 'NOT_STARTED']);

/** The first pause before a repetition, and the longest. */
const pauseMsMin = 5;
const pauseMsMax = 1_000;
const promisedPauseMsMax = 10_000;
const sweepMs = 60_000;

/** All messages of one node that are on their way. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #outgoing: Outgoing;
  readonly #deadlines: Deadlines;
  readonly #carrier: Carrier;
  /** Messages on their way that have no deadline; all others are among the deadlines. */
  readonly #endless = new Set<Shipment>();
  #openCount = 0;
  #wall = 0;
  #wallReadAt = Number.NEGATIVE_INFINITY;
  readonly #pauses = new Set<{ readonly timer: Timer; resolve(): void }>();
  #refusal: TroupeError | undefined;
  #draining: TroupeError | undefined;
  #sweeping: Timer | undefined;

  constructor(options: DeliveryOptions) {
    const { clock, incarnation } = options;
    this.#options = options;
    this.#outgoing = new Outgoing(incarnation);
    this.#deadlines = new Deadlines(clock);
    this.#carrier = {
      hand: shipment => this.#hand(shipment),
      withdraw: shipment => options.withdraw(shipment.address, shipment),
      renewed: shipment => this.#renewed(shipment),
      pause: (shipment, error) => this.#pause(shipment, error),
      setTimer: (delayMs, task) => clock.setTimer(delayMs, task),
      defer: task => clock.defer(task),
      monotonic: () => clock.monotonic(),
      released: shipment => this.#release(shipment, true),
      settled: (shipment, isAnswered) => this.#settled(shipment, isAnswered),
    };
  }

  /** Begins to forget receivers that are not spoken to any more. */
  start(): void {
    const { clock, limits } = this.#options;
    this.#sweeping = clock.setTimer(sweepMs, () => {
      this.#outgoing.sweep(clock.now() - limits.dedupWindowMs - sweepMs);
      if (this.#refusal === undefined) this.start();
    });
  }

  /** How many messages are on their way. */
  get openCount(): number {
    return this.#openCount;
  }

  /** Delivers a message; resolves with its answer. */
  deliver(message: Message): Promise<Reply> {
    return new Promise((resolve, reject) => this.#ship(message, { resolve, reject }));
  }

  /** Delivers a message; resolves with the value of its answer. */
  ask(message: Message): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.#ship(message, { resolve: reply => resolve(reply.value), reject }),
    );
  }

  /** Delivers a promised message until it is consumed, given up, or too old. */
  async deliverPromised(
    source: string,
    entry: OutboxEntry,
    floor: () => number | undefined,
  ): Promise<DeliveryEnd> {
    const { clock, limits } = this.#options;
    const { resultWindowMs } = limits;
    for (let attempt = 1, tries = 1; ; tries += 1) {
      const lowest = floor();
      if (lowest === undefined) return { status: 'stopped' };
      const end = await this.#tryPromised(source, entry, lowest, attempt);
      if (end === undefined) return { status: 'consumed' };
      if (this.#isStopping(end)) return { status: 'stopped' };
      const until = endOf(entry, resultWindowMs);
      if (until <= clock.now()) {
        return { status: 'failed', error: tooOld(entry, end), attempts: tries };
      }
      if (end.outcome === 'rolled-back') attempt += 1;
      const pauseMs = Math.max(end.retryAfterMs ?? 0, this.#backoff(tries, promisedPauseMsMax));
      await this.#wait(Math.min(pauseMs, until - clock.now()));
    }
  }

  /** Whether nobody waits for an answer that could still come soon. */
  get isAtRest(): boolean {
    return this.#openCount === this.#endless.size;
  }

  /** Refuses what comes from outside agents; what agents send goes on. */
  drain(error: TroupeError): void {
    this.#draining = error;
  }

  /** Refuses whatever comes and repeats nothing; what is handed over is answered as it ends. */
  refuse(error: TroupeError): void {
    this.#refusal = error;
  }

  /** Fails everything that is on its way, and whatever comes. */
  close(error: TroupeError): void {
    this.#refusal = error;
    this.#sweeping?.cancel();
    const open = [...this.#endless, ...this.#deadlines.all()] as Shipment[];
    this.#deadlines.close();
    for (const { timer, resolve } of this.#pauses) {
      timer.cancel();
      resolve();
    }
    this.#pauses.clear();
    for (const shipment of open) shipment.abandon(error);
  }

  #ship(message: Message, answer: Answer): void {
    const { clock, limits, router } = this.#options;
    const refusal = this.#refusalOf(message.caller === undefined);
    if (refusal !== undefined) {
      clock.defer(() => answer.reject(refusal));
      return;
    }
    const { type, key, priority, guarantee } = message;
    const contract = router.contractOf(type);
    const timeoutMs = message.timeoutMs ?? contract.limits.executeTimeoutMs;
    const isRead = isReadOf(contract, message.action);
    const isNumbered = contract.consistency !== 'none' && guarantee !== 'at_most_once' && !isRead;
    if (isNumbered && timeoutMs > limits.dedupWindowMs && message.idempotencyKey === undefined)
      throw tooLong(timeoutMs, limits);
    const address = message.address ?? `${type}/${key}`;
    const receiver = isNumbered ? receiverOf(priority, address) : '';
    const now = clock.monotonic();
    const envelope = this.#envelope(message, timeoutMs, receiver, now);
    const way = { now, dueAt: now + timeoutMs, address, receiver, isRead };
    const shipment = new Shipment(this.#carrier, envelope, way, answer);
    this.#openCount += 1;
    if (timeoutMs === Number.POSITIVE_INFINITY) this.#endless.add(shipment);
    else this.#deadlines.add(shipment);
    shipment.send();
  }

  #refusalOf(isOutside: boolean): TroupeError | undefined {
    const { requestsMax } = this.#options.limits;
    const refusal = this.#refusal ?? (isOutside ? this.#draining : undefined);
    if (refusal !== undefined) return refusal;
    return isOutside && this.#openCount >= requestsMax ? overloaded(requestsMax) : undefined;
  }

  #envelope(message: Message, timeoutMs: number, receiver: string, monotonic: number): Envelope {
    const { nextId, trace } = this.#options;
    const { type, key, action, input, guarantee, priority, idempotencyKey, wantsReply, caller } =
      message;
    const id = message.id ?? nextId();
    const now = this.#wallAt(monotonic);
    const outgoing = this.#outgoing;
    return {
      id,
      type,
      key,
      action,
      input,
      guarantee,
      priority,
      idempotencyKey,
      wantsReply,
      caller,
      numbering:
        receiver === '' ? undefined : outgoing.numbering(receiver, outgoing.take(receiver, now)),
      deadline: now + timeoutMs,
      attempt: 1,
      firstAttemptAt: now,
      correlationId: message.correlationId ?? id,
      trace: trace(message.trace),
    };
  }

  /** The wall clock, which is read once a millisecond: a reading costs as much as a schema. */
  #wallAt(monotonic: number): number {
    if (monotonic - this.#wallReadAt >= 1) {
      this.#wallReadAt = monotonic;
      this.#wall = this.#options.clock.now();
    }
    return this.#wall;
  }

  #hand(shipment: Shipment): void {
    const { router, accept } = this.#options;
    const { envelope } = shipment;
    const obstacle = router.obstacle(envelope.type);
    if (obstacle !== undefined) shipment.reject(obstacle);
    else accept(shipment.address, shipment, shipment.isRead);
  }

  #renewed({ envelope, receiver }: Shipment): Envelope {
    const { numbering } = envelope;
    if (numbering === undefined) return envelope;
    return { ...envelope, numbering: this.#outgoing.numbering(receiver, numbering.number) };
  }

  #pause(shipment: Shipment, error: TroupeError): number | undefined {
    const { envelope } = shipment;
    if (this.#refusal !== undefined || envelope.guarantee === 'at_most_once') return undefined;
    // Only the receiver knows whether a throw was an attempt or its answer.
    if (error.outcome === 'rolled-back') return error.retryAfterMs;
    // A caller outside decides for itself; an agent waits, as a run's call would fail for good.
    const isInner = error.code === 'NO_QUORUM' && shipment.envelope.caller !== undefined;
    if (!isInner && !repeatable.has(error.code) && !isHeldRefusal(error)) return undefined;
    return this.#backoff(shipment.handed, pauseMsMax);
  }

  #settled(shipment: Shipment, isAnswered: boolean): void {
    this.#openCount -= 1;
    if (shipment.dueAt === Number.POSITIVE_INFINITY) this.#endless.delete(shipment);
    else this.#deadlines.remove(shipment);
    this.#release(shipment, isAnswered);
  }

  #release({ envelope, receiver }: Shipment, isAnswered: boolean): void {
    const { numbering } = envelope;
    if (numbering !== undefined) this.#outgoing.settle(receiver, numbering.number, isAnswered);
  }

  /** One attempt at a promised message: nothing when it was consumed. */
  #tryPromised(
    source: string,
    entry: OutboxEntry,
    floor: number,
    attempt: number,
  ): Promise<TroupeError | undefined> {
    const { router, accept, clock } = this.#options;
    const { id, type, key, action, input, priority, number, at, correlationId, trace } = entry;
    const envelope: Envelope = {
      id,
      type,
      key,
      action,
      input,
      priority,
      correlationId,
      trace,
      attempt,
      guarantee: 'exactly_once',
      numbering: { sender: source, number, floor },
      deadline: Number.POSITIVE_INFINITY,
      wantsReply: false,
      firstAttemptAt: at,
      caller: source.slice(0, source.lastIndexOf('@')),
    };
    return new Promise(resolve => {
      const obstacle = this.#refusal ?? router.obstacle(type);
      if (obstacle !== undefined) {
        resolve(obstacle);
        return;
      }
      const item: MailboxItem = {
        envelope,
        arrivedAt: clock.monotonic(),
        resolve: () => resolve(undefined),
        reject: error => resolve(this.#isConsumed(error) ? undefined : error),
      };
      accept(`${type}/${key}`, item, false);
    });
  }

  #isStopping(error: TroupeError): boolean {
    return stopping.has(error.code) || this.#refusal !== undefined;
  }

  /** Whether an error is the receiver's recorded answer: then the message needs no repetition. */
  #isConsumed(error: TroupeError): boolean {
    if (error.code === 'EXPIRED') return error.outcome === 'unknown';
    if (error.code === 'INVALID_INPUT' || error.code === 'ACTION_NOT_DEFINED') return true;
    return error.outcome === 'rolled-back' && error.retryAfterMs === undefined;
  }

  #backoff(tries: number, max: number): number {
    const ceiling = Math.min(max, pauseMsMin * 2 ** Math.min(tries, 20));
    return ceiling * (0.5 + this.#options.random.next() / 2);
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      const pause = {
        timer: this.#options.clock.setTimer(delayMs, () => {
          this.#pauses.delete(pause);
          resolve();
        }),
        resolve,
      };
      this.#pauses.add(pause);
    });
  }
}

function isReadOf(contract: Contract, action: string): boolean {
  if (isAdministrative(action)) return isAdministrativeRead(action);
  return actionOf(contract, action).kind === 'read';
}

/** The name of a sequence of numbers. Most messages take the normal lane. */
function receiverOf(priority: Priority, address: string): string {
  return priority === 'normal' ? address : `${priority} ${address}`;
}

function isHeldRefusal(error: TroupeError): boolean {
  return (
    error.code === 'OVERLOADED' && (error.data as { held?: boolean } | undefined)?.held === true
  );
}

/** Until when a promised message is repeated. */
function endOf({ at, until }: OutboxEntry, resultWindowMs: number): number {
  return Math.min(until ?? Number.POSITIVE_INFINITY, at + resultWindowMs);
}

function tooOld(entry: OutboxEntry, last: TroupeError): TroupeError {
  return new TroupeError('EXPIRED', {
    detail: `message ${entry.id} to ${entry.type}/${entry.key}.${entry.action} could not be delivered in time; the last obstacle was ${last.message}`,
    cause: last,
  });
}

function overloaded(requestsMax: number): TroupeError {
  return new TroupeError('OVERLOADED', {
    detail: `${requestsMax} calls are being answered, as many as limits.requestsMax allows; retry later`,
    retryAfterMs: 100,
  });
}

function tooLong(timeoutMs: number, { dedupWindowMs }: NodeLimits): TroupeError {
  return new TroupeError('INVALID_INPUT', {
    detail: `a timeout of ${timeoutMs} ms is longer than limits.dedupWindow (${dedupWindowMs} ms), within which repetitions are recognised; give an idempotencyKey, or use request`,
  });
}
