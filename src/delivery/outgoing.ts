/**
 * Numbers for messages of callers outside agents: dense per receiver and lane, with the floor below
 * which nothing will come again. In memory: they end with the life of the process.
 */
import type { Numbering } from '../core/envelope.ts';

interface Sequence {
  readonly sender: string;
  next: number;
  /** Numbers that are not settled, lowest first. Absent when there are none, as with most. */
  open: number[] | undefined;
  /** Numbers above the floor that were given up. */
  abandoned: number[] | undefined;
  usedAt: number;
}

/** All numbers of one incarnation. */
export class Outgoing {
  readonly #incarnation: string;
  #sender: string;
  readonly #sequences = new Map<string, Sequence>();
  #generation = 0;

  constructor(incarnation: string) {
    this.#incarnation = incarnation;
    this.#sender = `~${incarnation}.0`;
  }

  /** Takes the next number towards a receiver and lane. */
  take(receiver: string, now: number): number {
    let sequence = this.#sequences.get(receiver);
    if (sequence === undefined) {
      const sender = this.#sender;
      sequence = { sender, next: 1, open: undefined, abandoned: undefined, usedAt: now };
      this.#sequences.set(receiver, sequence);
    }
    const number = sequence.next;
    sequence.next += 1;
    sequence.usedAt = now;
    if (sequence.open === undefined) sequence.open = [number];
    else sequence.open.push(number);
    return number;
  }

  /** The numbering of a number as it stands now; taken anew for each attempt. */
  numbering(receiver: string, number: number): Numbering {
    const { sender, open, abandoned } = this.#sequences.get(receiver) as Sequence;
    const floor = lowest(open, number);
    if (abandoned === undefined || abandoned.length === 0) return { sender, number, floor };
    return { sender, number, floor, abandoned: [...abandoned] };
  }

  /** A number that will not be sent again: it was answered, or given up. */
  settle(receiver: string, number: number, isAnswered: boolean): void {
    const sequence = this.#sequences.get(receiver);
    if (sequence === undefined) return;
    close(sequence, number);
    const floor = lowest(sequence.open, sequence.next);
    if (!isAnswered && number > floor) {
      sequence.abandoned ??= [];
      sequence.abandoned.push(number);
    }
    if (sequence.abandoned !== undefined) {
      sequence.abandoned = sequence.abandoned.filter(given => given > floor);
      if (sequence.abandoned.length === 0) sequence.abandoned = undefined;
    }
  }

  /**
   * Forgets receivers that were not spoken to since `before`. Whoever is spoken to anew then knows
   * this sender by another name, so that old numbers and new ones never meet.
   */
  sweep(before: number): void {
    let isAny = false;
    for (const [receiver, sequence] of this.#sequences) {
      if (sequence.open !== undefined || sequence.usedAt >= before) continue;
      this.#sequences.delete(receiver);
      isAny = true;
    }
    if (!isAny) return;
    this.#generation += 1;
    this.#sender = `~${this.#incarnation}.${this.#generation}`;
  }
}

function close(sequence: Sequence, number: number): void {
  const { open } = sequence;
  const index = open?.indexOf(number) ?? -1;
  if (open === undefined || index < 0) return;
  if (open.length === 1) sequence.open = undefined;
  else if (index === 0) open.shift();
  else open.splice(index, 1);
}

function lowest(open: readonly number[] | undefined, otherwise: number): number {
  const first = open?.[0];
  return first === undefined || first > otherwise ? otherwise : first;
}
