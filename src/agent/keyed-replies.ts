/** Callers that gave an idempotency key: finds what a key was answered, and who waits for it. */
import type { Envelope } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import type { StoredReply } from '../state/entries.ts';
import { fingerprint } from '../state/fingerprint.ts';
import { answer } from './answer.ts';
import type { MailboxItem } from './item.ts';
import type { LiveAgent } from './live-agent.ts';

/** Names action and input, so that a key is not used for two things. */
export function fingerprintOf(action: string, input: unknown): string {
  return fingerprint([action, input]);
}

/** The keys of one activation that somebody waits for. */
export class KeyedReplies {
  #waiting: Map<string, MailboxItem[]> | undefined;

  /**
   * What is known about the key of a message: its reply, null while it waits to be handled, an
   * error when the key was used for something else, undefined when it is new.
   */
  find(agent: LiveAgent, envelope: Envelope): StoredReply | null | TroupeError | undefined {
    const { idempotencyKey } = envelope;
    if (idempotencyKey === undefined) return undefined;
    const entry = agent.image?.keys?.get(idempotencyKey);
    const { clock, retention } = agent.host;
    if (entry === undefined || entry.at + retention.resultWindowMs < clock.now()) return undefined;
    if (entry.fingerprint === fingerprintOf(envelope.action, envelope.input)) return entry.reply;
    return new TroupeError('INVALID_INPUT', {
      detail: `the idempotency key ${JSON.stringify(idempotencyKey)} of ${agent.address} was used for another action or input`,
    });
  }

  /** Whether nobody waits. */
  get areQuiet(): boolean {
    return this.#waiting === undefined || this.#waiting.size === 0;
  }

  /** Keeps a caller until the key is answered. */
  wait(key: string, item: MailboxItem): void {
    this.#waiting ??= new Map();
    const items = this.#waiting.get(key);
    if (items === undefined) this.#waiting.set(key, [item]);
    else items.push(item);
  }

  /** Answers all that wait for a key. */
  answer(agent: LiveAgent, key: string, reply: StoredReply): void {
    const items = this.#waiting?.get(key);
    if (items === undefined) return;
    this.#waiting?.delete(key);
    for (const item of items) {
      if (reply[0] === 'run') agent.tasks.answer(reply[1], item);
      else answer(item, reply, agent.host.epoch);
    }
  }

  /** Fails all that wait. */
  close(cause: TroupeError): void {
    for (const items of this.#waiting?.values() ?? []) for (const item of items) item.reject(cause);
    this.#waiting = undefined;
  }
}
