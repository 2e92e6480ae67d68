/**
 * The faults of single requests in the model of JetStream, on switches: one fires because a test
 * asked for it next, or because a rate and the seed say so.
 */
import type { SimRandom } from './sim-random.ts';

/** The faults of a publish to a stream. */
export const natsWriteFaults = [
  /** Stored, and the acknowledgement lost. */
  'lost-ack',
  /** Stored only seconds later, when whoever sent it has given up. */
  'late-write',
  /** Lost on its way to the leader. */
  'lost-write',
  /** Nobody takes it: the leader is being elected, as far as this server knows. */
  'no-responder',
  /** Refused because of a rival in flight that comes to nothing (10164). */
  'rival-in-flight',
  /** Said to be there already, and it is not. Servers were seen to say so of messages with ids. */
  'false-duplicate',
  /** Said to be in process (10158), as servers say of messages with ids. */
  'duplicate-in-process',
] as const;

/** The faults of a request to the API. */
export const natsReadFaults = [
  /** Refused for now (10008). */
  'api-unavailable',
  /** The answer, or the request, is lost. */
  'lost-answer',
  /** Of an answer of several messages one is lost. */
  'lost-part',
] as const;

/** A fault of a publish. */
export type NatsWriteFault = (typeof natsWriteFaults)[number];

/** A fault of a request to the API. */
export type NatsReadFault = (typeof natsReadFaults)[number];

/** A fault of a single request. */
export type NatsRequestFault = NatsWriteFault | NatsReadFault;

/** The switches of the faults of single requests. All are off at first. */
export class SimNatsSwitches {
  readonly #random: SimRandom;
  readonly #onFault: (kind: NatsRequestFault) => void;
  readonly #rates = new Map<NatsRequestFault, number>();
  readonly #next: NatsRequestFault[] = [];

  constructor(random: SimRandom, onFault: (kind: NatsRequestFault) => void) {
    this.#random = random;
    this.#onFault = onFault;
  }

  /** Makes the next request that can fail so do it. */
  next(kind: NatsRequestFault, times = 1): void {
    for (let count = 0; count < times; count++) this.#next.push(kind);
  }

  /** Makes each request that can fail so do it with this probability. */
  rate(kind: NatsRequestFault, probability: number): void {
    this.#rates.set(kind, probability);
  }

  /** Turns all switches off. */
  clear(): void {
    this.#rates.clear();
    this.#next.length = 0;
  }

  /** Whether a fault happens now to a request that can meet it. */
  fires(kind: NatsRequestFault): boolean {
    const place = this.#next.indexOf(kind);
    const rate = this.#rates.get(kind) ?? 0;
    // Always drawn, so that a fault that is asked for shifts nothing.
    const isDrawn = this.#random.chance(rate);
    if (place < 0 && !isDrawn) return false;
    if (place >= 0) this.#next.splice(place, 1);
    this.#onFault(kind);
    return true;
  }
}
