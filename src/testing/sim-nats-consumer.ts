/**
 * A push consumer of the model, as ordered readers make it: it lives in the memory of one server,
 * reads the replica there, however far that is, and ends with the server or when nobody listens any
 * more. Nothing is acknowledged and nothing is sent twice.
 */

import { simEpochMs } from './sim-clock.ts';
import type { SimEvent } from './sim-event-heap.ts';
import { noBytes, type SimNatsPacket } from './sim-nats-packet.ts';
import { headerBytes, type KeptMessage } from './sim-nats-store.ts';
import {
  type SimNatsReader,
  type SimNatsStream,
  type StreamReplica,
  storeOf,
} from './sim-nats-stream.ts';
import { matches } from './sim-nats-subjects.ts';

/** What the model reads of a consumer's configuration. */
export interface SimNatsConsumerConfig {
  readonly deliver_subject: string;
  readonly deliver_policy: string;
  readonly opt_start_seq: number;
  readonly filters: readonly string[];
  readonly headers_only: boolean;
  readonly idle_heartbeat: number;
  readonly inactive_threshold: number;
}

/** What a consumer is made of. */
export interface SimNatsConsumerOptions {
  readonly stream: SimNatsStream;
  readonly replica: StreamReplica;
  readonly name: string;
  readonly config: SimNatsConsumerConfig;
  /** The configuration as a server shows it. */
  readonly shown: object;
  /** Sends to whoever listens; false when nobody does. */
  send(subject: string, packet: SimNatsPacket): boolean;
  onEnd(): void;
}

const retryMs = 500;
const inactiveMsDefault = 5_000;

/** A push consumer. */
export class SimNatsConsumer implements SimNatsReader {
  readonly name: string;
  readonly replica: StreamReplica;
  readonly createdMs: number;
  readonly shown: object;
  readonly #options: SimNatsConsumerOptions;
  readonly #life: number;
  #first: KeptMessage[] = [];
  #nextSeq = 1;
  #deliveredSeq = 0;
  #streamSeq: number;
  #lastSentMs: number;
  #silentSinceMs: number | undefined;
  #timer: SimEvent | undefined;
  #isClosed = false;

  constructor(options: SimNatsConsumerOptions) {
    this.#options = options;
    this.name = options.name;
    this.replica = options.replica;
    this.shown = options.shown;
    this.createdMs = options.stream.home.net.nowMs;
    this.#lastSentMs = this.createdMs;
    this.#life = options.replica.server.life;
    this.#start();
    this.#streamSeq = (this.#first[0]?.seq ?? this.#nextSeq) - 1;
    this.#beat();
  }

  /** How many messages there were to send when it began. */
  get pending(): number {
    return this.#first.length + this.#ahead().length;
  }

  /** How far it is. */
  get delivered(): { readonly consumer_seq: number; readonly stream_seq: number } {
    return { consumer_seq: this.#deliveredSeq, stream_seq: this.#streamSeq };
  }

  /** Whether the server that holds it is still the one that made it. */
  get isAlive(): boolean {
    const { server } = this.replica;
    return !this.#isClosed && server.isAlive && server.life === this.#life;
  }

  /** Sends what there is. */
  deliver(): void {
    if (!this.isAlive || this.#silentSinceMs !== undefined) return;
    const waiting = [...this.#first, ...this.#ahead()];
    for (const [place, message] of waiting.entries()) {
      if (!this.#send(message, waiting.length - place - 1)) {
        this.#fellSilent();
        return;
      }
      if (this.#first[0] === message) this.#first.shift();
      else this.#nextSeq = message.seq + 1;
    }
    const { lastSeq } = storeOf(this.#options.stream, this.replica);
    this.#nextSeq = Math.max(this.#nextSeq, lastSeq + 1);
  }

  /** Ends it, and says so to nobody: the listener misses its heartbeats. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { scheduler } = this.#options.stream.home.net;
    if (this.#timer !== undefined) scheduler.cancel(this.#timer);
    this.#options.onEnd();
  }

  #start(): void {
    const { stream, config } = this.#options;
    const store = storeOf(stream, this.replica);
    const { deliver_policy: policy, filters, opt_start_seq } = config;
    this.#nextSeq = store.lastSeq + 1;
    if (policy === 'last_per_subject') this.#first = store.lastOfEach(filters);
    else if (policy === 'last') {
      const last = filters.flatMap(filter => store.last(filter) ?? []);
      this.#first = last.sort((left, right) => right.seq - left.seq).slice(0, 1);
    } else if (policy === 'by_start_sequence') this.#nextSeq = Math.max(1, opt_start_seq);
    else if (policy !== 'new') this.#nextSeq = Math.max(1, store.firstSeq);
  }

  #ahead(): KeptMessage[] {
    const store = storeOf(this.#options.stream, this.replica);
    const { filters } = this.#options.config;
    const ahead: KeptMessage[] = [];
    for (let seq = Math.max(this.#nextSeq, store.firstSeq); seq <= store.lastSeq; seq++) {
      const message = store.get(seq);
      if (message === undefined) continue;
      if (filters.some(filter => matches(filter, message.subject))) ahead.push(message);
    }
    return ahead;
  }

  #send(message: KeptMessage, pending: number): boolean {
    const { stream, config, name } = this.#options;
    const { seq, subject, payload, headers, timeMs } = message;
    const number = this.#deliveredSeq + 1;
    const time = `${Math.floor((simEpochMs + timeMs) * 1_000)}000`;
    const reply = `$JS.ACK.${stream.config.name}.${name}.1.${seq}.${number}.${time}.${pending}`;
    const size = `${payload.length + headerBytes(headers)}`;
    const packet = config.headers_only
      ? { subject, payload: noBytes, headers: { ...headers, 'Nats-Msg-Size': size }, reply }
      : { subject, payload, headers, reply };
    if (!this.#options.send(config.deliver_subject, packet)) return false;
    this.#deliveredSeq = number;
    this.#streamSeq = seq;
    this.#lastSentMs = stream.home.net.nowMs;
    return true;
  }

  #beat(): void {
    const { config, stream } = this.#options;
    const beatMs = config.idle_heartbeat / 1_000_000;
    if (beatMs === 0) return;
    this.#after(beatMs, () => {
      if (stream.home.net.nowMs - this.#lastSentMs >= beatMs) this.#sendBeat();
      if (this.#silentSinceMs === undefined) this.#beat();
    });
  }

  #sendBeat(): void {
    const { config, send } = this.#options;
    const headers = {
      'Nats-Last-Consumer': `${this.#deliveredSeq}`,
      'Nats-Last-Stream': `${this.#streamSeq}`,
    };
    const subject = config.deliver_subject;
    const isHeard = send(subject, { subject, payload: noBytes, headers, status: 100 });
    if (!isHeard) this.#fellSilent();
  }

  /** Nobody listens: it tries again for a while, as the listener may come back. */
  #fellSilent(): void {
    const { config, stream } = this.#options;
    const { net } = stream.home;
    const now = net.nowMs;
    this.#silentSinceMs ??= now;
    const silentMs = now - this.#silentSinceMs;
    const inactiveMs = config.inactive_threshold / 1_000_000 || inactiveMsDefault;
    if (silentMs >= inactiveMs) this.close();
    else this.#tryAgain(Math.min(retryMs, inactiveMs));
  }

  #tryAgain(delayMs: number): void {
    this.#after(delayMs, () => {
      const since = this.#silentSinceMs;
      this.#silentSinceMs = undefined;
      this.deliver();
      // A heartbeat shows whether somebody is there when there is nothing else to send.
      if (this.#silentSinceMs === undefined) this.#sendBeat();
      if (this.#silentSinceMs === undefined) this.#beat();
      else this.#silentSinceMs = since;
    });
  }

  #after(delayMs: number, task: () => void): void {
    const { scheduler } = this.#options.stream.home.net;
    if (this.#timer !== undefined) scheduler.cancel(this.#timer);
    this.#timer = scheduler.schedule({
      delayMs,
      kind: 'nats-consumer',
      task: () => {
        this.#timer = undefined;
        if (this.isAlive) task();
        else this.close();
      },
    });
  }
}
