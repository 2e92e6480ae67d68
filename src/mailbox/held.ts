/**
 * Messages that must not run yet: a lower number of their sender did not come or is not handled, or
 * their own turn threw and is repeated after a pause. They are held, a bounded number for a bounded
 * time, and then refused: never run early. What is recorded is the agent's own, and never refused.
 */
import type { MailboxItem } from '../agent/item.ts';
import { TroupeError } from '../core/errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';

/** How many are held, and how long. */
export interface HeldLimits {
  readonly heldMax: number;
  readonly heldTimeoutMs: number;
}

/** The held messages of one agent. */
export class Held {
  readonly #clock: Clock;
  readonly #limits: HeldLimits;
  #items: MailboxItem[] = [];
  #timer: Timer | undefined;
  /** Items that wait for their next attempt. */
  #pauses: Map<MailboxItem, Timer> | undefined;

  constructor(clock: Clock, limits: HeldLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get length(): number {
    return this.#items.length;
  }

  /** All that are held. */
  get items(): readonly MailboxItem[] {
    return this.#items;
  }

  /** Holds a message, or refuses it. */
  add(item: MailboxItem): void {
    if (!mayRefuse(item)) {
      this.#items.push(item);
      return;
    }
    const { sender } = item.envelope.numbering ?? {};
    const isCounted = (held: MailboxItem) =>
      mayRefuse(held) && held.envelope.numbering?.sender === sender;
    const count = this.#items.filter(isCounted).length;
    if (count >= this.#limits.heldMax) {
      item.reject(
        refusal(item, `${count} messages of its sender are held already (limits.heldMax)`),
      );
      return;
    }
    this.#items.push(item);
    this.#timer ??= this.#clock.setTimer(this.#limits.heldTimeoutMs, () => this.#expire());
  }

  /** Holds a recorded message until its next attempt is due. */
  pause(item: MailboxItem, pauseMs: number, onDue: () => void): void {
    this.#items.push(item);
    this.#pauses ??= new Map();
    const due = () => {
      this.#pauses?.delete(item);
      onDue();
    };
    this.#pauses.set(item, this.#clock.setTimer(pauseMs, due));
  }

  /** Refuses the message that came last, to make room; returns whether there was one. */
  giveWay(): boolean {
    const item = this.#items.findLast(mayRefuse);
    if (item === undefined) return false;
    this.remove(item);
    item.reject(refusal(item, 'the mailbox is full'));
    return true;
  }

  /** Takes out what may run now. */
  release(mayRun: (item: MailboxItem) => boolean): MailboxItem[] {
    if (this.#items.length === 0) return this.#items;
    const released = this.#items.filter(item => this.#pauses?.has(item) !== true && mayRun(item));
    if (released.length > 0) this.#items = this.#items.filter(item => !released.includes(item));
    return released.sort((a, b) => numberOf(a) - numberOf(b));
  }

  /** Takes one message out; returns whether it was there. */
  remove(item: MailboxItem): boolean {
    const index = this.#items.indexOf(item);
    if (index >= 0) this.#items.splice(index, 1);
    return index >= 0;
  }

  /** Takes out what is recorded: the next activation finds it in its inbox. */
  takeRecorded(): MailboxItem[] {
    for (const timer of this.#pauses?.values() ?? []) timer.cancel();
    this.#pauses = undefined;
    const recorded = this.#items.filter(item => !mayRefuse(item));
    this.#items = this.#items.filter(mayRefuse);
    return recorded;
  }

  /** Takes everything out. */
  clear(): MailboxItem[] {
    this.#timer?.cancel();
    const items = [...this.takeRecorded(), ...this.#items];
    this.#items = [];
    return items;
  }

  #expire(): void {
    this.#timer = undefined;
    const before = this.#clock.monotonic() - this.#limits.heldTimeoutMs;
    const late = this.#items.filter(item => item.arrivedAt <= before && mayRefuse(item));
    this.#items = this.#items.filter(item => !late.includes(item));
    for (const item of late)
      item.reject(
        refusal(item, 'a lower number of its sender did not come, or is not handled yet'),
      );
    const first = this.#items.find(mayRefuse);
    if (first !== undefined) {
      this.#timer = this.#clock.setTimer(Math.max(1, first.arrivedAt - before), () =>
        this.#expire(),
      );
    }
  }
}

function mayRefuse({ inboxId }: MailboxItem): boolean {
  return inboxId === undefined;
}

function numberOf(item: MailboxItem): number {
  return item.envelope.numbering?.number ?? 0;
}

function refusal({ envelope }: MailboxItem, why: string): TroupeError {
  return new TroupeError('OVERLOADED', {
    detail: `message ${envelope.id} to ${envelope.type}/${envelope.key} was held back for order, and refused: ${why}`,
    outcome: 'not-executed',
    data: { held: true },
  });
}
