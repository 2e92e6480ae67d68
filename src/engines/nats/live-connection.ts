/**
 * A connection that was made: which messages leave, which requests wait, and what a failure means.
 * The client package reads and writes; it would buffer without bound, and names unlike things
 * alike, so nothing is handed to it that a server does not take at once.
 */
import type { NatsConnection, PublishOptions, Status } from '@nats-io/transport-node';
import { TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { ArrivedMessage } from './arrived-message.ts';
import type {
  NatsClient,
  NatsHeaders,
  NatsMessage,
  NatsPublishOptions,
  NatsReply,
  NatsRequestOptions,
  NatsServerInfo,
  NatsStatus,
  NatsSubscribeOptions,
} from './client.ts';
import {
  brokenError,
  closedError,
  downError,
  isAboutCredentials,
  permissionError,
  refusedOperation,
  sendError,
} from './connection-errors.ts';
import type { CheckedOptions } from './connection-options.ts';
import { shuffled } from './dial-order.ts';
import { RequestTable } from './request-table.ts';
import { SendWindow } from './send-window.ts';

type Package = typeof import('@nats-io/transport-node');

/** What was published just before a connection is closed is given so long to leave. */
const lastWordsMs = 1_000;
/** More servers than this are not worth a try. */
const serversMax = 100;
/** A line of the protocol has at most 4,096 bytes: two subjects and some numbers. */
const subjectBytesMax = 1_900;

/** What a live connection is made of. */
export interface LiveParts {
  readonly clock: Clock;
  readonly onRefused?: ((cause: TroupeError) => void) | undefined;
  readonly nats: Package;
  readonly wire: NatsConnection;
  readonly options: CheckedOptions;
}

/** A connection that its owner closes. */
export interface OpenConnection extends NatsClient, AsyncDisposable {
  /**
   * Goes to another server, if one takes us, although this one is there: it may be cut off from
   * the others. Requests in flight break. Does nothing while there is no connection.
   */
  leaveServer(): void;
}

/** The connection; `listenForAnswers` comes before the first request. */
export class LiveConnection implements OpenConnection {
  readonly #parts: LiveParts;
  readonly #wire: NatsConnection;
  readonly #table: RequestTable;
  readonly #window: SendWindow;
  readonly #answers: string;
  readonly #listeners = new Set<(status: NatsStatus) => void>();
  /** Called when the connection breaks, or is closed. */
  readonly #onBreak = new Set<(cause: TroupeError) => void>();
  #status: NatsStatus = 'connected';
  #server: NatsServerInfo;
  /** What a server said when it last threw us out. */
  #thrownOut: unknown;
  /** Why no answer can come: the server took the subscription for answers back. */
  #deaf: TroupeError | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: LiveParts) {
    this.#parts = parts;
    this.#wire = parts.wire;
    this.#table = new RequestTable(parts.clock, parts.options.requestsMax);
    this.#window = new SendWindow(parts.options.unreadBytesMax, () => this.#wire.flush());
    this.#answers = this.inbox();
    this.#server = serverInfo(parts.wire);
    this.#takeOverServers();
    void this.#watch(parts.wire.status());
  }

  get server(): NatsServerInfo {
    return this.#server;
  }

  get status(): NatsStatus {
    return this.#status;
  }

  /** @throws `UNAUTHORIZED`, `ENGINE_UNAVAILABLE`. */
  async listenForAnswers(): Promise<void> {
    const skipped = this.#answers.length + 1;
    const listener = (message: NatsMessage) =>
      this.#table.answer(message.subject.slice(skipped), message);
    const onEnded = (cause: TroupeError) => {
      this.#deaf = cause;
    };
    await this.subscribe(`${this.#answers}.*`, listener, { onEnded });
    this.#deaf = undefined;
  }

  publish(subject: string, payload: Uint8Array, options: NatsPublishOptions = {}): boolean {
    return this.#send(subject, payload, options) === undefined;
  }

  async request(
    subject: string,
    payload: Uint8Array,
    { timeoutMs, headers }: NatsRequestOptions,
  ): Promise<NatsReply> {
    if (this.#table.isFull) {
      const detail = `${this.#parts.options.requestsMax} requests to NATS wait for their answers`;
      return { status: 'unavailable', cause: new TroupeError('OVERLOADED', { detail }) };
    }
    if (this.#deaf !== undefined) return { status: 'unavailable', cause: this.#deaf };
    const { word, reply } = this.#table.open(subject, timeoutMs);
    const refusal = this.#send(subject, payload, { headers, reply: `${this.#answers}.${word}` });
    if (refusal !== undefined) this.#table.refuse(word, refusal);
    return reply;
  }

  async subscribe(
    subject: string,
    listener: (message: NatsMessage) => void,
    { queue, onEnded }: NatsSubscribeOptions = {},
  ): Promise<() => void> {
    const down = this.#whyDown();
    if (down !== undefined) throw down;
    let refusal: TroupeError | undefined;
    let isListening = false;
    const subscription = this.#wire.subscribe(checkedSubject(subject), {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error === null) guarded(() => listener(new ArrivedMessage(message)));
        else {
          const cause = permissionError('listen on', subject, error);
          refusal = cause;
          const hear = onEnded ?? this.#parts.onRefused;
          if (isListening) guarded(() => hear?.(cause));
        }
      },
    });
    try {
      await this.#roundTrip();
    } catch (error) {
      subscription.unsubscribe();
      throw error;
    }
    if (refusal !== undefined) throw refusal;
    isListening = true;
    return () => {
      // What the server has sent already is still heard: a request among it can be declined.
      if (!subscription.isClosed()) subscription.drain().catch(() => undefined);
    };
  }

  inbox(): string {
    const { nats, options } = this.#parts;
    return nats.createInbox(options.inboxPrefix);
  }

  onStatus(listener: (status: NatsStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  leaveServer(): void {
    if (this.#status !== 'connected') return;
    // Refused only when the connection is being closed, and then there is nothing to leave.
    this.#wire.reconnect().catch(() => undefined);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#status === 'connected') await this.#lastWords();
    this.#become('closed');
    await this.#wire.close();
  }

  /** Sends now or not at all; answers with why not. */
  #send(
    subject: string,
    payload: Uint8Array,
    { headers, reply }: NatsPublishOptions,
  ): TroupeError | undefined {
    const down = this.#whyDown();
    if (down !== undefined) return down;
    const bytes = payload.length + subject.length + (reply?.length ?? 0);
    if (!this.#window.hasRoomFor(bytes)) {
      const detail = `NATS at ${this.#server.name} does not read what is sent to it`;
      return new TroupeError('OVERLOADED', { detail });
    }
    try {
      const options: PublishOptions = {};
      if (reply !== undefined) options.reply = reply;
      if (headers !== undefined) options.headers = this.#headersOf(headers);
      this.#wire.publish(checkedSubject(subject), payload, options);
    } catch (error) {
      return sendError(error, subject);
    }
    this.#window.sent(bytes);
    return undefined;
  }

  #headersOf(record: NatsHeaders) {
    const headers = this.#parts.nats.headers();
    for (const [name, value] of Object.entries(record)) headers.append(name, value);
    return headers;
  }

  #whyDown(): TroupeError | undefined {
    if (this.#status === 'connected') return undefined;
    if (this.#status === 'closed') return closedError();
    return downError(this.#parts.options, this.#thrownOut);
  }

  /** Resolves when the server has read all that was sent before; rejects when that is not known. */
  async #roundTrip(): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#onBreak.add(reject);
    try {
      await Promise.race([this.#wire.flush(), promise]);
    } catch (error) {
      throw TroupeError.is(error) ? error : downError(this.#parts.options, error);
    } finally {
      this.#onBreak.delete(reject);
    }
  }

  async #lastWords(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.clock.setTimer(lastWordsMs, resolve);
    // A connection that breaks now has nothing more to say.
    await Promise.race([this.#roundTrip().catch(() => undefined), promise]);
    timer.cancel();
  }

  async #watch(events: AsyncIterable<Status>): Promise<void> {
    for await (const event of events) {
      if (event.type === 'ping') this.#everySecond();
      else if (event.type === 'disconnect') this.#become('disconnected');
      else if (event.type === 'reconnect') {
        this.#server = serverInfo(this.#wire);
        this.#takeOverServers();
        this.#thrownOut = undefined;
        this.#become('connected');
      } else if (event.type === 'error') this.#refused(event.error);
    }
    this.#become('closed');
  }

  #everySecond(): void {
    this.#takeOverServers();
    // Somebody may have given the permission back; until then it stays deaf.
    if (this.#deaf !== undefined) this.listenForAnswers().catch(() => undefined);
  }

  /**
   * Reconnecting goes to the servers that were named, and to those that they name; last to the one
   * that broke, which may stand still and cost a time-out.
   */
  #takeOverServers(): void {
    const named = [...this.#parts.options.servers, ...(this.#wire.info?.connect_urls ?? [])];
    const known = new Set(this.#wire.getServers().map(({ listen }) => listen));
    const wanted = new Set(named.slice(0, serversMax));
    if (known.size === wanted.size && [...wanted].every(server => known.has(server))) return;
    const current = this.#wire.getServer();
    wanted.delete(current);
    this.#wire.setServers([...shuffled([...wanted]), current]);
  }

  #become(status: NatsStatus): void {
    if (this.#status === status || this.#status === 'closed') return;
    this.#status = status;
    this.#window.reset();
    if (status !== 'connected') {
      const cause = brokenError(
        status === 'closed' ? 'the NATS connection was closed' : 'the NATS connection broke',
      );
      this.#table.endAll(cause);
      for (const tell of [...this.#onBreak]) tell(cause);
    }
    for (const listener of [...this.#listeners]) guarded(() => listener(status));
  }

  #refused(error: Error): void {
    if (isAboutCredentials(error)) this.#thrownOut = error;
    const refused = refusedOperation(error);
    // Refused subscriptions hear of it themselves.
    if (refused?.operation === 'subscription') return;
    const subject = refused?.subject ?? '';
    const cause =
      refused === undefined
        ? new TroupeError('ENGINE_FAILED', { detail: `NATS says: ${error.message}`, cause: error })
        : permissionError('publish on', subject, error);
    if (this.#table.refuseOldest(subject, cause)) return;
    guarded(() => this.#parts.onRefused?.(cause));
  }
}

function serverInfo({ info }: NatsConnection): NatsServerInfo {
  return {
    version: info?.version ?? '',
    name: info?.server_name ?? '',
    cluster: info?.cluster,
    payloadBytesMax: info?.max_payload ?? 0,
    hasJetStream: info?.jetstream === true,
  };
}

/** A line that is too long would cost us the connection. */
function checkedSubject(subject: string): string {
  // A character has at most three bytes for each unit of length.
  if (subject.length * 3 <= subjectBytesMax) return subject;
  const bytes = Buffer.byteLength(subject);
  if (bytes <= subjectBytesMax) return subject;
  throw new TroupeError('INVALID_INPUT', {
    detail: `a subject of ${bytes} bytes (${subject.slice(0, 40)}…): ${subjectBytesMax} is the limit`,
  });
}

/** What a listener throws would end the reader of the socket: it is thrown elsewhere, and loud. */
function guarded(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
