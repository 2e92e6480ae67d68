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

const roomMin = 8;
/** A lane that has grown beyond this gives the room back when it is empty. */
const roomKept = 1_024;

/** A ring that grows: neither its items move nor its memory when one leaves. */
class Lane {
  #items: (MailboxItem | undefined)[] = new Array(roomMin).fill(undefined);
  #head = 0;
  length = 0;

  push(item: MailboxItem): void {
    if (this.length === this.#items.length) this.#resize(this.length * 2);
    this.#items[this.#place(this.length)] = item;
    this.length += 1;
  }

  shift(): MailboxItem | undefined {
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = this.#place(1);
    this.length -= 1;
    if (this.length === 0 && this.#items.length > roomKept) this.#resize(roomMin);
    return item;
  }

  remove(item: MailboxItem): boolean {
    const items = [...this.items()];
    const index = items.indexOf(item);
    if (index < 0) return false;
    items.splice(index, 1);
    this.#head = 0;
    this.length = items.length;
    for (let at = 0; at < this.#items.length; at += 1) this.#items[at] = items[at];
    return true;
  }

  *items(): Generator<MailboxItem> {
    for (let at = 0; at < this.length; at += 1) yield this.#items[this.#place(at)] as MailboxItem;
  }

  /** Where the item lies that so many lie before; the room is a power of two. */
  #place(before: number): number {
    return (this.#head + before) & (this.#items.length - 1);
  }

  #resize(room: number): void {
    const items: (MailboxItem | undefined)[] = [...this.items()];
    while (items.length < room) items.push(undefined);
    this.#items = items;
    this.#head = 0;
  }
}
