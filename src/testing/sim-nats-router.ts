/**
 * Who listens on what at the servers of the model, and how a message gets there: to each listener,
 * and to one of each queue. A new listener is known to the other servers a moment later.
 */
import type { SimNatsNet, SimNatsServer } from './sim-nats-net.ts';
import type { SimNatsPacket } from './sim-nats-packet.ts';
import { isPattern, matches } from './sim-nats-subjects.ts';
import type { SimRandom } from './sim-random.ts';

const lateMs = 1_000;

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
  /** The other servers that know of it, or will when what is on its way arrives. */
  readonly knownTo: Set<SimNatsServer>;
  readonly toldTo: Set<SimNatsServer>;
}

/** All listeners of a cluster. */
export class SimNatsRouter {
  readonly #net: SimNatsNet;
  readonly #random: SimRandom;
  readonly #exact = new Map<string, Set<SimNatsListener>>();
  readonly #patterns = new Set<SimNatsListener>();

  readonly #onLate: () => void;

  constructor(net: SimNatsNet, random: SimRandom, onLate: () => void) {
    this.#net = net;
    this.#random = random;
    this.#onLate = onLate;
    net.onChange(() => this.#tellAll());
  }

  /** Adds a listener, and tells the other servers: what they get later they get knowing it. */
  add(listener: Omit<SimNatsListener, 'knownTo' | 'toldTo'>): SimNatsListener {
    const added: SimNatsListener = { ...listener, knownTo: new Set(), toldTo: new Set() };
    if (isPattern(listener.pattern)) this.#patterns.add(added);
    else {
      const others = this.#exact.get(listener.pattern) ?? new Set();
      others.add(added);
      this.#exact.set(listener.pattern, others);
    }
    this.#tell(added);
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

  #isKnown(server: SimNatsServer, { end, knownTo }: SimNatsListener): boolean {
    if (!end.isOpen) return false;
    if (end.server === server) return true;
    return knownTo.has(server) && this.#net.sees(server, end.server);
  }

  #tell({ end, knownTo, toldTo }: SimNatsListener): void {
    for (const other of this.#net.servers) {
      if (other === end.server || !this.#net.sees(end.server, other)) toldTo.delete(other);
      else if (!toldTo.has(other)) {
        toldTo.add(other);
        this.#net.send(end.server, other, 'nats-interest', () => knownTo.add(other));
      }
    }
  }

  /** Routes that come back bring everything that one side listens to. */
  #tellAll(): void {
    for (const listener of this.#patterns) this.#tell(listener);
    for (const others of this.#exact.values()) for (const listener of others) this.#tell(listener);
  }

  #send(server: SimNatsServer, listener: SimNatsListener, packet: SimNatsPacket): void {
    const sentMs = this.#net.nowMs;
    this.#net.send(server, listener.end.server, 'nats-message', () => {
      if (this.#net.nowMs - sentMs > lateMs) this.#onLate();
      if (listener.end.isOpen) listener.end.hand(listener, packet);
    });
  }
}
