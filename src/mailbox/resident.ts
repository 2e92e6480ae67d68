/**
 * One agent's place on this node: its mailbox, and its activation while there is one. The mailbox
 * outlives activations: when one ends, the next loads and goes on with what waits.
 */
import { Activation, type ActivationOwner } from '../agent/activation.ts';
import type { LoadedAgent } from '../agent/fold.ts';
import type { AgentHost } from '../agent/host.ts';
import type { Implementation } from '../agent/implementation.ts';
import type { MailboxItem } from '../agent/item.ts';
import { loadAgent } from '../agent/load.ts';
import { packAgent, type RestedAgent, unpackAgent } from '../agent/rested.ts';
import { TroupeError, wrapError } from '../core/errors.ts';
import { noticedAt } from '../state/image.ts';
import type { Dispatcher, Runnable } from './dispatcher.ts';
import { Held } from './held.ts';
import type { Restable } from './hot-list.ts';
import { isRecorded, mustWait } from './inbox-order.ts';
import { InboxWatch } from './inbox-watch.ts';
import type { LogFloors } from './log-floors.ts';
import { Mailbox } from './mailbox.ts';
import { mailboxFull, rejectCallers, rejectItems } from './refusals.ts';
import { loadPauseMs, wakeAgainAt } from './wake-again.ts';

/** What all agents of one type share on this node. */
export interface ResidentType {
  readonly implementation: Implementation;
  readonly host: AgentHost;
  readonly dispatcher: Dispatcher;
  readonly floors: LogFloors;
  /** Called when an agent has an activation, or could not be loaded. */
  onActive(resident: Resident, error: TroupeError | undefined): void;
}

/** Nobody hears of it: an agent goes to rest only when nobody waits. One serves for all. */
const atRest = new TroupeError('CANCELLED', { detail: 'the agent is at rest' });

/** An agent on this node. */
export class Resident implements Runnable, Restable, ActivationOwner {
  readonly address: string;
  isReady = false;
  /** Whether it was announced as activated. */
  isKnown = false;
  wasUsed = false;
  hotPlace = -1;
  /** On the monotonic clock. */
  lastUsedAt = 0;
  readonly #type: ResidentType;
  /** Made with the first message, and let go of at rest. */
  #mailbox: Mailbox | undefined;
  #held: Held | undefined;
  #reads: MailboxItem[] | undefined;
  #activation: Activation | undefined;
  #rested: RestedAgent | undefined;
  #versionSeen: number;
  #isLoading = false;
  #isBusy = false;
  #isClosed = false;
  #inboxWatch: InboxWatch | undefined;
  /** How many activations have ended since an append was accepted. */
  #endings = 0;
  /** On the monotonic clock. */
  #mayLoadAt = 0;

  constructor(type: ResidentType, address: string, versionSeen: number) {
    this.#type = type;
    this.address = address;
    this.#versionSeen = versionSeen;
  }

  get key(): string {
    return this.address.slice(this.address.indexOf('/') + 1);
  }

  get implementation(): Implementation {
    return this.#type.implementation;
  }

  get host(): AgentHost {
    return this.#type.host;
  }

  get isActive(): boolean {
    return this.#activation !== undefined;
  }

  get activation(): Activation | undefined {
    return this.#activation;
  }

  /** How many messages wait. */
  get waiting(): number {
    return (this.#mailbox?.length ?? 0) + (this.#held?.length ?? 0);
  }

  /** Whether the agent may leave memory now. */
  get isQuiet(): boolean {
    if (this.#isLoading || this.#isBusy || this.waiting > 0) return false;
    const activation = this.#activation;
    if (activation === undefined || activation.isQuiet) return true;
    // A type may let a state that is in memory only go after so long without use.
    const { discardMs } = this.implementation.contract.limits;
    const isIdle = this.host.clock.monotonic() - this.lastUsedAt >= discardMs;
    return activation.committer === undefined && isIdle;
  }

  /** Whether nothing goes on but waiting for what others have to bring about. */
  get isAtRest(): boolean {
    if (this.#isLoading || this.#isBusy || this.waiting > 0) return false;
    return this.#activation?.isAtRest ?? true;
  }

  /** Whether the agent is in memory: active, or at rest. */
  get isInMemory(): boolean {
    return this.#activation !== undefined || this.#rested !== undefined;
  }

  /** Whether the agent has a log that has begun, as far as is known here. */
  get isRecorded(): boolean {
    return this.#rested !== undefined || this.#activation?.committer?.hasRecords === true;
  }

  /** The highest version that was acknowledged. */
  get versionSeen(): number {
    return Math.max(this.#versionSeen, this.#activation?.committer?.acceptedVersion ?? 0);
  }

  /** Where its log ends, unless something of this activation may still land in it. */
  get tail(): number | undefined {
    if (this.#rested !== undefined) return unpackAgent(this.#rested).tail;
    return this.#activation?.committer?.tail;
  }

  /** Takes a message. Full means refused, at once. */
  deliver(item: MailboxItem): void {
    const { mailboxLengthMax } = this.#type.implementation.contract.limits;
    // What is held waits for another message, which may be this one.
    if (this.waiting >= mailboxLengthMax && this.#held?.giveWay() !== true) {
      item.reject(mailboxFull(this.address, mailboxLengthMax));
      return;
    }
    this.enqueue(item);
  }

  /** Takes work of the agent's own, which is bounded elsewhere. */
  enqueue(item: MailboxItem): void {
    this.lastUsedAt = item.arrivedAt;
    this.wasUsed = true;
    this.#mailbox ??= new Mailbox();
    this.#mailbox.push(item);
    if (item.envelope.guarantee === 'exactly_once' && item.inboxId === undefined)
      this.#watchInbox();
    this.#type.dispatcher.add(this);
  }

  /** Answers a read, as soon as the agent is loaded. */
  read(item: MailboxItem): void {
    this.lastUsedAt = item.arrivedAt;
    this.wasUsed = true;
    if (this.#activation !== undefined) {
      this.#activation.read(item);
      return;
    }
    this.#reads ??= [];
    const { mailboxLengthMax } = this.#type.implementation.contract.limits;
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
    // What was recorded is the agent's to handle, whether anyone waits or not.
    if (isRecorded(item)) return false;
    return this.#mailbox?.remove(item) === true || this.#held?.remove(item) === true;
  }

  /** Handles what waits. */
  run(itemsMax: number): number {
    let count = 0;
    while (count < itemsMax && !this.#isBusy && !this.#isClosed) {
      const activation = this.#ready();
      if (activation?.canTurn !== true) return count;
      const item = this.#mailbox?.shift();
      if (item === undefined) return count;
      count += 1;
      this.#handle(activation, item);
    }
    if (this.waiting > 0 && !this.#isBusy) this.#type.dispatcher.add(this);
    return count;
  }

  /** Packs it, unless it keeps something that only lives in memory. */
  rest(): boolean {
    const activation = this.#activation;
    const { committer } = activation ?? {};
    if (activation === undefined || committer === undefined) return false;
    if (!this.isQuiet || this.isReady || activation.hasLocal) return false;
    this.#versionSeen = this.versionSeen;
    this.#rested = packAgent(committer.rest());
    this.#activation = undefined;
    this.#mailbox = undefined;
    activation.close(atRest);
    return true;
  }

  /** Refuses who waits from outside; the agent's own work, and what is recorded, waits on. */
  suspend(cause: TroupeError): void {
    rejectItems(this.#takeReads(), cause);
    const kept = rejectCallers(this.#mailbox?.clear() ?? [], cause);
    for (const item of kept) this.#mailbox?.push(item);
  }

  /** Refuses what waits; what was begun comes to its end. */
  refuse(cause: TroupeError): void {
    this.#rejectAll(cause);
  }

  /** Lets go of the agent. What waits fails with `cause`. */
  close(cause: TroupeError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inboxWatch?.close();
    this.#activation?.close(cause);
    this.#rejectAll(cause);
  }

  /** The activation, which is made when there is work for it; nothing while it loads. */
  #ready(): Activation | undefined {
    if (this.#activation === undefined && this.waiting > 0) this.#load();
    return this.#activation;
  }

  #handle(activation: Activation, item: MailboxItem): void {
    let admitted = activation.admit(item.envelope);
    if (admitted.kind === 'early' && item.renew !== undefined) {
      // What it waits for may have been given up since it was sent.
      item.renew();
      admitted = activation.admit(item.envelope);
    }
    if (mustWait(activation, item, admitted)) {
      this.#openHeld().add(item);
      return;
    }
    const going = activation.handle(item, admitted);
    if (going === undefined) {
      if (this.#held !== undefined) this.#releaseHeld();
      return;
    }
    this.#isBusy = true;
    void going.then(() => {
      this.#isBusy = false;
      this.#releaseHeld();
      this.#type.dispatcher.add(this);
    });
  }

  #openHeld(): Held {
    const { host, implementation } = this.#type;
    const { heldMax } = implementation.contract.limits;
    this.#held ??= new Held(host.clock, { heldMax, heldTimeoutMs: host.limits.heldTimeoutMs });
    return this.#held;
  }

  #releaseHeld(): void {
    const activation = this.#activation;
    const held = this.#held;
    if (activation === undefined || held === undefined) return;
    const released = held.release(item => !mustWait(activation, item));
    if (held.length === 0) this.#held = undefined;
    if (released.length === 0) return;
    this.#mailbox ??= new Mailbox();
    for (const item of released) this.#mailbox.push(item);
    this.#type.dispatcher.add(this);
  }

  #load(): void {
    if (this.#isLoading || this.#isClosed) return;
    this.#isLoading = true;
    const { clock } = this.#type.host;
    const pauseMs = this.#mayLoadAt - (this.#mayLoadAt > 0 ? clock.monotonic() : 0);
    if (pauseMs > 0) clock.setTimer(pauseMs, () => this.#loadNow());
    else this.#loadNow();
  }

  #loadNow(): void {
    if (this.#isClosed) return;
    const { host, implementation, floors } = this.#type;
    if (implementation.contract.consistency === 'none') {
      this.#begin(undefined);
      return;
    }
    if (this.#rested !== undefined) {
      const rested = unpackAgent(this.#rested);
      this.#rested = undefined;
      this.#begin(rested);
      return;
    }
    const floor = floors.take(this.address, this.#versionSeen);
    loadAgent(host, implementation, this.key, floor).then(
      loaded => this.#begin(loaded),
      error => this.#loadFailed(wrapError('ENGINE_UNAVAILABLE', error, `loading ${this.address}`)),
    );
  }

  #begin(loaded: LoadedAgent | undefined): void {
    this.#isLoading = false;
    if (this.#isClosed) return;
    try {
      this.#activation = new Activation(this, loaded);
    } catch (error) {
      this.#loadFailed(wrapError('STATE_MISMATCH', error, `${this.address} could not begin`));
      return;
    }
    this.#resume(this.#activation);
  }

  turnMayRun(): void {
    this.#endings = 0;
    if (this.waiting > 0) this.#type.dispatcher.add(this);
  }

  /** Apart from what waits, so that only what is behind it in order has to wait with it. */
  repeat(item: MailboxItem, pauseMs: number): void {
    this.#openHeld().pause(item, pauseMs, () => this.#releaseHeld());
  }

  #resume(activation: Activation): void {
    const waiting = this.#mailbox?.clear() ?? [];
    activation.resume();
    if (waiting.length > 0) this.#mailbox ??= new Mailbox();
    for (const item of waiting) this.#mailbox?.push(item);
    for (const item of this.#takeReads()) activation.read(item);
    this.#releaseHeld();
    this.#type.onActive(this, undefined);
    if (this.waiting > 0) this.#type.dispatcher.add(this);
  }

  #loadFailed(error: TroupeError): void {
    this.#isLoading = false;
    if (this.#isClosed) return;
    this.#rejectAll(error);
    this.#type.onActive(this, error);
  }

  /** The activation lost its log. What waits was not begun: the next activation takes it. */
  activationEnded(cause: TroupeError): void {
    this.#versionSeen = this.versionSeen;
    const { host } = this.#type;
    const wakeAt = this.#activation?.committer?.wakeAt ?? noticedAt;
    host.schedule(this.address, wakeAgainAt(wakeAt, host.clock.now(), this.#endings));
    this.#mayLoadAt = host.clock.monotonic() + loadPauseMs(this.#endings);
    this.#endings += 1;
    this.#activation = undefined;
    const waiting = [...(this.#mailbox?.clear() ?? []), ...(this.#held?.takeRecorded() ?? [])];
    for (const item of waiting) this.#keepOrDrop(item, cause);
    host.logger.debug('an activation has ended', { agent: this.address, cause: cause.message });
    if (this.waiting > 0) this.#type.dispatcher.add(this);
  }

  /**
   * Work of the ended activation's own begins anew with the next one, and so does what is in the
   * inbox. Who waits for an answer waits on: the message is looked up by its key.
   */
  #keepOrDrop(item: MailboxItem, cause: TroupeError): void {
    if (item.work !== undefined) item.reject(cause);
    else if (item.inboxId === undefined || item.envelope.wantsReply) {
      item.wasRecorded = isRecorded(item);
      item.inboxId = undefined;
      this.#mailbox?.push(item);
    }
  }

  #watchInbox(): void {
    this.#inboxWatch ??= new InboxWatch(this.#type.host, item =>
      this.#activation?.recordInbox(item),
    );
    this.#inboxWatch.start(() => [...(this.#mailbox?.items() ?? []), ...(this.#held?.items ?? [])]);
  }

  #takeReads(): MailboxItem[] {
    const reads = this.#reads ?? [];
    this.#reads = undefined;
    return reads;
  }

  #rejectAll(cause: TroupeError): void {
    const held = this.#held?.clear() ?? [];
    rejectItems([...(this.#mailbox?.clear() ?? []), ...held, ...this.#takeReads()], cause);
  }
}
