/**
 * Messages by topic to whoever listens now, as a port: at most once, no memory. Topics are words
 * joined by dots; in a pattern `*` stands for one word and a final `>` for one or more.
 */

/** A message that a subscriber gets. */
export interface BusMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** What a responder is: it gets a message and answers with bytes. */
export type BusResponder = (message: BusMessage) => Promise<Uint8Array>;

/**
 * Publish and subscribe.
 *
 * @remarks Messages of one publisher to one subscriber on one topic arrive in order, or not at all.
 * Each subscriber runs outside the publisher's call stack; one that throws harms nobody else.
 */
export interface Bus {
  /** @throws `INVALID_INPUT` when the topic is empty, has empty words or wildcards. */
  publish(topic: string, payload: Uint8Array): Promise<void>;
  /** Returns the way to stop. */
  subscribe(pattern: string, listener: (message: BusMessage) => void): Promise<() => void>;
  /** Answers requests on exactly this topic. Returns the way to stop. */
  respond(topic: string, responder: BusResponder): Promise<() => void>;
  /**
   * Asks one responder.
   *
   * @throws `NODE_UNREACHABLE` (`not-executed`) at once when nobody responds on the topic;
   * `DEADLINE_EXCEEDED` after `timeoutMs`.
   */
  request(topic: string, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
