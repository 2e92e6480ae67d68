/**
 * One message on its way, from the call to its answer: sent, sent again with the same number when
 * it surely or possibly did not arrive, and given up at its deadline with what is known by then.
 */
import type { MailboxItem } from '../agent/item.ts';
import type { Envelope, Reply } from '../core/envelope.ts';
import { type Outcome, TroupeError } from '../core/errors.ts';
import type { Timer } from '../ports/clock.ts';
import type { Timed } from './deadlines.ts';

/** What a shipment needs of the delivery it belongs to. */
export interface Carrier {
  /** Hands the message to its receiver. */
  hand(shipment: Shipment): void;
  /** Takes the message back before it is handled; returns whether that was in time. */
  withdraw(shipment: Shipment): boolean;
  /** The message with its numbering as it stands now. */
  renewed(shipment: Shipment): Envelope;
  /** How long to wait before the next attempt; nothing when there is none. */
  pause(shipment: Shipment, error: TroupeError): number | undefined;
  setTimer(delayMs: number, task: () => void): Timer;
  /** Does something once input and output had their turn. */
  defer(task: () => void): void;
  monotonic(): number;
  /** The number of the message is not needed any more. */
  released(shipment: Shipment): void;
  /** The message needs nothing any more. */
  settled(shipment: Shipment, isAnswered: boolean): void;
}

/** What is known of a message before it is on its way. Times are on the monotonic clock. */
export interface ShipmentWay {
  readonly now: number;
  readonly dueAt: number;
  readonly address: string;
  readonly receiver: string;
  readonly isRead: boolean;
}

/** Who is told how it ended: one of the two, once. */
export interface Answer {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: TroupeError) => void;
}

/** A message with its sender's promise. */
export class Shipment implements MailboxItem, Timed {
  envelope: Envelope;
  arrivedAt: number;
  inboxId: string | undefined = undefined;
  /** Its record in the inbox may land later, whatever becomes of this attempt. */
  wasRecorded = false;
  readonly dueAt: number;
  slot: Timed['slot'] = undefined;
  previousTimed: Timed | undefined = undefined;
  nextTimed: Timed | undefined = undefined;
  readonly address: string;
  /** Under which name its number is kept; empty when it has none. */
  readonly receiver: string;
  readonly isRead: boolean;
  /** How often it was handed over. */
  handed = 0;
  readonly #carrier: Carrier;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: TroupeError) => void;
  #pausing: Timer | undefined;
  #known: Outcome = 'not-executed';
  #lastRefusal: TroupeError | undefined;
  #isHanded = false;
  #isSettled = false;

  constructor(carrier: Carrier, envelope: Envelope, way: ShipmentWay, answer: Answer) {
    const { dueAt, now, address, receiver, isRead } = way;
    this.#carrier = carrier;
    this.envelope = envelope;
    this.dueAt = dueAt;
    this.arrivedAt = now;
    this.address = address;
    this.receiver = receiver;
    this.isRead = isRead;
    this.#resolve = answer.resolve;
    this.#reject = answer.reject;
  }

  /** Hands the message over, for the first time or again. */
  send(): void {
    this.#pausing = undefined;
    if (this.#isSettled) return;
    this.handed += 1;
    if (this.handed > 1) this.arrivedAt = this.#carrier.monotonic();
    this.#isHanded = true;
    this.#carrier.hand(this);
  }

  /** From here on its key finds the run; a number held for weeks would keep all later answers. */
  begun(): void {
    if (this.#isSettled || this.envelope.idempotencyKey === undefined) return;
    this.#carrier.released(this);
    this.envelope = { ...this.envelope, numbering: undefined };
  }

  renew(): void {
    this.envelope = this.#carrier.renewed(this);
  }

  resolve(reply: Reply): void {
    if (this.#isSettled) return;
    this.#settle(true);
    this.#resolve(reply);
  }

  reject(error: TroupeError): void {
    if (this.#isSettled || !this.#isHanded) return;
    this.#isHanded = false;
    // A recorded answer is the last word: no earlier attempt can land behind its record.
    if (error.code === 'REJECTED') this.#known = error.outcome;
    else if (this.wasRecorded) this.#known = 'unknown';
    else if (this.#known !== 'unknown') this.#known = error.outcome;
    const pauseMs = this.#carrier.pause(this, error);
    if (pauseMs === undefined) {
      this.#settle(error.outcome !== 'unknown' && error.outcome !== 'not-executed');
      this.#refuse(this.#known === error.outcome ? error : withOutcome(error, this.#known));
      return;
    }
    if (error.outcome === 'rolled-back')
      this.envelope = { ...this.envelope, attempt: this.envelope.attempt + 1 };
    this.inboxId = undefined;
    this.#lastRefusal = error;
    this.#pausing = this.#carrier.setTimer(pauseMs, () => {
      this.envelope = this.#carrier.renewed(this);
      this.send();
    });
  }

  /** Nobody waits any longer. */
  onDeadline(): void {
    if (this.#isSettled) return;
    const isBack = this.#isHanded && this.#carrier.withdraw(this);
    const outcome = !this.#isHanded || isBack ? this.#known : 'unknown';
    const { type, key, action, id } = this.envelope;
    const cause = this.#lastRefusal;
    const times = this.handed === 1 ? 'once' : `${this.handed} times`;
    const why = cause === undefined ? '' : `; the last attempt ended with ${cause.message}`;
    const error = new TroupeError('DEADLINE_EXCEEDED', {
      detail: `${type}/${key}.${action} had no answer before its deadline (message ${id}, handed over ${times})${why}`,
      outcome,
      cause,
    });
    this.#settle(false);
    this.#reject(error);
  }

  /** The node stops: whoever waits is told so. */
  abandon(error: TroupeError): void {
    if (this.#isSettled) return;
    const outcome = this.#isHanded ? 'unknown' : this.#known;
    this.#settle(false);
    this.#reject(withOutcome(error, outcome));
  }

  /**
   * A refusal costs nothing, so who asks again at once must not keep everything else from running,
   * for instance that which would end the refusals.
   */
  #refuse(error: TroupeError): void {
    if (error.outcome === 'not-executed') this.#carrier.defer(() => this.#reject(error));
    else this.#reject(error);
  }

  #settle(isAnswered: boolean): void {
    this.#isSettled = true;
    this.#pausing?.cancel();
    this.#carrier.settled(this, isAnswered);
  }
}

function withOutcome(error: TroupeError, outcome: Outcome): TroupeError {
  const { code, detail, data, cause, retryAfterMs } = error;
  return new TroupeError(code, { detail, outcome, data, cause, retryAfterMs });
}
