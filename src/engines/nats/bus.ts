/**
 * The bus on core NATS: one subject for each topic, and another space of subjects for requests, so
 * that who listens is not taken for one who answers. Nothing is kept and nothing is repeated; what
 * comes is handed on in the next tick, not on the stack of the socket.
 */
import { TroupeError, wrapError } from '../../core/errors.ts';
import type { Bus, BusMessage, BusResponder } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  bytesOfAnswer,
  deadlineHeader,
  failedHeaders,
  failureBytes,
  lateHeaders,
  nobodyResponds,
  stoppedHeaders,
} from './bus-answer.ts';
import { HeardOrder, orderHeader, orderOf } from './bus-order.ts';
import { subjectOfPattern, subjectOfTopic, topicOfSubject } from './bus-topic.ts';
import type { NatsClient, NatsHeaders, NatsMessage, NatsReply } from './client.ts';

/** What a bus stands on. */
export interface NatsBusOptions {
  /** Whoever made it closes it. */
  readonly client: NatsClient;
  readonly clock: Clock;
  /** What all its subjects begin with, without a dot at the end. */
  readonly prefix: string;
  /** How far the wall clocks of nodes may differ (default 2,000). */
  readonly clockSkewMsMax?: number | undefined;
  /** Told what a listener threw, and why the servers ended a subscription. */
  readonly onError?: ((error: TroupeError) => void) | undefined;
}

const clockSkewMsMaxDefault = 2_000;
/**
 * So long a responder that has stopped still declines. When it leaves, a request that another
 * server sends before it knows is lost; right after the stop is when there may be one.
 */
const decliningMs = 100;
/** What headers and the line before them take of the largest message. */
const headerBytesMax = 512;

/**
 * Opens a bus.
 *
 * @remarks A request carries its deadline. One that arrives later, as messages do that lay in a
 * socket during a partition, is not handed to the responder; clocks of nodes that differ by more
 * than a request's time and `clockSkewMsMax` make it fail the same way. With several servers a new
 * subscription takes a moment to be known to the others; until then a request there is told that
 * nobody responds.
 */
export function openNatsBus(options: NatsBusOptions): Bus {
  return new NatsBus(options);
}

class NatsBus implements Bus {
  readonly #client: NatsClient;
  readonly #clock: Clock;
  readonly #published: string;
  readonly #asked: string;
  readonly #skewMsMax: number;
  readonly #onError: (error: TroupeError) => void;
  readonly #stops = new Set<() => void>();
  /** Names this handle among the publishers. */
  readonly #id: string;
  #publishedCount = 0;
  #arrived: (() => void)[] = [];
  #isClosed = false;

  constructor({ client, clock, prefix, clockSkewMsMax, onError }: NatsBusOptions) {
    this.#client = client;
    this.#id = client.inbox().split('.').at(-1) ?? '';
    this.#clock = clock;
    this.#published = `${prefix}.pub`;
    this.#asked = `${prefix}.ask`;
    this.#skewMsMax = clockSkewMsMax ?? clockSkewMsMaxDefault;
    this.#onError = onError ?? (() => undefined);
  }

  async publish(topic: string, payload: Uint8Array): Promise<void> {
    this.#refuseClosed();
    const subject = subjectOfTopic(this.#published, topic);
    this.#refuseTooLarge(payload, topic);
    this.#publishedCount += 1;
    const headers = { [orderHeader]: orderOf(this.#id, this.#publishedCount) };
    // The connection reads the bytes later than this returns.
    if (this.#client.publish(subject, Uint8Array.from(payload), { headers })) return;
    throw new TroupeError('ENGINE_UNAVAILABLE', {
      detail: `publishing on ${topic}: there is no connection to a server`,
      outcome: 'not-executed',
    });
  }

  async subscribe(pattern: string, listener: (message: BusMessage) => void): Promise<() => void> {
    this.#refuseClosed();
    const subject = subjectOfPattern(this.#published, pattern);
    const order = new HeardOrder();
    return this.#listen(subject, undefined, (message, isStopped) => {
      if (isStopped() || !order.isNext(message.headers[orderHeader])) return;
      const topic = topicOfSubject(this.#published, message.subject);
      listener({ topic, payload: Uint8Array.from(message.payload) });
    });
  }

  async respond(topic: string, responder: BusResponder): Promise<() => void> {
    this.#refuseClosed();
    const subject = subjectOfTopic(this.#asked, topic);
    return this.#listen(subject, 'one', (message, isStopped) => {
      if (message.reply === undefined) return;
      if (isStopped()) return this.#send(message, new Uint8Array(), stoppedHeaders);
      if (this.#isLate(message)) return this.#send(message, new Uint8Array(), lateHeaders);
      void this.#answer(message, topic, responder);
    });
  }

  async request(topic: string, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    this.#refuseClosed();
    const subject = subjectOfTopic(this.#asked, topic);
    this.#refuseTooLarge(payload, topic);
    const startedAt = this.#clock.monotonic();
    const headers = { [deadlineHeader]: `${Math.ceil(this.#clock.now() + timeoutMs)}` };
    const question = Uint8Array.from(payload);
    const reply = await this.#client.request(subject, question, { timeoutMs, headers });
    if (reply.status === 'answered') return bytesOfAnswer(reply.message, topic);
    throw notAnswered(reply, { topic, timeoutMs, waitedMs: this.#clock.monotonic() - startedAt });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
  }

  async #listen(
    subject: string,
    queue: string | undefined,
    handle: (message: NatsMessage, isStopped: () => boolean) => void,
  ): Promise<() => void> {
    let isStopped = false;
    const arrived = (message: NatsMessage) => {
      this.#enqueue(() => handle(message, () => isStopped));
    };
    const options = { queue, onEnded: this.#onError };
    const unsubscribe = await this.#client.subscribe(subject, arrived, options);
    const stop = () => {
      if (isStopped) return;
      isStopped = true;
      this.#stops.delete(stop);
      if (queue === undefined) unsubscribe();
      else this.#clock.setTimer(decliningMs, unsubscribe);
    };
    this.#stops.add(stop);
    if (this.#isClosed) stop();
    this.#refuseClosed();
    return stop;
  }

  /** What came in one tick is handled in the next, in its order. */
  #enqueue(task: () => void): void {
    this.#arrived.push(task);
    if (this.#arrived.length > 1) return;
    this.#clock.defer(() => {
      const tasks = this.#arrived;
      this.#arrived = [];
      for (const each of tasks) this.#guard(each);
    });
  }

  #guard(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#onError(wrapError('HANDLER_FAILED', error, 'a listener of the bus'));
    }
  }

  /** Without a deadline that can be read it came from somebody else, and is answered. */
  #isLate({ headers }: NatsMessage): boolean {
    return this.#clock.now() > Number(headers[deadlineHeader]) + this.#skewMsMax;
  }

  async #answer(message: NatsMessage, topic: string, responder: BusResponder): Promise<void> {
    try {
      const answer = await responder({ topic, payload: Uint8Array.from(message.payload) });
      this.#refuseTooLarge(answer, topic, 'executed');
      this.#send(message, Uint8Array.from(answer));
    } catch (error) {
      this.#send(message, failureBytes(error, topic), failedHeaders);
    }
  }

  /** When there is no way back, the deadline of whoever asked is the answer. */
  #send({ reply }: NatsMessage, payload: Uint8Array, headers?: NatsHeaders): void {
    if (reply !== undefined) this.#client.publish(reply, payload, { headers });
  }

  #refuseTooLarge(payload: Uint8Array, topic: string, outcome?: 'executed'): void {
    const bytesMax = this.#client.server.payloadBytesMax - headerBytesMax;
    if (payload.length <= bytesMax) return;
    throw new TroupeError('PAYLOAD_TOO_LARGE', {
      detail: `${payload.length} bytes on ${topic}; the server takes at most ${bytesMax}`,
      outcome,
    });
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new TroupeError('NOT_STARTED', { detail: 'the bus is closed' });
  }
}

interface Waited {
  readonly topic: string;
  readonly timeoutMs: number;
  readonly waitedMs: number;
}

function notAnswered(
  reply: Exclude<NatsReply, { status: 'answered' }>,
  { topic, timeoutMs, waitedMs }: Waited,
): TroupeError {
  if (reply.status === 'nobody') return nobodyResponds(topic);
  const { cause } = reply;
  if (reply.status === 'unavailable') {
    const detail = `the request on ${topic} was not sent: ${cause.detail}`;
    return new TroupeError('ENGINE_UNAVAILABLE', { detail, outcome: 'not-executed', cause });
  }
  if (waitedMs < timeoutMs && cause.code !== 'DEADLINE_EXCEEDED') {
    const detail = `the connection broke while ${topic} was asked: ${cause.detail}`;
    return new TroupeError('NODE_UNREACHABLE', { detail, outcome: 'unknown', cause });
  }
  const detail = `no answer on ${topic} within ${timeoutMs} ms`;
  return new TroupeError('DEADLINE_EXCEEDED', { detail, cause });
}
