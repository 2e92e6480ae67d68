/**
 * Where messages wait: three lanes, first in first out within each, bounded together. A higher lane
 * goes first, but lends its turn now and then, so that no lane starves.
 */
import type { MailboxItem } from '../agent/item.ts';
import { laneOf } from '../agent/seal.ts';

/**
 * How many items each lane may take before the next lower one gets its share: high, normal, low.
 */
const shares = [16, 4, 1] as const;

/** The waiting items of one agent. */
export class Mailbox {
  readonly #lanes: (Lane | undefined)[] = [undefined, undefined, undefined];
  #credits: [number, number, number] = [...shares];
  #length = 0;

  /** How many items wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds an item behind all others of its lane. */
  push(item: MailboxItem): void {
    const index = laneOf(item.envelope.priority);
    const lane = this.#lanes[index] ?? new Lane();
    this.#lanes[index] = lane;
    lane.push(item);
    this.#length += 1;
  }

  /** Takes the item that is next. */
  shift(): MailboxItem | undefined {
    if (this.#length === 0) return undefined;
    this.#length -= 1;
    return this.#next().shift();
  }

  /** Takes an item out before its time; returns whether it was still there. */
  remove(item: MailboxItem): boolean {
    const isRemoved = this.#lanes[laneOf(item.envelope.priority)]?.remove(item) ?? false;
    if (isRemoved) this.#length -= 1;
    return isRemoved;
  }

  /** All that wait, lane by lane. */
  *items(): Generator<MailboxItem> {
    for (const lane of this.#lanes) if (lane !== undefined) yield* lane.items();
  }

  /** Takes everything out. */
  clear(): MailboxItem[] {
    const items = [...this.items()];
    this.#lanes.fill(undefined);
    this.#length = 0;
    return items;
  }

  #next(): Lane {
    let fallback: Lane | undefined;
    for (let index = 0; index < 3; index += 1) {
      const lane = this.#lanes[index];
      if (lane === undefined || lane.length === 0) continue;
      fallback ??= lane;
      if ((this.#credits[index] as number) <= 0) continue;
      (this.#credits[index] as number) -= 1;
      return lane;
    }
    this.#credits = [...shares];
    return fallback as Lane;
  }
}

/** A queue that does not move its items when the first one leaves. */
class Lane {
  #items: (MailboxItem | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: MailboxItem): void {
    this.#items.push(item);
  }

  shift(): MailboxItem | undefined {
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  remove(item: MailboxItem): boolean {
    const index = this.#items.indexOf(item, this.#head);
    if (index < 0) return false;
    this.#items.splice(index, 1);
    return true;
  }

  *items(): Generator<MailboxItem> {
    for (let index = this.#head; index < this.#items.length; index += 1)
      yield this.#items[index] as MailboxItem;
  }
}
