/**
 * Who listens on what at the servers of the model, and how a message gets there: to each listener,
 * and to one of each queue. A new listener is known to the other servers a moment later.
 */
import type { SimNatsNet, SimNatsServer } from './sim-nats-net.ts';
import type { SimNatsPacket } from './sim-nats-packet.ts';
import { isPattern, matches } from './sim-nats-subjects.ts';
import type { SimRandom } from './sim-random.ts';

/** The server's end of a client's connection. */
export interface SimNatsEnd {
  readonly server: SimNatsServer;
  /** Whether the server still believes that the client is there. */
  readonly isOpen: boolean;
  /** Sends to the client what one of its listeners waits for. */
  hand(listener: SimNatsListener, packet: SimNatsPacket): void;
}

/** Somebody who listens on a subject. */
export interface SimNatsListener {
  readonly id: number;
  readonly end: SimNatsEnd;
  readonly pattern: string;
  readonly queue: string | undefined;
  /** When the other servers know of it. */
  readonly knownMs: number;
}

const knownAfterMs = { low: 0.1, high: 2 } as const;

/** All listeners of a cluster. */
export class SimNatsRouter {
  readonly #net: SimNatsNet;
  readonly #random: SimRandom;
  readonly #exact = new Map<string, Set<SimNatsListener>>();
  readonly #patterns = new Set<SimNatsListener>();

  constructor(net: SimNatsNet, random: SimRandom) {
    this.#net = net;
    this.#random = random;
  }

  /** Adds a listener. */
  add(listener: Omit<SimNatsListener, 'knownMs'>): SimNatsListener {
    const knownMs = this.#net.nowMs + this.#random.between(knownAfterMs.low, knownAfterMs.high);
    const added = { ...listener, knownMs };
    if (isPattern(listener.pattern)) this.#patterns.add(added);
    else {
      const others = this.#exact.get(listener.pattern) ?? new Set();
      others.add(added);
      this.#exact.set(listener.pattern, others);
    }
    return added;
  }

  /** Takes a listener away. */
  remove(listener: SimNatsListener): void {
    if (this.#patterns.delete(listener)) return;
    const others = this.#exact.get(listener.pattern);
    others?.delete(listener);
    if (others?.size === 0) this.#exact.delete(listener.pattern);
  }

  /** Sends from a server to whoever listens, as far as it knows; false when that is nobody. */
  deliver(server: SimNatsServer, subject: string, packet: SimNatsPacket): boolean {
    const queues = new Map<string, SimNatsListener[]>();
    let isHeard = false;
    for (const listener of this.#listening(subject)) {
      if (!this.#isKnown(server, listener)) continue;
      isHeard = true;
      if (listener.queue === undefined) this.#send(server, listener, packet);
      else {
        const key = `${listener.queue} ${listener.pattern}`;
        queues.set(key, [...(queues.get(key) ?? []), listener]);
      }
    }
    for (const members of queues.values()) {
      const chosen = this.#random.pick(members);
      if (chosen !== undefined) this.#send(server, chosen, packet);
    }
    return isHeard;
  }

  #listening(subject: string): SimNatsListener[] {
    const found = [...(this.#exact.get(subject) ?? [])];
    for (const each of this.#patterns) if (matches(each.pattern, subject)) found.push(each);
    return found;
  }

  #isKnown(server: SimNatsServer, { end, knownMs }: SimNatsListener): boolean {
    if (!end.isOpen) return false;
    if (end.server === server) return true;
    return this.#net.nowMs >= knownMs && this.#net.sees(server, end.server);
  }

  #send(server: SimNatsServer, listener: SimNatsListener, packet: SimNatsPacket): void {
    this.#net.send(server, listener.end.server, 'nats-message', () => {
      if (listener.end.isOpen) listener.end.hand(listener, packet);
    });
  }
}
