/**
 * Messages that came before a lower number of their sender. They are held, a bounded number for a
 * bounded time, and then refused: never run early.
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

  constructor(clock: Clock, limits: HeldLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get length(): number {
    return this.#items.length;
  }

  /** Holds a message, or refuses it. */
  add(item: MailboxItem): void {
    const { sender } = item.envelope.numbering ?? {};
    const count = this.#items.filter(held => held.envelope.numbering?.sender === sender).length;
    if (count >= this.#limits.heldMax) {
      item.reject(
        refusal(item, `${count} messages of its sender are held already (limits.heldMax)`),
      );
      return;
    }
    this.#items.push(item);
    this.#timer ??= this.#clock.setTimer(this.#limits.heldTimeoutMs, () => this.#expire());
  }

  /** Refuses the message that came last, to make room; returns whether there was one. */
  giveWay(): boolean {
    const item = this.#items.pop();
    if (item !== undefined) item.reject(refusal(item, 'the mailbox is full'));
    return item !== undefined;
  }

  /** Takes out what may run now. */
  release(mayRun: (item: MailboxItem) => boolean): MailboxItem[] {
    if (this.#items.length === 0) return this.#items;
    const released = this.#items.filter(mayRun);
    if (released.length > 0) this.#items = this.#items.filter(item => !released.includes(item));
    return released.sort((a, b) => numberOf(a) - numberOf(b));
  }

  /** Takes one message out; returns whether it was there. */
  remove(item: MailboxItem): boolean {
    const index = this.#items.indexOf(item);
    if (index >= 0) this.#items.splice(index, 1);
    return index >= 0;
  }

  /** Takes everything out. */
  clear(): MailboxItem[] {
    this.#timer?.cancel();
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #expire(): void {
    this.#timer = undefined;
    const before = this.#clock.monotonic() - this.#limits.heldTimeoutMs;
    const late = this.#items.filter(item => item.arrivedAt <= before);
    this.#items = this.#items.filter(item => item.arrivedAt > before);
    for (const item of late)
      item.reject(refusal(item, 'a lower number of its sender did not come'));
    const [first] = this.#items;
    if (first !== undefined) {
      this.#timer = this.#clock.setTimer(Math.max(1, first.arrivedAt - before), () =>
        this.#expire(),
      );
    }
  }
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
