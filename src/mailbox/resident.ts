/**
 * One agent's place on this node: its mailbox, and its activation while there is one. The mailbox
 * outlives activations: when one ends, the next loads and goes on with what waits.
 */
import { Activation } from '../agent/activation.ts';
import type { AgentHost } from '../agent/host.ts';
import type { Implementation } from '../agent/implementation.ts';
import type { MailboxItem } from '../agent/item.ts';
import { loadAgent } from '../agent/load.ts';
import { TroupeError, wrapError } from '../core/errors.ts';
import type { Timer } from '../ports/clock.ts';
import { withFields } from '../telemetry/logger.ts';
import type { Dispatcher, Runnable } from './dispatcher.ts';
import { Held } from './held.ts';
import { Mailbox } from './mailbox.ts';

/** What a resident is made of. */
export interface ResidentOptions {
  readonly address: string;
  readonly key: string;
  readonly implementation: Implementation;
  readonly host: AgentHost;
  readonly dispatcher: Dispatcher;
  /** The highest version that is known to have been acknowledged. */
  readonly versionSeen: number;
  /** Called when the agent was loaded, or failed to. */
  onLoaded(resident: Resident, error: TroupeError | undefined): void;
}

/** An agent on this node. */
export class Resident implements Runnable {
  readonly address: string;
  isReady = false;
  /** On the monotonic clock. */
  lastUsedAt = 0;
  readonly #options: ResidentOptions;
  readonly #mailbox = new Mailbox();
  #held: Held | undefined;
  /** Held messages whose time has come: they go before all others. */
  #released: MailboxItem[] | undefined;
  #reads: MailboxItem[] | undefined;
  #activation: Activation | undefined;
  #versionSeen: number;
  #isLoading = false;
  #isBusy = false;
  #isClosed = false;
  #inboxTimer: Timer | undefined;

  constructor(options: ResidentOptions) {
    this.#options = options;
    this.address = options.address;
    this.#versionSeen = options.versionSeen;
  }

  get activation(): Activation | undefined {
    return this.#activation;
  }

  /** How many messages wait. */
  get waiting(): number {
    return this.#mailbox.length + (this.#held?.length ?? 0) + (this.#released?.length ?? 0);
  }

  /** Whether the agent may leave memory now. */
  get isQuiet(): boolean {
    if (this.#isLoading || this.#isBusy || this.waiting > 0) return false;
    return this.#activation?.isQuiet ?? true;
  }

  /** Whether nothing is going on that a stopping node should wait for. */
  get isAtRest(): boolean {
    if (this.#isLoading || this.#isBusy || this.waiting > 0) return false;
    return this.#activation?.isAtRest ?? true;
  }

  /** The highest version that was acknowledged. */
  get versionSeen(): number {
    return Math.max(this.#versionSeen, this.#activation?.committer?.acceptedVersion ?? 0);
  }

  /** Takes a message. Full means refused, at once. */
  deliver(item: MailboxItem): void {
    const { mailboxLengthMax } = this.#options.implementation.contract.limits;
    if (this.waiting >= mailboxLengthMax) {
      item.reject(mailboxFull(this.address, mailboxLengthMax));
      return;
    }
    this.enqueue(item);
  }

  /** Takes work of the agent's own, which is bounded elsewhere. */
  enqueue(item: MailboxItem): void {
    this.lastUsedAt = item.arrivedAt;
    this.#mailbox.push(item);
    if (item.envelope.guarantee === 'exactly_once' && item.inboxId === undefined)
      this.#watchInbox();
    this.#options.dispatcher.add(this);
  }

  /** Answers a read, as soon as the agent is loaded. */
  read(item: MailboxItem): void {
    this.lastUsedAt = item.arrivedAt;
    if (this.#activation !== undefined) {
      this.#activation.read(item);
      return;
    }
    this.#reads ??= [];
    const { mailboxLengthMax } = this.#options.implementation.contract.limits;
    if (this.#reads.length >= mailboxLengthMax)
      item.reject(mailboxFull(this.address, mailboxLengthMax));
    else this.#reads.push(item);
    this.#load();
  }

  /** Brings the agent into memory, and tells it to do what is due. */
  wake(): void {
    if (this.#activation === undefined) this.#load();
    else this.#activation.wake();
  }

  /** Takes a message back before it is handled; returns whether that was in time. */
  withdraw(item: MailboxItem): boolean {
    return this.#mailbox.remove(item) || (this.#held?.remove(item) ?? false);
  }

  /** Handles what waits. */
  run(itemsMax: number): number {
    let count = 0;
    while (count < itemsMax && !this.#isBusy && !this.#isClosed) {
      const activation = this.#activation;
      if (activation === undefined) {
        if (this.waiting > 0) this.#load();
        return count;
      }
      if (!activation.canTurn) return count;
      const item = this.#next();
      if (item === undefined) return count;
      count += 1;
      this.#handle(activation, item);
    }
    if (this.#mailbox.length > 0 && !this.#isBusy) this.#options.dispatcher.add(this);
    return count;
  }

  /** Lets go of the agent. What waits fails with `cause`. */
  close(cause: TroupeError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inboxTimer?.cancel();
    this.#activation?.close(cause);
    this.#rejectAll(cause);
  }

  #next(): MailboxItem | undefined {
    return this.#released?.shift() ?? this.#mailbox.shift();
  }

  #handle(activation: Activation, item: MailboxItem): void {
    const { numbering } = item.envelope;
    if (
      numbering !== undefined &&
      item.inboxId === undefined &&
      activation.admit(item.envelope).kind === 'early'
    ) {
      this.#hold(item);
      return;
    }
    const going = activation.handle(item);
    if (going === undefined) {
      if (this.#held !== undefined) this.#releaseHeld(activation);
      return;
    }
    this.#isBusy = true;
    going.then(() => {
      this.#isBusy = false;
      if (this.#held !== undefined) this.#releaseHeld(activation);
      this.#options.dispatcher.add(this);
    });
  }

  #hold(item: MailboxItem): void {
    const { host, implementation } = this.#options;
    const { heldMax } = implementation.contract.limits;
    this.#held ??= new Held(host.clock, { heldMax, heldTimeoutMs: host.limits.heldTimeoutMs });
    this.#held.add(item);
  }

  #releaseHeld(activation: Activation): void {
    const held = this.#held as Held;
    const released = held.release(item => activation.admit(item.envelope).kind !== 'early');
    if (released.length > 0) this.#released = [...(this.#released ?? []), ...released];
    if (held.length === 0) this.#held = undefined;
  }

  #load(): void {
    if (this.#isLoading || this.#isClosed) return;
    this.#isLoading = true;
    const { host, implementation, key } = this.#options;
    const isDurable = implementation.contract.consistency !== 'none';
    if (!isDurable) {
      this.#begin(undefined);
      return;
    }
    loadAgent(host, implementation, key, this.#versionSeen).then(
      loaded => this.#begin(loaded),
      error =>
        this.#loadFailed(
          wrapError('ENGINE_UNAVAILABLE', error, `${this.address} could not be loaded`),
        ),
    );
  }

  #begin(loaded: Awaited<ReturnType<typeof loadAgent>> | undefined): void {
    this.#isLoading = false;
    if (this.#isClosed) return;
    const { host, implementation, key, dispatcher } = this.#options;
    try {
      this.#activation = new Activation({
        address: this.address,
        key,
        implementation,
        host,
        loaded,
        logger: withFields(host.logger, { agent: this.address }),
        onReady: () => (this.waiting > 0 ? dispatcher.add(this) : undefined),
        onEnded: cause => this.#activationEnded(cause),
      });
    } catch (error) {
      this.#loadFailed(wrapError('STATE_MISMATCH', error, `${this.address} could not begin`));
      return;
    }
    this.#resume(this.#activation);
  }

  #resume(activation: Activation): void {
    const waiting = this.#mailbox.clear();
    activation.resume();
    for (const item of waiting) this.#mailbox.push(item);
    const reads = this.#reads ?? [];
    this.#reads = undefined;
    for (const item of reads) activation.read(item);
    this.#options.onLoaded(this, undefined);
    if (this.waiting > 0) this.#options.dispatcher.add(this);
  }

  #loadFailed(error: TroupeError): void {
    this.#isLoading = false;
    if (this.#isClosed) return;
    this.#rejectAll(error);
    this.#options.onLoaded(this, error);
  }

  /** The activation lost its log. What waits was not begun: the next activation takes it. */
  #activationEnded(cause: TroupeError): void {
    this.#versionSeen = this.versionSeen;
    this.#activation = undefined;
    this.#options.host.logger.debug('an activation has ended', {
      agent: this.address,
      cause: cause.message,
    });
    if (this.waiting > 0) this.#options.dispatcher.add(this);
  }

  #watchInbox(): void {
    const { clock, limits } = this.#options.host;
    this.#inboxTimer ??= clock.setTimer(limits.inboxDelayMs, () => {
      this.#inboxTimer = undefined;
      this.#recordInbox(clock.monotonic() - limits.inboxDelayMs);
    });
  }

  /** Confirms messages that have waited long, so that their senders may forget them. */
  #recordInbox(arrivedBefore: number): void {
    let remain = false;
    for (const item of this.#mailbox.items()) {
      if (
        item.envelope.guarantee !== 'exactly_once' ||
        item.inboxId !== undefined ||
        item.work !== undefined
      )
        continue;
      if (item.arrivedAt <= arrivedBefore) this.#activation?.recordInbox(item);
      remain ||= item.inboxId === undefined;
    }
    if (remain) this.#watchInbox();
  }

  #rejectAll(cause: TroupeError): void {
    const reads = this.#reads ?? [];
    this.#reads = undefined;
    const items = [
      ...(this.#released ?? []),
      ...this.#mailbox.clear(),
      ...(this.#held?.clear() ?? []),
      ...reads,
    ];
    this.#released = undefined;
    for (const item of items) item.reject(cause);
  }
}

function mailboxFull(address: string, lengthMax: number): TroupeError {
  return new TroupeError('MAILBOX_FULL', {
    detail: `${address} has ${lengthMax} messages waiting, as many as limits.mailboxLengthMax allows; retry later`,
    retryAfterMs: 100,
  });
}
