/**
 * The promised messages of one activation: each leaves once its record is accepted, and is struck
 * off, in a later record, once its receiver has recorded it. A crash in between sends it again, and
 * the receiver knows it.
 */
import type { Timer } from '../ports/clock.ts';
import type { OutboxEntry } from '../state/entries.ts';
import { numberKey } from '../state/image.ts';
import type { Op } from '../state/record.ts';
import type { DeliveryEnd } from './host.ts';
import type { LiveAgent } from './live-agent.ts';
import { keepLetterOps } from './quotas.ts';
import type { SendCause } from './seal.ts';
import type { Sending } from './sending.ts';

/** The outbox of one activation. */
export class Outbox {
  readonly #agent: LiveAgent;
  /** Numbers on their way, lowest first, per lineage, receiver and lane. */
  #open: Map<string, Set<number>> | undefined;
  #openCount = 0;
  #consumed: string[] = [];
  /** What was last taken to be struck off. */
  #taken: readonly string[] = [];
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(agent: LiveAgent) {
    this.#agent = agent;
  }

  /** Whether nothing is on its way or waits to be struck off. */
  get isQuiet(): boolean {
    return this.#openCount === 0 && this.#consumed.length === 0;
  }

  /**
   * Sends what earlier lives of the agent promised. Called once, before anything new is promised.
   */
  resume(): void {
    for (const entry of this.#agent.image?.outbox?.values() ?? []) this.#dispatch(entry);
  }

  /** Sends the promised messages of a record that was accepted. */
  accepted(ops: readonly Op[]): void {
    for (const op of ops) if (op[0] === 'send') this.#dispatch(op[1]);
  }

  /** Sends the messages that only memory promises. */
  sendFromMemory(sends: readonly Sending[], cause: SendCause): void {
    for (const sending of sends)
      if (sending.guarantee !== 'exactly_once') this.#deliver(sending, cause);
  }

  #deliver(sending: Sending, cause: SendCause): void {
    const { host, address, logger } = this.#agent;
    const { correlationId, trace } = cause;
    const message = { ...sending, caller: address, correlationId, trace, wantsReply: false };
    host.deliver(message).catch(error => {
      logger.warn('a message that was not promised durably did not arrive', {
        to: `${sending.type}/${sending.key}`,
        action: sending.action,
        error: String(error),
      });
    });
  }

  /** Adds what was consumed since the last call, to be struck off in the record that is made. */
  takeConsumed(ops: Op[]): void {
    if (this.#consumed.length === 0) return;
    const ids = this.#consumed;
    this.#consumed = [];
    this.#taken = ids;
    this.#timer?.cancel();
    this.#timer = undefined;
    ops.push(['sent', ids]);
  }

  /** The record was not made: what was consumed is struck off in another. */
  takeBack(): void {
    const ids = this.#taken;
    this.#taken = [];
    for (const id of ids) if (this.#agent.image?.outbox?.has(id) === true) this.#strikeOff(id);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #dispatch(entry: OutboxEntry): void {
    const { host, address } = this.#agent;
    const sender = `${address}@${entry.lineage ?? this.#agent.image?.lineage ?? ''}`;
    const lane = `${sender} ${numberKey(entry)}`;
    this.#open ??= new Map();
    const numbers = this.#open.get(lane) ?? new Set();
    this.#open.set(lane, numbers.add(entry.number));
    this.#openCount += 1;
    // After the end of the activation the next one delivers it: two would count attempts twice.
    const floor = () => (this.#isClosed ? undefined : lowest(numbers, entry.number));
    host.faultPoint('outbox.dispatch', 'after-durable');
    host.deliverPromised(sender, entry, floor).then(
      end => this.#ended(entry, lane, end),
      error => this.#agent.logger.error('delivery failed', { error: String(error) }),
    );
  }

  #ended(entry: OutboxEntry, lane: string, end: DeliveryEnd): void {
    if (this.#isClosed || end.status === 'stopped') return;
    const numbers = this.#open?.get(lane);
    numbers?.delete(entry.number);
    if (numbers?.size === 0) this.#open?.delete(lane);
    this.#openCount -= 1;
    if (end.status === 'consumed') this.#strikeOff(entry.id);
    else this.#giveUp(entry, end);
  }

  #strikeOff(id: string): void {
    this.#consumed.push(id);
    const { limits, clock } = this.#agent.host;
    if (this.#consumed.length >= 64) this.#flush();
    else this.#timer ??= clock.setTimer(limits.sentDelayMs, () => this.#flush());
  }

  #flush(): void {
    const ops: Op[] = [];
    this.takeConsumed(ops);
    if (ops.length > 0) this.#agent.record(ops).catch(ignoreEnded);
  }

  #giveUp(entry: OutboxEntry, end: Extract<DeliveryEnd, { status: 'failed' }>): void {
    const { host, address } = this.#agent;
    const { id, type, key, action, input, correlationId } = entry;
    const { error, attempts } = end;
    const at = host.clock.now();
    const what = { id, type, key, action, input, correlationId };
    const letter = { ...what, error: error.toValue(), attempts, at, caller: address };
    this.#agent.record([['sent', [id]], ...keepLetterOps(this.#agent, letter)]).catch(ignoreEnded);
  }
}

function lowest(numbers: ReadonlySet<number>, otherwise: number): number {
  for (const number of numbers) return Math.min(number, otherwise);
  return otherwise;
}

/** The activation has ended: its next life reads the log and sends again. */
function ignoreEnded(): void {}
