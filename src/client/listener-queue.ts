/**
 * What waits for one listener. Each has a queue of its own, so that a slow one harms nobody: when
 * it is full the oldest entries are dropped, and that is logged.
 */
import { textOf } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What a queue needs. */
export interface ListenerQueueOptions<T> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly queueMax: number;
  /** Names the listener in the log. */
  readonly name: string;
  /** Tells the listener. What it throws is logged. */
  tell(entry: T): void;
}

/** The queue of one listener. */
export class ListenerQueue<T> {
  readonly #options: ListenerQueueOptions<T>;
  #entries: T[] = [];
  #dropped = 0;

  constructor(options: ListenerQueueOptions<T>) {
    this.#options = options;
  }

  /** Adds an entry; the listener is told soon, in order. */
  push(entry: T): void {
    const { clock, queueMax } = this.#options;
    this.#entries.push(entry);
    if (this.#entries.length > queueMax) {
      this.#entries.shift();
      this.#dropped += 1;
    }
    if (this.#entries.length + this.#dropped === 1) clock.defer(() => this.#drain());
  }

  /** Forgets what waits. */
  clear(): void {
    this.#entries = [];
  }

  #drain(): void {
    const { logger, name, tell } = this.#options;
    const entries = this.#entries;
    const dropped = this.#dropped;
    this.#entries = [];
    this.#dropped = 0;
    if (dropped > 0) {
      logger.warn('a slow listener missed what it listens to (limits.listenerQueueMax)', {
        listener: name,
        dropped,
      });
    }
    for (const entry of entries) {
      try {
        tell(entry);
      } catch (error) {
        logger.error('a listener threw', { listener: name, error: textOf(error) });
      }
    }
  }
}
