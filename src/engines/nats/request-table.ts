/**
 * Requests that wait for their answers: a bounded table in which each gets a word of its own, for
 * the subject of its answer, and ends exactly once.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { NatsMessage, NatsReply } from './client.ts';

interface Waiting {
  readonly subject: string;
  readonly timer: Timer;
  readonly settle: (reply: NatsReply) => void;
}

/** A request that was entered. */
export interface OpenRequest {
  /** The last word of the subject that its answer will have. */
  readonly word: string;
  readonly reply: Promise<NatsReply>;
}

const nobodyStatus = 503;

/** The table of one connection. */
export class RequestTable {
  readonly #clock: Clock;
  readonly #countMax: number;
  readonly #waiting = new Map<string, Waiting>();
  #lastNumber = 0;

  constructor(clock: Clock, countMax: number) {
    this.#clock = clock;
    this.#countMax = countMax;
  }

  /** Whether no further request may be entered. */
  get isFull(): boolean {
    return this.#waiting.size >= this.#countMax;
  }

  /** Enters a request; it ends at the latest after so long. */
  open(subject: string, timeoutMs: number): OpenRequest {
    this.#lastNumber += 1;
    const word = this.#lastNumber.toString(36);
    const reply = new Promise<NatsReply>(resolve => {
      const timer = this.#clock.setTimer(timeoutMs, () =>
        this.#end(word, late(subject, timeoutMs)),
      );
      this.#waiting.set(word, { subject, timer, settle: resolve });
    });
    return { word, reply };
  }

  /** Hands a request its answer; one that comes too late is dropped. */
  answer(word: string, message: NatsMessage): void {
    const isNobody = message.payload.length === 0 && message.status === nobodyStatus;
    this.#end(word, isNobody ? { status: 'nobody' } : { status: 'answered', message });
  }

  /** Ends one request: it surely did not leave. */
  refuse(word: string, cause: TroupeError): void {
    this.#end(word, { status: 'unavailable', cause });
  }

  /**
   * Ends the oldest request on a subject that the server refused; false when none waits. The server
   * names no more than the subject: when several wait there, permissions may have changed between
   * them, and which one was refused is not known.
   */
  refuseOldest(subject: string, cause: TroupeError): boolean {
    const words: string[] = [];
    for (const [word, waiting] of this.#waiting) {
      if (waiting.subject === subject && words.push(word) === 2) break;
    }
    const [oldest, second] = words;
    if (oldest === undefined) return false;
    this.#end(oldest, { status: second === undefined ? 'unavailable' : 'unknown', cause });
    return true;
  }

  /** Ends all of them: handled, or not, or handled later. */
  endAll(cause: TroupeError): void {
    for (const word of [...this.#waiting.keys()]) this.#end(word, { status: 'unknown', cause });
  }

  #end(word: string, reply: NatsReply): void {
    const waiting = this.#waiting.get(word);
    if (waiting === undefined) return;
    this.#waiting.delete(word);
    waiting.timer.cancel();
    waiting.settle(reply);
  }
}

function late(subject: string, timeoutMs: number): NatsReply {
  const detail = `no answer on ${subject} within ${timeoutMs} ms`;
  return { status: 'unknown', cause: new TroupeError('DEADLINE_EXCEEDED', { detail }) };
}
