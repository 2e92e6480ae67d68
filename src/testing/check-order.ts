/** FIFO: what one sender sends to one receiver in one lane is consumed in the order of sending. */
import { groupBy, type Violation } from './history.ts';

/** A message that was consumed. */
export interface Consumption {
  readonly sender: string;
  readonly receiver: string;
  readonly lane: string;
  /** The place that the sender gave it: dense, from 1 or from wherever the history begins. */
  readonly number: number;
  /** When it was consumed, in the order of the recorder. */
  readonly order: number;
}

/** What a check of order looks at. */
export interface OrderHistory {
  readonly consumed: readonly Consumption[];
  /** Numbers that the sender gave up, as `sender receiver lane number`; see {@link numberKey}. */
  readonly abandoned?: ReadonlySet<string> | undefined;
  /** Whether a number may be missing (at most once), or must be consumed or abandoned. */
  readonly isGapAllowed?: boolean | undefined;
}

/** Checks that numbers rise strictly for each sender, receiver and lane, without gaps if asked. */
export function checkOrder(history: OrderHistory): Violation[] {
  const violations: Violation[] = [];
  for (const [lane, consumed] of groupBy(history.consumed, laneKey)) {
    const byOrder = consumed.toSorted((left, right) => left.order - right.order);
    for (const [place, each] of byOrder.entries()) {
      const before = byOrder[place - 1];
      if (before === undefined) continue;
      const message = judge(before, each, history);
      if (message !== undefined)
        violations.push({ check: 'order', message: `${lane}: ${message}` });
    }
  }
  return violations;
}

/** How an abandoned number is written down. */
export function numberKey(message: Omit<Consumption, 'order'>): string {
  return `${laneKey(message)} ${message.number}`;
}

function laneKey(message: Omit<Consumption, 'order' | 'number'>): string {
  return `${message.sender} ${message.receiver} ${message.lane}`;
}

function judge(before: Consumption, each: Consumption, history: OrderHistory): string | undefined {
  if (each.number === before.number) return `${each.number} was consumed twice`;
  if (each.number < before.number) return `${each.number} was consumed after ${before.number}`;
  if (history.isGapAllowed === true) return undefined;
  for (let number = before.number + 1; number < each.number; number++) {
    if (history.abandoned?.has(numberKey({ ...each, number })) === true) continue;
    return `${each.number} was consumed though ${number} was neither consumed nor abandoned`;
  }
  return undefined;
}
