/**
 * A client of NATS that a test answers for: each request is noted and gets the next answer that was
 * put up, or the one that stands.
 */
import { TroupeError } from '../../src/core/errors.ts';
import type {
  NatsClient,
  NatsHeaders,
  NatsMessage,
  NatsReply,
  NatsRequestOptions,
  NatsServerInfo,
  NatsStatus,
  NatsSubscribeOptions,
} from '../../src/engines/nats/client.ts';

/** A request or a message that was sent. */
export interface SentToNats {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: NatsHeaders;
}

type Answer = NatsReply | ((sent: SentToNats) => NatsReply | Promise<NatsReply>);

/** The client. */
export class FakeNatsClient implements NatsClient {
  server: NatsServerInfo = { version: '2.15.1', name: 'fake', payloadBytesMax: 1_048_576 };
  status: NatsStatus = 'connected';
  readonly requests: (SentToNats & Pick<NatsRequestOptions, 'timeoutMs'>)[] = [];
  readonly published: SentToNats[] = [];
  /** Whether what is published leaves. */
  isSending = true;
  /** Answers every request for which none was put up. */
  standing: Answer = { status: 'nobody' };
  readonly #answers: Answer[] = [];
  readonly #subscriptions = new Map<string, Set<(message: NatsMessage) => void>>();
  readonly #listeners = new Set<(status: NatsStatus) => void>();
  readonly #ends: ((cause: TroupeError) => void)[] = [];

  /** Puts up answers for the next requests. */
  next(...answers: Answer[]): this {
    this.#answers.push(...answers);
    return this;
  }

  /** How many answers nobody has asked for yet. */
  get answersLeft(): number {
    return this.#answers.length;
  }

  publish(
    subject: string,
    payload: Uint8Array,
    { headers = {} }: { headers?: NatsHeaders | undefined } = {},
  ): boolean {
    if (this.isSending) this.published.push({ subject, payload, headers });
    return this.isSending;
  }

  async request(
    subject: string,
    payload: Uint8Array,
    { timeoutMs, headers = {} }: NatsRequestOptions,
  ): Promise<NatsReply> {
    const sent = { subject, payload, headers, timeoutMs };
    this.requests.push(sent);
    const answer = this.#answers.shift() ?? this.standing;
    return typeof answer === 'function' ? answer(sent) : answer;
  }

  async subscribe(
    subject: string,
    listener: (message: NatsMessage) => void,
    { onEnded }: NatsSubscribeOptions = {},
  ): Promise<() => void> {
    this.#ends.push(cause => onEnded?.(cause));
    const own = (message: NatsMessage) => listener(message);
    const listeners = this.#subscriptions.get(subject) ?? new Set();
    this.#subscriptions.set(subject, listeners.add(own));
    return () => listeners.delete(own);
  }

  inbox(): string {
    return '_INBOX.fake';
  }

  onStatus(listener: (status: NatsStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Says that the connection is up again, or down. */
  become(status: NatsStatus): void {
    this.status = status;
    for (const listener of this.#listeners) listener(status);
  }

  /** Ends all subscriptions, as a server does that takes a permission back. */
  endSubscriptions(cause: TroupeError): void {
    this.#subscriptions.clear();
    for (const end of this.#ends.splice(0)) end(cause);
  }

  /** How many subscriptions there are. */
  get subscriptionCount(): number {
    return [...this.#subscriptions.values()].reduce((count, all) => count + all.size, 0);
  }

  /** Hands a message to who subscribed to exactly this. */
  arrive(subscribed: string, message: Partial<NatsMessage> = {}): void {
    for (const listener of this.#subscriptions.get(subscribed) ?? []) {
      listener({ ...natsMessage(''), subject: subscribed, ...message });
    }
  }

  async close(): Promise<void> {
    this.become('closed');
  }
}

/** A message of JSON, or of text as it is. */
export function natsMessage(content: unknown, headers: NatsHeaders = {}): NatsMessage {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return { subject: '_INBOX.fake', payload: Buffer.from(text), headers, status: 0 };
}

/** An answer of JSON, or of text as it is. */
export function natsAnswer(content: unknown, headers?: NatsHeaders): NatsReply {
  return { status: 'answered', message: natsMessage(content, headers) };
}

/** A refusal of JetStream. */
export function natsRefusal(errorCode: number, description = 'refused on purpose'): NatsReply {
  return natsAnswer({ error: { code: 400, err_code: errorCode, description } });
}

/** Nothing was sent. */
export function natsUnavailable(code: TroupeError['code'] = 'ENGINE_UNAVAILABLE'): NatsReply {
  const cause = new TroupeError(code, { detail: 'not sent on purpose', outcome: 'not-executed' });
  return { status: 'unavailable', cause };
}

/** No answer came. */
export function natsUnknown(code: TroupeError['code'] = 'DEADLINE_EXCEEDED'): NatsReply {
  return { status: 'unknown', cause: new TroupeError(code, { detail: 'lost on purpose' }) };
}
