/**
 * What callers were told, kept outside the node that told them: every question, every answer, every
 * refusal. Orders are judged as the events arrive; what agents hold in the end is judged elsewhere.
 */
import type { Outcome } from '../../src/core/errors.ts';
import type { Answered, Operation, SeriesEvent } from './nats-series-events.ts';

/** An operation, as far as it is known outside. */
export interface KnownOperation extends Operation {
  /** The attempts that ended without an answer, by what they said. */
  readonly refusals: readonly Outcome[];
  /** Attempts of which nothing was heard: the node was killed meanwhile, or has yet to answer. */
  readonly unheard: number;
  readonly answer: Answered | undefined;
}

/** An answer, for whoever measures how long there was none. */
export interface AnswerTime {
  readonly agent: string;
  readonly kind: Operation['kind'];
  readonly at: number;
}

/** A refusal. */
export interface Refusal {
  readonly at: number;
  readonly code: string;
  readonly outcome: Outcome;
}

interface Entry extends Operation {
  readonly refusals: Outcome[];
  unheard: number;
  answer: Answered | undefined;
  /** The highest version that anybody had been told of when it was first asked. */
  readonly shown: number;
}

/**
 * What callers may be told while servers or networks fail. All else is a fault of the node.
 */
const expected: Readonly<Record<string, readonly Outcome[]>> = {
  // Refused by a node that could not renew its lease, or given up by it when that ran out.
  NO_QUORUM: ['not-executed', 'unknown'],
  // Nothing was sent, or it is open what became of what was sent.
  ENGINE_UNAVAILABLE: ['not-executed', 'unknown'],
  // It still waited in the mailbox, or its record was on its way.
  DEADLINE_EXCEEDED: ['not-executed', 'unknown'],
  // Held back behind an earlier message of the same caller.
  OVERLOADED: ['not-executed'],
};

/** Everything that was heard. */
export class SeriesHistory {
  readonly answers: AnswerTime[] = [];
  readonly refusals: Refusal[] = [];
  readonly complaints: string[] = [];
  /** What agents hold in the end. */
  readonly held = new Map<string, readonly number[]>();
  readonly #entries = new Map<number, Entry>();
  readonly #shown = new Map<string, number>();

  /** Takes the next event. */
  take(event: SeriesEvent): void {
    if (event.event === 'asked') this.#asked(event);
    else if (event.event === 'answered') this.#answered(event);
    else if (event.event === 'failed') this.#failed(event);
    else if (event.event === 'holds') this.held.set(event.agent, event.operations);
  }

  get operations(): readonly KnownOperation[] {
    return [...this.#entries.values()];
  }

  /** What was asked for under a key and has no answer. */
  get open(): readonly Operation[] {
    return [...this.#entries.values()]
      .filter(({ isKeyed, answer }) => isKeyed && answer === undefined)
      .map(({ id, kind, agent, isKeyed }) => ({ id, kind, agent, isKeyed }));
  }

  #asked(event: Extract<SeriesEvent, { event: 'asked' }>): void {
    const { id, kind, agent, isKeyed } = event;
    const known = this.#entries.get(id);
    if (known !== undefined) known.unheard += 1;
    else {
      const shown = this.#shown.get(agent) ?? 0;
      const entry = { id, kind, agent, isKeyed, refusals: [], unheard: 1, answer: undefined };
      this.#entries.set(id, { ...entry, shown });
    }
  }

  #answered({ id, at, epoch, version, value }: Extract<SeriesEvent, { event: 'answered' }>): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.complaints.push(`operation ${id} was answered and never asked`);
      return;
    }
    const { agent, kind, shown } = entry;
    entry.unheard -= 1;
    entry.answer = { epoch, version, value };
    this.answers.push({ agent, kind, at });
    this.#shown.set(agent, Math.max(this.#shown.get(agent) ?? 0, version));
    // A turn comes behind all that anybody was told of before it was asked, a read not before it.
    const isBehind = kind === 'count' ? version >= shown : version > shown;
    if (!isBehind) {
      this.complaints.push(`${kind} ${id} of ${agent} has version ${version}, after ${shown}`);
    }
  }

  #failed({ id, at, code, outcome, detail }: Extract<SeriesEvent, { event: 'failed' }>): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.complaints.push(`operation ${id} failed and was never asked`);
      return;
    }
    entry.unheard -= 1;
    entry.refusals.push(outcome);
    this.refusals.push({ at, code, outcome });
    if (expected[code]?.includes(outcome) === true) return;
    this.complaints.push(`${entry.agent}.${entry.kind}: ${code} ${outcome}: ${detail}`);
  }
}
