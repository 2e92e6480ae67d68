/**
 * Direct gets with many messages in the answer, over one subscription for all of them. An answer
 * that does not come to its end in time, or in one piece, is no answer.
 */
import type { Clock, Timer } from '../../ports/clock.ts';
import type { NatsClient, NatsMessage } from './client.ts';
import type { JsonObject } from './jetstream.ts';

/** The messages of an answer, and the one that ended it. */
export interface DirectAnswer {
  readonly messages: readonly NatsMessage[];
  readonly end: NatsMessage;
}

interface Pending {
  readonly messages: NatsMessage[];
  readonly settle: (answer: DirectAnswer | undefined) => void;
  timer: Timer;
  countSeen: number;
}

/** So long nothing may come before an answer counts as lost. */
const silenceMsMax = 2_000;
/** More at once wait for those before them to end. */
const concurrentMax = 256;

/** The direct gets of one connection. */
export class DirectGets {
  readonly #client: NatsClient;
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  readonly #waiting: (() => void)[] = [];
  #inbox = '';
  #opening: Promise<() => void> | undefined;
  #forget: (() => void) | undefined;
  #lastNumber = 0;
  #isClosed = false;

  constructor(client: NatsClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Asks any replica; nothing when no whole answer came. */
  async get(stream: string, query: JsonObject): Promise<DirectAnswer | undefined> {
    if (!(await this.#listens())) return undefined;
    if (this.#pending.size >= concurrentMax) {
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
    if (this.#isClosed) return undefined;
    this.#lastNumber += 1;
    const word = this.#lastNumber.toString(36);
    return new Promise(settle => {
      const timer = this.#watch(word);
      this.#pending.set(word, { messages: [], settle, timer, countSeen: 0 });
      const payload = encoder.encode(JSON.stringify(query));
      const reply = `${this.#inbox}.${word}`;
      const subject = `$JS.API.DIRECT.GET.${stream}`;
      if (!this.#client.publish(subject, payload, { reply })) this.#end(word, undefined);
    });
  }

  /** Gives up what waits. */
  close(): void {
    this.#isClosed = true;
    this.#forget?.();
    this.#opening?.then(
      stop => stop(),
      () => undefined,
    );
    this.#endAll();
  }

  async #listens(): Promise<boolean> {
    if (this.#isClosed) return false;
    this.#opening ??= this.#listen();
    try {
      await this.#opening;
      return true;
    } catch {
      // Without a connection or a permission there are no direct gets; the leader is asked instead.
      this.#opening = undefined;
      return false;
    }
  }

  async #listen(): Promise<() => void> {
    const inbox = this.#client.inbox();
    const skipped = inbox.length + 1;
    const listener = (message: NatsMessage) =>
      this.#arrived(message.subject.slice(skipped), message);
    const onEnded = () => {
      this.#opening = undefined;
      this.#endAll();
    };
    const stop = await this.#client.subscribe(`${inbox}.*`, listener, { onEnded });
    this.#inbox = inbox;
    this.#forget ??= this.#client.onStatus(status => {
      // What was under way on a broken connection is never answered on the next one.
      if (status !== 'connected') this.#endAll();
    });
    return stop;
  }

  #arrived(word: string, message: NatsMessage): void {
    const pending = this.#pending.get(word);
    if (pending === undefined) return;
    if (message.status === 0) pending.messages.push(message);
    else this.#end(word, { messages: pending.messages, end: message });
  }

  #watch(word: string): Timer {
    return this.#clock.setTimer(silenceMsMax, () => {
      const pending = this.#pending.get(word);
      if (pending === undefined) return;
      if (pending.messages.length === pending.countSeen) return this.#end(word, undefined);
      pending.countSeen = pending.messages.length;
      pending.timer = this.#watch(word);
    });
  }

  #endAll(): void {
    for (const word of [...this.#pending.keys()]) this.#end(word, undefined);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #end(word: string, answer: DirectAnswer | undefined): void {
    const pending = this.#pending.get(word);
    if (pending === undefined) return;
    this.#pending.delete(word);
    pending.timer.cancel();
    this.#waiting.shift()?.();
    pending.settle(answer);
  }
}

const encoder = new TextEncoder();
