/**
 * What the engine asks of a connection to NATS servers: publish, request and subscribe of core
 * NATS, and nothing of JetStream. The engine speaks the protocols of streams, keys and objects over
 * these three itself, so that the simulator can stand in for the servers below everything that
 * decides.
 */
import type { TroupeError } from '../../core/errors.ts';

/** The headers of a message: names as sent, one value each. */
export type NatsHeaders = Readonly<Record<string, string>>;

/** A message that arrived. */
export interface NatsMessage {
  readonly subject: string;
  /** Whoever keeps it copies it: it may be a view of a much larger buffer. */
  readonly payload: Uint8Array;
  readonly headers: NatsHeaders;
  /** The status line of a message without payload, such as 404 or 408; 0 when there is none. */
  readonly status: number;
  /** Where an answer is expected. */
  readonly reply?: string | undefined;
}

/** What became of a request. */
export type NatsReply =
  | { readonly status: 'answered'; readonly message: NatsMessage }
  /** Nobody listens on the subject: surely not handled. */
  | { readonly status: 'nobody' }
  /** Never handed to a server, or refused by it (not connected, too large, no permission). */
  | { readonly status: 'unavailable'; readonly cause: TroupeError }
  /** No answer in time, or the connection broke meanwhile: handled, or not, or handled later. */
  | { readonly status: 'unknown'; readonly cause: TroupeError };

/** How a message is published. */
export interface NatsPublishOptions {
  readonly headers?: NatsHeaders | undefined;
  readonly reply?: string | undefined;
}

/** How a request is made. */
export interface NatsRequestOptions {
  readonly timeoutMs: number;
  readonly headers?: NatsHeaders | undefined;
}

/** How a subscription is made. */
export interface NatsSubscribeOptions {
  /** Of the subscribers that name the same queue only one gets each message. */
  readonly queue?: string | undefined;
  /** Called when the server ends the subscription, for want of permission for example. */
  readonly onEnded?: ((cause: TroupeError) => void) | undefined;
}

/** Whether a connection is up. `closed` is for good. */
export type NatsStatus = 'connected' | 'disconnected' | 'closed';

/** The server at the other end. */
export interface NatsServerInfo {
  /** For example `2.15.1`. */
  readonly version: string;
  readonly name: string;
  /** The name of the cluster of servers, when it is one. */
  readonly cluster?: string | undefined;
  /** The largest message, headers included. */
  readonly payloadBytesMax: number;
  /** Whether it keeps streams itself, if it says so; another of its cluster may. */
  readonly hasJetStream?: boolean | undefined;
}

/**
 * A connection that comes back by itself.
 *
 * @remarks Messages of one connection on one subject arrive in order; across a reconnect some may
 * be missing, or come behind later ones. Nothing is buffered while the connection is down:
 * publishing answers false, and requests `unavailable`. Subscriptions outlive a reconnect.
 */
export interface NatsClient {
  /** The server now connected to, or the last one. */
  readonly server: NatsServerInfo;
  readonly status: NatsStatus;
  /** Sends a message; false when it surely did not leave. */
  publish(subject: string, payload: Uint8Array, options?: NatsPublishOptions): boolean;
  /** Sends a message and waits for one answer. Never throws. */
  request(subject: string, payload: Uint8Array, options: NatsRequestOptions): Promise<NatsReply>;
  /**
   * Listens on a subject, in which `*` stands for one word and a final `>` for one or more.
   * Resolves when the server listens too; returns the way to stop, after which the listener still
   * hears what was on its way.
   *
   * @throws `UNAUTHORIZED` or `ENGINE_UNAVAILABLE`.
   */
  subscribe(
    subject: string,
    listener: (message: NatsMessage) => void,
    options?: NatsSubscribeOptions,
  ): Promise<() => void>;
  /** A subject of this connection's own, for answers to messages that are published. */
  inbox(): string;
  /** Calls back on every change of {@link NatsClient.status}; returns the way to stop. */
  onStatus(listener: (status: NatsStatus) => void): () => void;
  close(): Promise<void>;
}
