/**
 * A client of the modelled servers, as `connection.ts` makes one of the real ones: nothing is
 * buffered while it is down, what is in flight when a connection breaks is unknown, and it comes
 * back by itself, to whichever server lets it in.
 */
import { TroupeError } from '../core/errors.ts';
import type {
  NatsClient,
  NatsMessage,
  NatsPublishOptions,
  NatsReply,
  NatsRequestOptions,
  NatsServerInfo,
  NatsStatus,
  NatsSubscribeOptions,
} from '../engines/nats/client.ts';
import { brokenError, closedError } from '../engines/nats/connection-errors.ts';
import { RequestTable } from '../engines/nats/request-table.ts';
import type { Clock } from '../ports/clock.ts';
import type { SimOwner } from './sim-event-heap.ts';
import { type SimNatsCluster, simNatsPayloadBytesMax } from './sim-nats-cluster.ts';
import type { SimNatsServer } from './sim-nats-net.ts';
import { noHeaders, type SimNatsPacket } from './sim-nats-packet.ts';
import type { SimNatsSocket } from './sim-nats-socket.ts';
import { headerBytes } from './sim-nats-store.ts';
import { isSubject } from './sim-nats-subjects.ts';
import type { SimRandom } from './sim-random.ts';

/** What a client is made of. */
export interface SimNatsClientOptions {
  readonly cluster: SimNatsCluster;
  readonly clock: Clock;
  /** The life of the process that it is in. */
  readonly owner: SimOwner;
}

const requestsMax = 20_000;
const subjectCharsMax = 1_900;
const firstMs = { low: 5, high: 40 } as const;
const againMs = { low: 200, high: 300 } as const;
const handshakeMs = { low: 1, high: 4 } as const;
/** How long a server may take to let us in. */
const connectTimeoutMs = 3_000;

/**
 * Connects to the first server that lets us in.
 *
 * @throws `ENGINE_UNAVAILABLE` when none does.
 */
export async function connectSimNats(options: SimNatsClientOptions): Promise<NatsClient> {
  const client = new SimNatsClient(options);
  await client.connect();
  return client;
}

interface Listener {
  readonly id: number;
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly tell: (message: NatsMessage) => void;
}

class SimNatsClient implements NatsClient {
  readonly #options: SimNatsClientOptions;
  readonly #random: SimRandom;
  readonly #table: RequestTable;
  readonly #answers: string;
  readonly #listeners = new Map<number, Listener>();
  readonly #statusListeners = new Set<(status: NatsStatus) => void>();
  readonly #onBreak = new Set<(cause: TroupeError) => void>();
  #servers: readonly SimNatsServer[];
  #turn = 0;
  #socket: SimNatsSocket | undefined;
  #status: NatsStatus = 'disconnected';
  #server: NatsServerInfo;
  #lastId = 0;

  constructor(options: SimNatsClientOptions) {
    this.#options = options;
    this.#random = options.cluster.nextClientLuck(options.owner.label);
    this.#table = new RequestTable(options.clock, requestsMax);
    this.#servers = dialOrder(options.cluster, this.#random);
    this.#server = this.#infoOf(undefined);
    this.#answers = this.inbox();
  }

  get server(): NatsServerInfo {
    return this.#server;
  }

  get status(): NatsStatus {
    return this.#status;
  }

  /** Tries each server once. */
  async connect(): Promise<void> {
    const skipped = this.#answers.length + 1;
    this.#addListener(`${this.#answers}.*`, message =>
      this.#table.answer(message.subject.slice(skipped), message),
    );
    for (const server of this.#servers) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      this.#dial(server, resolve);
      if (await promise) return;
    }
    throw this.#downError();
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
      const detail = `${requestsMax} requests to NATS wait for their answers`;
      return { status: 'unavailable', cause: new TroupeError('OVERLOADED', { detail }) };
    }
    const { word, reply } = this.#table.open(subject, timeoutMs);
    const refusal = this.#send(subject, payload, { headers, reply: `${this.#answers}.${word}` });
    if (refusal !== undefined) this.#table.refuse(word, refusal);
    return reply;
  }

  async subscribe(
    subject: string,
    listener: (message: NatsMessage) => void,
    { queue }: NatsSubscribeOptions = {},
  ): Promise<() => void> {
    const socket = this.#socket;
    if (socket === undefined) throw this.#downError();
    if (!isSubject(subject, true)) throw badSubject(subject);
    const added = this.#addListener(subject, listener, queue);
    const stop = () => this.#stop(added.id);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#onBreak.add(reject);
    try {
      socket.listen([added], resolve);
      await promise;
    } catch (error) {
      stop();
      throw error;
    } finally {
      this.#onBreak.delete(reject);
    }
    return stop;
  }

  inbox(): string {
    return `_INBOX.${this.#random.hex(11)}`;
  }

  onStatus(listener: (status: NatsStatus) => void): () => void {
    this.#statusListeners.add(listener);
    return () => {
      this.#statusListeners.delete(listener);
    };
  }

  async close(): Promise<void> {
    if (this.#status === 'closed') return;
    const socket = this.#socket;
    this.#become('closed');
    this.#listeners.clear();
    socket?.close();
    this.#socket = undefined;
  }

  /** Sends now or not at all; answers with why not. */
  #send(
    subject: string,
    payload: Uint8Array,
    { headers = noHeaders, reply }: NatsPublishOptions,
  ): TroupeError | undefined {
    const socket = this.#socket;
    if (socket === undefined) return this.#downError();
    // Servers take wildcards for words here.
    if (!isSubject(subject, true) || subject.length > subjectCharsMax) return badSubject(subject);
    const bytes = payload.length + headerBytes(headers);
    if (bytes > simNatsPayloadBytesMax) {
      const detail = `a message on ${subject} is larger than the servers allow (max_payload)`;
      return new TroupeError('PAYLOAD_TOO_LARGE', { detail });
    }
    // What was sent must not change when the sender goes on using its bytes.
    socket.publish({ subject, payload: new Uint8Array(payload), headers: { ...headers }, reply });
    return undefined;
  }

  #addListener(
    pattern: string,
    tell: (message: NatsMessage) => void,
    queue?: string | undefined,
  ): Listener {
    this.#lastId++;
    const listener = { id: this.#lastId, pattern, queue, tell };
    this.#listeners.set(listener.id, listener);
    return listener;
  }

  #dial(server: SimNatsServer, done: (isIn: boolean) => void): void {
    const { cluster, owner } = this.#options;
    const isIn = cluster.canEnter(server, owner);
    // A port that nobody listens on says so at once; silence takes as long as we wait.
    const isSilent = !isIn && server.isAlive;
    const { low, high } = handshakeMs;
    const delayMs = isSilent ? connectTimeoutMs : this.#random.between(low, high);
    this.#after(delayMs, () => {
      if (!isIn || !cluster.canEnter(server, owner) || this.#status === 'closed')
        return done(false);
      this.#enter(server, done);
    });
  }

  #enter(server: SimNatsServer, done: (isIn: boolean) => void): void {
    const { cluster, owner } = this.#options;
    const socket: SimNatsSocket = cluster.open({
      server,
      owner,
      onMessage: (id, packet) => this.#arrived(id, packet),
      onBroken: () => {
        if (this.#socket === socket) this.#broke();
        else done(false);
      },
    });
    socket.listen([...this.#listeners.values()], () => {
      if (this.#status === 'closed') return socket.close();
      this.#socket = socket;
      if (this.#server.name !== '') cluster.met('reconnect');
      this.#server = this.#infoOf(server);
      done(true);
      this.#become('connected');
    });
  }

  #broke(): void {
    this.#socket = undefined;
    // The server that it was at comes last: it may be frozen, and take long to say nothing.
    const place = this.#servers.findIndex(({ name }) => name === this.#server.name);
    this.#turn = place + 1;
    this.#become('disconnected');
    this.#comeBack(this.#random.between(firstMs.low, firstMs.high));
  }

  #comeBack(delayMs: number): void {
    this.#after(delayMs, () => {
      const { cluster, owner } = this.#options;
      const { dialFirst: first } = cluster;
      const isLed = first !== undefined && cluster.canEnter(first, owner);
      const server = isLed ? first : this.#servers[this.#turn++ % this.#servers.length];
      if (server === undefined || this.#status !== 'disconnected') return;
      this.#dial(server, isIn => {
        if (!isIn) this.#comeBack(this.#random.between(againMs.low, againMs.high));
      });
    });
  }

  #become(status: NatsStatus): void {
    if (this.#status === status || this.#status === 'closed') return;
    this.#status = status;
    if (status !== 'connected') {
      const what = status === 'closed' ? 'was closed' : 'broke';
      const cause = brokenError(`the NATS connection ${what}`);
      this.#table.endAll(cause);
      for (const tell of [...this.#onBreak]) tell(cause);
    }
    for (const listener of [...this.#statusListeners]) listener(status);
  }

  /** What was on its way is still heard, while the connection lasts. */
  #stop(id: number): void {
    const forget = () => {
      this.#onBreak.delete(forget);
      this.#listeners.delete(id);
    };
    const socket = this.#socket;
    if (socket === undefined) {
      forget();
      return;
    }
    this.#onBreak.add(forget);
    socket.unlisten(id);
    socket.roundTrip(forget);
  }

  #arrived(id: number, { subject, payload, headers, status = 0, reply }: SimNatsPacket): void {
    this.#listeners
      .get(id)
      ?.tell({ subject, payload: new Uint8Array(payload), headers, status, reply });
  }

  #after(delayMs: number, task: () => void): void {
    const { cluster, owner } = this.#options;
    cluster.scheduler.schedule({ delayMs, kind: 'nats-dial', owner, task });
  }

  #downError(): TroupeError {
    if (this.#status === 'closed') return closedError();
    return new TroupeError('ENGINE_UNAVAILABLE', {
      detail: 'there is no connection to the simulated NATS servers now',
      outcome: 'not-executed',
    });
  }

  #infoOf(server: SimNatsServer | undefined): NatsServerInfo {
    const { version, servers } = this.#options.cluster;
    const cluster = servers.length > 1 ? 'simulated' : undefined;
    const payloadBytesMax = simNatsPayloadBytesMax;
    return { version, name: server?.name ?? '', cluster, payloadBytesMax };
  }
}

function dialOrder({ servers, dialFirst }: SimNatsCluster, random: SimRandom): SimNatsServer[] {
  const shuffled = random.shuffle(servers);
  if (dialFirst === undefined) return shuffled;
  return [dialFirst, ...shuffled.filter(each => each !== dialFirst)];
}

function badSubject(subject: string): TroupeError {
  return new TroupeError('INVALID_INPUT', {
    detail: `a message on ${JSON.stringify(subject.slice(0, 60))} cannot be sent`,
  });
}
