/**
 * The watch over messages that are promised and wait long: they are recorded, so that their senders
 * may forget them.
 */
import type { AgentHost } from '../agent/host.ts';
import type { MailboxItem } from '../agent/item.ts';
import type { Timer } from '../ports/clock.ts';

/** Watches what waits for one agent. */
export class InboxWatch {
  readonly #host: AgentHost;
  readonly #record: (item: MailboxItem) => void;
  #timer: Timer | undefined;

  constructor(host: AgentHost, record: (item: MailboxItem) => void) {
    this.#host = host;
    this.#record = record;
  }

  /** Looks, once the delay has passed, at what waits then; and again while something is left. */
  start(waiting: () => readonly MailboxItem[]): void {
    const { clock, limits } = this.#host;
    this.#timer ??= clock.setTimer(limits.inboxDelayMs, () => {
      this.#timer = undefined;
      const remain = this.#look(waiting(), clock.monotonic() - limits.inboxDelayMs);
      if (remain) this.start(waiting);
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** Records what came before a time; returns whether something is left for later. */
  #look(waiting: readonly MailboxItem[], arrivedBefore: number): boolean {
    let remain = false;
    for (const item of waiting) {
      const { envelope, inboxId, work } = item;
      if (envelope.guarantee !== 'exactly_once' || inboxId !== undefined || work !== undefined)
        continue;
      if (item.arrivedAt <= arrivedBefore) this.#record(item);
      remain ||= item.inboxId === undefined;
    }
    return remain;
  }
}
