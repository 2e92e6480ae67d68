/**
 * An agent in memory. It handles one item of its mailbox at a time, and makes of each one record:
 * the change, the messages, the timers, the mark of what was consumed, and the answer. Answers
 * leave when the engine has accepted all that they stand on.
 */
import type { Envelope, Position } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import type { AgentImage } from '../state/agent-image.ts';
import type { StoredReply } from '../state/entries.ts';
import type { Op } from '../state/record.ts';
import type { Admission } from '../state/streams.ts';
import { type Logger, withFields } from '../telemetry/logger.ts';
import { actionOf } from './action.ts';
import { administer } from './administration.ts';
import { isAdministrative } from './administrative.ts';
import { endedError, isThenable } from './answer.ts';
import { Committer } from './commit.ts';
import type { Contract } from './contract.ts';
import { failTurn, isOverdue, type RepeatingAgent } from './failing.ts';
import { failureOf } from './failure.ts';
import type { LoadedAgent } from './fold.ts';
import type { AgentHost } from './host.ts';
import type { Handler, Implementation } from './implementation.ts';
import type { MailboxItem } from './item.ts';
import { KeyedReplies } from './keyed-replies.ts';
import { adoptState, initialState } from './load.ts';
import { leaseLapsed, mayAnswer } from './may-answer.ts';
import { Outbox } from './outbox.ts';
import { copyPayload } from './payload.ts';
import { answerRead } from './reading.ts';
import { parseWith } from './schema.ts';
import { envelopeOf, type SendCause } from './seal.ts';
import type { Sending } from './sending.ts';
import { admission, answerAgain, isSettled } from './settled.ts';
import { Tasks } from './tasks.ts';
import { Timers } from './timers.ts';
import { abandonTurn, closeTurn, TurnContext, type TurnDecision } from './turn-context.ts';
import { isRepetition, recordInbox, sealTurn } from './turn-record.ts';

/** Whose activation it is, and who is told. */
export interface ActivationOwner {
  readonly address: string;
  readonly implementation: Implementation;
  readonly host: AgentHost;
  /** Called when a turn may run again after the bound on records in flight was reached. */
  turnMayRun(): void;
  /** Called when a recorded item is to be handled once more after a pause. */
  repeat(item: MailboxItem, pauseMs: number): void;
  /** Called once, when the activation has ended because of its log. */
  activationEnded(cause: TroupeError): void;
}

/** One activation of one agent. */
export class Activation implements RepeatingAgent {
  readonly address: string;
  readonly key: string;
  readonly contract: Contract;
  readonly host: AgentHost;
  #local: Map<string, unknown> | undefined;
  #logger: Logger | undefined;
  readonly committer: Committer | undefined;
  readonly tasks: Tasks;
  readonly outbox: Outbox;
  readonly keyed: KeyedReplies = new KeyedReplies();
  readonly #owner: ActivationOwner;
  readonly #timers: Timers;
  #memoryState: unknown;
  #memoryVersion = 0;
  /** The message whose turn waits for something. */
  #handling: Envelope | undefined;
  #isEnded = false;

  /** Without `loaded` the agent is kept in memory only. */
  constructor(owner: ActivationOwner, loaded: LoadedAgent | undefined) {
    const { address, implementation, host } = owner;
    this.address = address;
    this.key = address.slice(address.indexOf('/') + 1);
    this.host = host;
    this.contract = implementation.contract;
    this.#owner = owner;
    this.#timers = new Timers(this);
    this.outbox = new Outbox(this);
    this.tasks = new Tasks(this, implementation);
    if (loaded === undefined) {
      this.#memoryState = initialState(this.contract, this.key);
      return;
    }
    this.committer = new Committer(this, loaded);
  }

  get image(): AgentImage | undefined {
    return this.committer?.image;
  }

  /** Whether another turn may start. */
  get canTurn(): boolean {
    const { committer } = this;
    return committer === undefined || committer.pendingCount < this.host.limits.runAheadMax;
  }

  /** Whether nothing would be lost or cut off if the agent left memory now. */
  get isQuiet(): boolean {
    if (this.committer === undefined) return this.#memoryVersion === 0;
    const { tasks, keyed } = this;
    return this.isAtRest && tasks.areUnwatched && keyed.areQuiet && this.#timers.areQuiet;
  }

  /** Whether nothing goes on; callers may wait for what others have to bring about. */
  get isAtRest(): boolean {
    const { committer } = this;
    if (committer === undefined) return true;
    return committer.pendingCount === 0 && this.tasks.areWaiting && this.outbox.isQuiet;
  }

  /** What lives as long as the activation, and is not recorded. */
  get local(): Map<string, unknown> {
    this.#local ??= new Map();
    return this.#local;
  }

  /** Whether something lives only as long as the activation. */
  get hasLocal(): boolean {
    return this.#local !== undefined && this.#local.size > 0;
  }

  get logger(): Logger {
    this.#logger ??= withFields(this.host.logger, { agent: this.address });
    return this.#logger;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get position(): Position {
    const version = this.committer?.acceptedVersion ?? this.#memoryVersion;
    return { epoch: this.host.epoch, version };
  }

  get acceptedState(): unknown {
    return this.committer === undefined ? this.#memoryState : this.committer.acceptedState;
  }

  /** Takes up what earlier lives left to do. Called once, before anything new. */
  resume(): void {
    const { image } = this;
    if (image === undefined) return;
    for (const entry of image.inbox?.values() ?? []) {
      const envelope = envelopeOf(this.contract.type, this.key, entry);
      const arrivedAt = this.host.clock.monotonic();
      const item = { envelope, arrivedAt, inboxId: entry.id, resolve: nobody, reject: nobody };
      this.host.enqueue(this.address, item);
    }
    this.outbox.resume();
    this.tasks.resume();
    this.wake();
  }

  /** Does what is due. */
  wake(): void {
    if (this.committer === undefined || this.#isEnded) return;
    this.tasks.wake();
    this.#timers.wake();
  }

  awaitKey(key: string, item: MailboxItem): void {
    const entry = this.image?.keys?.get(key);
    if (entry === undefined) {
      item.reject(
        new TroupeError('EXPIRED', {
          detail: `${this.address} knows no request ${key}, or no longer`,
          outcome: 'unknown',
        }),
      );
    } else if (entry.reply === null) this.keyed.wait(key, item);
    else answerAgain(this, item, entry.reply);
  }

  answerKey(key: string, reply: StoredReply): void {
    this.keyed.answer(this, key, reply);
  }

  deleted(): void {
    this.#local = undefined;
    this.host.lifecycle('deleted', this.address);
  }

  rearm(): void {
    if (this.image !== undefined) this.#timers.onAccepted(this.image);
  }

  perform(turn: TurnContext, action: string, given: unknown): unknown {
    const shape = actionOf(this.contract, action);
    const place = `${this.contract.type}.${action}`;
    const input = parseWith(shape.input, given, place, 'INVALID_INPUT');
    if (shape.kind === 'task') return this.tasks.begin(turn, action, input);
    return this.#handler(action)(turn, input);
  }

  sendFromMemory(sends: readonly Sending[], cause: SendCause): void {
    this.outbox.sendFromMemory(sends, cause);
  }

  /** Says what is to become of a numbered message. */
  admit(envelope: Envelope): Admission {
    return admission(this, envelope);
  }

  /**
   * Handles one item, about which {@link Activation.admit} has decided; a promise says when the
   * next may begin. Never throws or rejects.
   */
  handle(item: MailboxItem, admitted: Admission): Promise<void> | undefined {
    if (this.#isEnded) {
      item.reject(endedError(this.address));
      return undefined;
    }
    const startedAt = this.host.clock.monotonic();
    const isNew = item.work !== undefined || !isSettled(this, item, admitted);
    if (!isNew || isOverdue(this, item, startedAt)) return undefined;
    return this.#run(item, startedAt);
  }

  /** Answers a read: the accepted state, at once, between turns. */
  read(item: MailboxItem): void {
    answerRead(this, item, this.#handler(item.envelope.action));
  }

  /** Records a waiting message, so that its sender may forget it. */
  recordInbox(item: MailboxItem): void {
    // What is handled just now consumes its number and key when it is done.
    if (!isRepetition(item.envelope, this.#handling)) recordInbox(this, item);
  }

  record(ops: readonly Op[]): Promise<void> {
    const { committer } = this;
    if (committer === undefined || this.#isEnded) return Promise.reject(endedError(this.address));
    return new Promise((resolve, reject) => {
      const accepted = () => {
        this.outbox.accepted(ops);
        resolve();
      };
      const waiter = { accepted, failed: (cause: TroupeError) => reject(cause) };
      committer.commit({ ops, isTurn: false, state: committer.image.state, waiter });
    });
  }

  /** Lets go of the agent. What waits fails with `cause`. */
  close(cause: TroupeError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#timers.close();
    this.outbox.close();
    this.tasks.close(cause);
    this.keyed.close(cause);
    this.committer?.close(cause);
  }

  repeat(item: MailboxItem, pauseMs: number): void {
    this.#owner.repeat(item, pauseMs);
  }

  #run(item: MailboxItem, startedAt: number): Promise<void> | undefined {
    const context = new TurnContext(this, item.envelope, this.#head);
    try {
      const result =
        item.work === undefined ? this.#invoke(context, item.envelope) : item.work(context);
      if (isThenable(result)) return this.#finishLater(item, context, result, startedAt);
      const tookMs = this.#finish(item, context, result, startedAt);
      if (tookMs > this.host.limits.slowTurnMs) this.#warnOfSlow(item);
    } catch (error) {
      this.#failed(item, context, error, startedAt);
    }
    return undefined;
  }

  /** The state that the next turn starts on. */
  get #head(): unknown {
    return this.committer === undefined ? this.#memoryState : this.committer.image.state;
  }

  #invoke(context: TurnContext, envelope: Envelope): unknown {
    if (isAdministrative(envelope.action)) return administer(this, context, envelope);
    return this.perform(context, envelope.action, envelope.input);
  }

  async #finishLater(
    item: MailboxItem,
    context: TurnContext,
    result: PromiseLike<unknown>,
    startedAt: number,
  ): Promise<void> {
    const { slowTurnMs } = this.host.limits;
    this.#handling = item.envelope;
    const watch = this.host.clock.setTimer(slowTurnMs, () => this.#warnOfSlow(item));
    try {
      const value = await result;
      this.#finish(item, context, value, startedAt);
    } catch (error) {
      this.#failed(item, context, error, startedAt);
    } finally {
      this.#handling = undefined;
      watch.cancel();
    }
  }

  #finish(item: MailboxItem, context: TurnContext, result: unknown, startedAt: number): number {
    const { envelope } = item;
    if (this.#isEnded) throw endedError(this.address);
    const output = item.work === undefined ? this.#output(envelope, result) : result;
    const decision = closeTurn(context);
    this.#checkState(decision);
    if (this.committer === undefined) this.#applyInMemory(item, decision, output);
    else sealTurn(this, item, decision, output);
    return this.host.observe(envelope, 'turn', startedAt, undefined);
  }

  #output(envelope: Envelope, result: unknown): unknown {
    if (isAdministrative(envelope.action)) return result;
    const shape = actionOf(this.contract, envelope.action);
    if (shape.output === undefined || shape.kind === 'task') return undefined;
    const place = `${this.contract.type}.${envelope.action} output`;
    const output = parseWith(shape.output, result, place, 'OUTPUT_INVALID');
    return copyPayload(output, this.contract, place);
  }

  #checkState(decision: TurnDecision): void {
    if (decision.state === this.#head) return;
    const place = `${this.address} state after the turn`;
    parseWith(this.contract.state, decision.state, place, 'OUTPUT_INVALID');
  }

  #applyInMemory(item: MailboxItem, decision: TurnDecision, output: unknown): void {
    if (!mayAnswer(this.host)) {
      item.reject(leaseLapsed(this.address));
      return;
    }
    if (decision.state !== this.#memoryState) {
      this.#memoryState = decision.state;
      this.#memoryVersion += 1;
    }
    item.resolve({ value: output, epoch: this.host.epoch, version: this.#memoryVersion });
    if (decision.sends.length > 0) this.sendFromMemory(decision.sends, item.envelope);
  }

  #failed(item: MailboxItem, context: TurnContext, thrown: unknown, startedAt: number): void {
    abandonTurn(context);
    if (this.#isEnded) {
      item.reject(endedError(this.address));
      return;
    }
    const error = this.#failure(item, thrown);
    this.host.observe(item.envelope, 'turn', startedAt, error);
    failTurn(this, item, error);
  }

  /** What an administrative act throws is the runtime's own, and told as it is. */
  #failure({ envelope }: MailboxItem, thrown: unknown): TroupeError {
    const { action } = envelope;
    if (isAdministrative(action) && TroupeError.is(thrown)) return thrown;
    return failureOf(thrown, `${this.address}.${action}`);
  }

  #warnOfSlow({ envelope }: MailboxItem): void {
    this.logger.warn('slow turn: it holds the mailbox; use a task and ctx.update for long work', {
      code: 'SLOW_TURN',
      action: envelope.action,
      waiting: this.host.waitingAt(this.address),
    });
  }

  #handler(action: string): Handler {
    return this.#owner.implementation.handlers[action] as Handler;
  }

  beginState(image: AgentImage): boolean {
    return adoptState(image, this.#owner.implementation, this.key);
  }

  committed(isFirst: boolean): void {
    if (isFirst) this.host.lifecycle('created', this.address);
    if (this.image !== undefined) this.#timers.onAccepted(this.image);
    this.#owner.turnMayRun();
  }

  commitFailed(cause: TroupeError): void {
    if (this.#isEnded) return;
    // Who waits for a run or a key asks the next life: what was recorded goes on there.
    const detail = `the activation of ${this.address} has ended`;
    this.close(new TroupeError('VERSION_CONFLICT', { detail, outcome: 'unknown', cause }));
    this.#owner.activationEnded(cause);
  }
}

/** Who waited for a message of the inbox is gone. */
function nobody(): void {}
