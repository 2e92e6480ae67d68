/**
 * Listeners to events as they are accepted, each with a queue of its own.
 */
import type { EventMeta } from '../agent/history-types.ts';
import type { PublishedEvents } from '../agent/host.ts';
import { copyValue } from '../core/values.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ListenerQueue } from './listener-queue.ts';

type Listener = (data: unknown, meta: EventMeta) => void;

interface Subscription {
  readonly event: string | undefined;
  readonly queue: ListenerQueue<readonly [data: unknown, meta: EventMeta]>;
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
    const queue = new ListenerQueue<readonly [unknown, EventMeta]>({
      ...this.#options,
      name: `${address} ${event ?? 'events'}`,
      tell: ([data, meta]) => listener(data, meta),
    });
    const subscription: Subscription = { event, queue };
    const all = this.#subscriptions.get(address) ?? new Set();
    this.#subscriptions.set(address, all.add(subscription));
    return () => {
      queue.clear();
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
      for (const { event, queue } of subscriptions) {
        if (event === undefined || event === name) queue.push([copyValue(data, address), meta]);
      }
    }
  }
}
