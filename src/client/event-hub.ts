/**
 * Listeners to events as they are accepted. Each has a queue of its own, so that a slow one harms
 * nobody: when its queue is full the oldest events are dropped, and that is logged.
 */

import type { EventMeta } from '../agent/history-types.ts';
import type { PublishedEvents } from '../agent/host.ts';
import { textOf } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../telemetry/logger.ts';

type Listener = (data: unknown, meta: EventMeta) => void;

interface Subscription {
  readonly event: string | undefined;
  readonly listener: Listener;
  queue: (readonly [data: unknown, meta: EventMeta])[];
  dropped: number;
}

/** What an event hub needs. */
export interface EventHubOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly queueMax: number;
}

/** All listeners of a node. */
export class EventHub {
  readonly #options: EventHubOptions;
  readonly #subscriptions = new Map<string, Set<Subscription>>();

  constructor(options: EventHubOptions) {
    this.#options = options;
  }

  /** Listens to one event of an agent, or to all. Returns the way to stop. */
  on(address: string, event: string | undefined, listener: Listener): () => void {
    const subscription: Subscription = { event, listener, queue: [], dropped: 0 };
    const all = this.#subscriptions.get(address) ?? new Set();
    this.#subscriptions.set(address, all.add(subscription));
    return () => {
      subscription.queue = [];
      all.delete(subscription);
      if (all.size === 0) this.#subscriptions.delete(address);
    };
  }

  /** Tells the listeners of an agent. */
  publish({ address, events, position, at }: PublishedEvents): void {
    const subscriptions = this.#subscriptions.get(address);
    if (subscriptions === undefined) return;
    for (const [index, [name, data]] of events.entries()) {
      const meta = { agent: address, ...position, index, at: new Date(at) };
      for (const subscription of subscriptions) {
        if (subscription.event === undefined || subscription.event === name)
          this.#enqueue(subscription, data, meta);
      }
    }
  }

  #enqueue(subscription: Subscription, data: unknown, meta: EventMeta): void {
    const { clock, queueMax } = this.#options;
    subscription.queue.push([copyValue(data, meta.agent), meta]);
    if (subscription.queue.length > queueMax) {
      subscription.queue.shift();
      subscription.dropped += 1;
    }
    if (subscription.queue.length === 1) clock.defer(() => this.#drain(subscription));
  }

  #drain(subscription: Subscription): void {
    const { queue, dropped, listener } = subscription;
    subscription.queue = [];
    subscription.dropped = 0;
    if (dropped > 0) this.#options.logger.warn('a slow listener missed events', { dropped });
    for (const [data, meta] of queue) {
      try {
        listener(data, meta);
      } catch (error) {
        this.#options.logger.error('an event listener threw', {
          agent: meta.agent,
          error: textOf(error),
        });
      }
    }
  }
}
