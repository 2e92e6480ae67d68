/**
 * The bus in memory: whoever holds a handle on the same store hears the others. Each listener runs
 * on its own, outside the publisher's call stack. What a listener throws is counted and harms
 * nobody: a publisher has promised nothing to it.
 */
import { TroupeError, wrapError } from '../../core/errors.ts';
import type { Bus, BusMessage, BusResponder } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import { checkPattern, checkTopic, topicMatcher } from './topic.ts';

interface Subscription {
  readonly matches: (topic: string) => boolean;
  readonly listener: (message: BusMessage) => void;
}

/** Makes a bus in memory. Delivery and time-outs go by the clock. */
export function memoryBuses(clock: Clock): MemoryBuses {
  return new MemoryBuses(clock);
}

/** Opens a bus of its own. */
export function memoryBus(clock: Clock): Bus {
  return new MemoryBuses(clock).open();
}

/** A bus in memory, with its switches. */
export class MemoryBuses {
  /** While true, what is published is lost on its way, and requests find nobody. */
  isCut = false;
  /** How many listeners threw. */
  listenerErrors = 0;
  readonly clock: Clock;
  readonly #subscriptions = new Set<Subscription>();
  readonly #responders = new Map<string, BusResponder[]>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A handle on the bus. Closing it ends its subscriptions. */
  open(): Bus {
    return new MemoryBus(this);
  }

  /** Delivers to whoever listens now. For handles. */
  publish(topic: string, payload: Uint8Array): void {
    if (this.isCut) return;
    for (const subscription of this.#subscriptions) {
      if (subscription.matches(topic)) this.#deliver(subscription, topic, payload);
    }
  }

  /** Adds a subscription. For handles. */
  subscribe(pattern: string, listener: (message: BusMessage) => void): () => void {
    const subscription = { matches: topicMatcher(pattern), listener };
    this.#subscriptions.add(subscription);
    return () => this.#subscriptions.delete(subscription);
  }

  /** Adds a responder. For handles. */
  respond(topic: string, responder: BusResponder): () => void {
    // Wrapped, so that the same function given twice is two responders.
    const own: BusResponder = message => responder(message);
    this.#responders.set(topic, [...(this.#responders.get(topic) ?? []), own]);
    return () => {
      const left = (this.#responders.get(topic) ?? []).filter(each => each !== own);
      if (left.length === 0) this.#responders.delete(topic);
      else this.#responders.set(topic, left);
    };
  }

  /** The responder of a topic: the one that came first. For handles. */
  responderOf(topic: string): BusResponder | undefined {
    return this.isCut ? undefined : this.#responders.get(topic)?.[0];
  }

  #deliver(subscription: Subscription, topic: string, payload: Uint8Array): void {
    const message = { topic, payload: new Uint8Array(payload) };
    this.clock.defer(() => {
      if (!this.#subscriptions.has(subscription)) return;
      try {
        subscription.listener(message);
      } catch {
        this.listenerErrors += 1;
      }
    });
  }
}

class MemoryBus implements Bus {
  readonly #store: MemoryBuses;
  readonly #stops = new Set<() => void>();
  #isClosed = false;

  constructor(store: MemoryBuses) {
    this.#store = store;
  }

  async publish(topic: string, payload: Uint8Array): Promise<void> {
    this.#refuseClosed();
    checkTopic(topic);
    this.#store.publish(topic, payload);
  }

  async subscribe(pattern: string, listener: (message: BusMessage) => void): Promise<() => void> {
    this.#refuseClosed();
    checkPattern(pattern);
    return this.#stoppable(this.#store.subscribe(pattern, listener));
  }

  async respond(topic: string, responder: BusResponder): Promise<() => void> {
    this.#refuseClosed();
    checkTopic(topic);
    return this.#stoppable(this.#store.respond(topic, responder));
  }

  async request(topic: string, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    this.#refuseClosed();
    checkTopic(topic);
    const responder = this.#store.responderOf(topic);
    if (responder === undefined) {
      throw new TroupeError('NODE_UNREACHABLE', {
        detail: `nobody responds on ${topic}`,
        outcome: 'not-executed',
      });
    }
    const message = { topic, payload: new Uint8Array(payload) };
    return ask(this.#store.clock, responder, message, timeoutMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#stops.clear();
  }

  #stoppable(stop: () => void): () => void {
    this.#stops.add(stop);
    return () => {
      stop();
      this.#stops.delete(stop);
    };
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new TroupeError('NOT_STARTED', { detail: 'the bus is closed' });
  }
}

function ask(
  clock: Clock,
  responder: BusResponder,
  message: BusMessage,
  timeoutMs: number,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => {
      reject(
        new TroupeError('DEADLINE_EXCEEDED', {
          detail: `no answer on ${message.topic} within ${timeoutMs} ms`,
        }),
      );
    });
    const respond = async () => {
      try {
        resolve(new Uint8Array(await responder(message)));
      } catch (error) {
        reject(wrapError('HANDLER_FAILED', error, `the responder on ${message.topic}`, 'unknown'));
      } finally {
        timer.cancel();
      }
    };
    clock.defer(() => void respond());
  });
}
