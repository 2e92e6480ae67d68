/**
 * Links in memory: handles on the same store reach each other under any `host:port`. Frames travel
 * one at a time, outside the sender's call stack and in order. A slow receiver is a switch, so is a
 * cut cable.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Link, LinkConnection, LinkListener } from '../../ports/link.ts';
import { connectionPair, type MemoryConnection, type PairOptions } from './link-connection.ts';

/** How {@link memoryLinks} works. */
export interface MemoryLinkOptions {
  /** Frames are delivered by it. */
  readonly clock: Clock;
  /** The largest frame (default 16 MiB). */
  readonly frameBytesMax?: number | undefined;
  /** What may wait on a connection before `send` answers `false` (default 1 MiB). */
  readonly queueBytesSoftMax?: number | undefined;
}

type Accept = (connection: LinkConnection) => void;

/** Makes a network in memory. */
export function memoryLinks(options: MemoryLinkOptions): MemoryLinks {
  return new MemoryLinks(options);
}

/** A network in memory, with its switches. */
export class MemoryLinks {
  readonly #pairOptions: PairOptions;
  readonly #accepting = new Map<string, Accept>();
  readonly #connections = new Set<MemoryConnection>();
  #portLast = 49_151;
  #isPaused = false;

  constructor(options: MemoryLinkOptions) {
    this.#pairOptions = {
      clock: options.clock,
      frameBytesMax: options.frameBytesMax ?? 16 * 1_048_576,
      queueBytesSoftMax: options.queueBytesSoftMax ?? 1_048_576,
      isPaused: () => this.#isPaused,
    };
  }

  /** A handle on the network. Closing it ends its listeners and connections. */
  open(): Link {
    return new MemoryLink(this);
  }

  /** Holds all frames back, or lets them go again. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (isPaused) return;
    for (const connection of this.#connections) connection.pump();
  }

  /** Resets every connection, as a cut cable does. */
  resetAll(): void {
    for (const connection of [...this.#connections]) connection.shut('reset');
  }

  /** Takes an address. For handles. */
  listen(address: string, accept: Accept): string {
    const bound = address.replace(/:0$/, () => `:${this.#nextPort()}`);
    if (this.#accepting.has(bound)) {
      throw new TroupeError('PORT_IN_USE', { detail: `${bound} is taken` });
    }
    this.#accepting.set(bound, accept);
    return bound;
  }

  /** Gives an address back. For handles. */
  unlisten(address: string): void {
    this.#accepting.delete(address);
  }

  /** Connects to an address. For handles. */
  connect(address: string): MemoryConnection {
    const accept = this.#accepting.get(address);
    if (accept === undefined) {
      throw new TroupeError('NODE_UNREACHABLE', {
        detail: `nobody accepts connections on ${address}`,
        outcome: 'not-executed',
      });
    }
    const [here, there] = connectionPair(address, `dialler:${this.#nextPort()}`, this.#pairOptions);
    for (const connection of [here, there]) {
      this.#connections.add(connection);
      connection.onClose(() => this.#connections.delete(connection));
    }
    this.#pairOptions.clock.defer(() => accept(there));
    return here;
  }

  #nextPort(): number {
    this.#portLast += 1;
    return this.#portLast;
  }
}

class MemoryLink implements Link {
  readonly #store: MemoryLinks;
  readonly #listeners = new Set<LinkListener>();
  readonly #connections = new Set<LinkConnection>();
  #isClosed = false;

  constructor(store: MemoryLinks) {
    this.#store = store;
  }

  async listen(address: string, onConnection: Accept): Promise<LinkListener> {
    this.#refuseClosed();
    const bound = this.#store.listen(address, connection => {
      this.#own(connection);
      onConnection(connection);
    });
    const listener: LinkListener = {
      address: bound,
      close: async () => {
        if (this.#listeners.delete(listener)) this.#store.unlisten(bound);
      },
    };
    this.#listeners.add(listener);
    return listener;
  }

  async connect(address: string): Promise<LinkConnection> {
    this.#refuseClosed();
    const connection = this.#store.connect(address);
    this.#own(connection);
    return connection;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const listener of [...this.#listeners]) await listener.close();
    for (const connection of [...this.#connections]) connection.close();
  }

  #own(connection: LinkConnection): void {
    if (this.#isClosed) connection.close();
    this.#connections.add(connection);
    connection.onClose(() => this.#connections.delete(connection));
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new TroupeError('NOT_STARTED', { detail: 'the link is closed' });
  }
}
