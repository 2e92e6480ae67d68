/**
 * An agent in memory. It handles one item of its mailbox at a time, and makes of each one record:
 * the change, the messages, the timers, the mark of what was consumed, and the answer. Answers
 * leave when the engine has accepted all that they stand on.
 */
import type { Envelope, Position } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import type { AgentImage } from '../state/image.ts';
import type { Op, StoredReply } from '../state/record.ts';
import { type Admission, admit, consume, isForgotten, streamKey } from '../state/streams.ts';
import type { Logger } from '../telemetry/logger.ts';
import { actionOf } from './action.ts';
import { administer, isAdministrative } from './administration.ts';
import { administerRead } from './administration-reads.ts';
import { answer, answering, endedError, isThenable } from './answer.ts';
import { Committer, type Waiter } from './commit.ts';
import type { Contract } from './contract.ts';
import { failureOf, outcomeKept } from './failure.ts';
import type { AgentHost } from './host.ts';
import type { Implementation } from './implementation.ts';
import type { MailboxItem } from './item.ts';
import { fingerprintOf, KeyedReplies } from './keyed-replies.ts';
import { adoptState, initialState, type LoadedAgent } from './load.ts';
import { Outbox } from './outbox.ts';
import { ReadContext } from './read-context.ts';
import { parseWith } from './schema.ts';
import {
  deadLetterOps,
  deliveredOps,
  envelopeOf,
  inboxEntry,
  isTurnOp,
  laneOf,
  originOf,
  type SendCause,
  sendOps,
  stateOps,
} from './seal.ts';
import { Tasks } from './tasks.ts';
import { Timers } from './timers.ts';
import {
  abandonTurn,
  closeTurn,
  type Sending,
  type TurnAgent,
  TurnContext,
  type TurnDecision,
} from './turn-context.ts';

type Handler = (context: unknown, input: unknown) => unknown;

/** What an activation is made of. */
export interface ActivationOptions {
  readonly address: string;
  readonly key: string;
  readonly implementation: Implementation;
  readonly host: AgentHost;
  /** Absent for agents that are kept in memory only. */
  readonly loaded: LoadedAgent | undefined;
  readonly logger: Logger;
  /** Called when a turn may run again after the bound on records in flight was reached. */
  onReady(): void;
  /** Called once, when the activation has ended because of its log. */
  onEnded(cause: TroupeError): void;
}

/** One activation of one agent. */
export class Activation implements TurnAgent {
  readonly address: string;
  readonly key: string;
  readonly contract: Contract;
  readonly host: AgentHost;
  readonly local = new Map<string, unknown>();
  readonly logger: Logger;
  /** Present for agents with a log. */
  readonly committer: Committer | undefined;
  readonly tasks: Tasks;
  readonly #implementation: Implementation;
  readonly #options: ActivationOptions;
  readonly #outbox: Outbox;
  readonly #timers: Timers;
  readonly #keyed = new KeyedReplies();
  #memoryState: unknown;
  #memoryVersion = 0;
  #isEnded = false;

  constructor(options: ActivationOptions) {
    const { address, key, implementation, host, loaded } = options;
    this.address = address;
    this.key = key;
    this.host = host;
    this.contract = implementation.contract;
    this.logger = options.logger;
    this.#implementation = implementation;
    this.#options = options;
    this.#timers = new Timers(this);
    this.#outbox = new Outbox(this);
    this.tasks = new Tasks(this, implementation);
    if (loaded === undefined) {
      this.#memoryState = initialState(this.contract, key);
      return;
    }
    this.committer = new Committer({
      address,
      contract: this.contract,
      host,
      loaded,
      begin: image => adoptState(image, implementation, key),
      onAccepted: () => this.#onAccepted(),
      onFailed: cause => this.#end(cause),
    });
  }

  /** The head of the agent's history. Only for agents with a log. */
  get image(): AgentImage | undefined {
    return this.committer?.image;
  }

  /** Whether another turn may start. */
  get canTurn(): boolean {
    return (
      this.committer === undefined || this.committer.pendingCount < this.host.limits.runAheadMax
    );
  }

  /** Whether nothing would be lost or cut off if the agent left memory now. */
  get isQuiet(): boolean {
    if (this.committer === undefined)
      return this.#isInitial() || this.contract.limits.discardMs < Number.POSITIVE_INFINITY;
    return (
      this.committer.pendingCount === 0 &&
      this.tasks.areQuiet &&
      this.#outbox.isQuiet &&
      this.#keyed.areQuiet
    );
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Where the accepted history ends. */
  get position(): Position {
    const version = this.committer?.acceptedVersion ?? this.#memoryVersion;
    return { epoch: this.host.epoch, version };
  }

  /** The state that reads may see. */
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
      const nobody = () => undefined;
      this.host.enqueue(this.address, {
        envelope,
        arrivedAt,
        inboxId: entry.id,
        resolve: nobody,
        reject: nobody,
      });
    }
    this.#outbox.resume();
    this.tasks.resume();
    this.wake();
  }

  /** Does what is due. */
  wake(): void {
    if (this.committer === undefined || this.#isEnded) return;
    this.tasks.wake();
    this.#timers.wake();
  }

  /** The answer to a key, for whoever asks later: now, or when there is one. */
  awaitKey(key: string, item: MailboxItem): void {
    const entry = this.image?.keys?.get(key);
    if (entry === undefined) {
      item.reject(
        new TroupeError('EXPIRED', {
          detail: `${this.address} knows no request ${key}, or no longer`,
          outcome: 'unknown',
        }),
      );
    } else if (entry.reply === null) this.#keyed.wait(key, item);
    else this.#answerAgain(item, entry.reply);
  }

  /** Answers all that wait for a key. */
  answerKey(key: string, reply: StoredReply): void {
    this.#keyed.answer(this, key, reply);
  }

  /** A record that deletes the agent was accepted. */
  deleted(): void {
    this.local.clear();
    this.host.lifecycle('deleted', this.address);
  }

  /** Tells the node again when the agent wants to be woken. */
  rearm(): void {
    if (this.image !== undefined) this.#timers.onAccepted(this.image);
  }

  /** Runs an action inside a turn that is going on. */
  perform(turn: TurnContext, action: string, given: unknown): unknown {
    const shape = actionOf(this.contract, action);
    const input = parseWith(shape.input, given, `${this.contract.type}.${action}`, 'INVALID_INPUT');
    return shape.kind === 'task'
      ? this.tasks.begin(turn, action, input)
      : this.#handler(action)(turn, input);
  }

  /** Operations that promise messages outside of a turn. */
  promiseOps(sends: readonly Sending[], cause: SendCause): Op[] {
    return this.image === undefined ? [] : sendOps(this.image, sends, cause, this.host);
  }

  /** Sends what only memory promises. */
  sent(sends: readonly Sending[], cause: SendCause): void {
    this.#outbox.sendFromMemory(sends, cause);
  }

  /** Says what is to become of a numbered message. */
  admit(envelope: Envelope): Admission {
    const { numbering } = envelope;
    const image = this.image;
    if (numbering === undefined || image === undefined) return { kind: 'run' };
    const key = streamKey(numbering.sender, laneOf(envelope.priority));
    const stream = image.streams?.get(key);
    const isKnown =
      stream !== undefined && !isForgotten(key, stream, this.host.clock.now(), this.host.retention);
    return admit(isKnown ? stream : undefined, numbering);
  }

  /** Handles one item; a promise says when the next may begin. Never throws or rejects. */
  handle(item: MailboxItem): Promise<void> | undefined {
    if (this.#isEnded) {
      item.reject(endedError(this.address));
      return undefined;
    }
    if (item.work === undefined && this.#isSettled(item)) return undefined;
    return this.#run(item);
  }

  /** Answers a read: the accepted state, at once, between turns. */
  read(item: MailboxItem): void {
    const { envelope } = item;
    if (isAdministrative(envelope.action)) {
      administerRead(this, item);
      return;
    }
    const startedAt = this.host.clock.monotonic();
    const position = this.position;
    const place = `${this.address}.${envelope.action}`;
    const done = (value: unknown) => {
      const shape = actionOf(this.contract, envelope.action);
      const output =
        shape.output === undefined
          ? undefined
          : parseWith(shape.output, value, `${place} output`, 'OUTPUT_INVALID');
      item.resolve({ value: copyValue(output, `${place}: output`), ...position });
      this.host.observe(envelope, 'read', startedAt, undefined);
    };
    const failed = (thrown: unknown) => {
      const error = failureOf(thrown, place);
      this.host.observe(envelope, 'read', startedAt, error);
      item.reject(error);
    };
    try {
      const shape = actionOf(this.contract, envelope.action);
      const input = parseWith(
        shape.input,
        envelope.input,
        `${this.contract.type}.${envelope.action}`,
        'INVALID_INPUT',
      );
      const context = new ReadContext(this, envelope, this.acceptedState);
      const result = this.#handler(envelope.action)(context, input);
      if (isThenable(result)) result.then(done).then(undefined, failed);
      else done(result);
    } catch (error) {
      failed(error);
    }
  }

  /**
   * Records a waiting message, so that it is this agent's to repeat and its sender may forget it.
   */
  recordInbox(item: MailboxItem): void {
    const { envelope } = item;
    const { committer } = this;
    if (committer === undefined || item.inboxId !== undefined || this.#isEnded) return;
    if (this.admit(envelope).kind !== 'run' || this.#keyed.find(this, envelope) !== undefined)
      return;
    const ops: Op[] = deliveredOps(envelope, null, this.#fingerprint(envelope));
    ops.push(['inbox', inboxEntry(envelope)]);
    const accepted = () =>
      envelope.wantsReply ? undefined : item.resolve({ value: undefined, ...this.position });
    const failed = (cause: TroupeError, isUnknown: boolean) =>
      item.reject(outcomeKept(cause, isUnknown));
    item.inboxId = envelope.id;
    this.#tryCommit({
      ops,
      isTurn: false,
      state: committer.image.state,
      origin: originOf(envelope),
      waiter: { accepted, failed },
    });
  }

  /** Makes a record that is no turn; resolves when it is accepted. */
  record(ops: readonly Op[]): Promise<void> {
    const { committer } = this;
    if (committer === undefined || this.#isEnded) return Promise.reject(endedError(this.address));
    return new Promise((resolve, reject) => {
      const accepted = () => {
        this.#outbox.accepted(ops);
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
    this.#outbox.close();
    this.tasks.close(cause);
    this.#keyed.close(cause);
    this.committer?.close(cause);
  }

  /** Whether the message was handled before: then it is answered here. */
  #isSettled(item: MailboxItem): boolean {
    if (this.committer === undefined || item.inboxId !== undefined) return false;
    const { envelope } = item;
    const { clock, retention } = this.host;
    if (envelope.firstAttemptAt + retention.resultWindowMs < clock.now()) {
      item.reject(
        new TroupeError('EXPIRED', {
          detail: `message ${envelope.id} to ${this.address} is older than limits.resultWindow`,
        }),
      );
      return true;
    }
    const known = this.#keyed.find(this, envelope);
    if (known !== undefined) {
      this.#answerAgain(item, known);
      return true;
    }
    const admission = this.admit(envelope);
    if (admission.kind === 'run' || admission.kind === 'early') return false;
    if (admission.kind === 'expired') {
      item.reject(
        new TroupeError('EXPIRED', {
          detail: `${this.address} no longer knows what became of message ${envelope.id}`,
          outcome: 'unknown',
        }),
      );
    } else this.#answerAgain(item, admission.reply);
    return true;
  }

  #answerAgain(item: MailboxItem, known: StoredReply | null | TroupeError): void {
    const { committer } = this;
    if (TroupeError.is(known)) item.reject(known);
    else if (
      known === null &&
      item.envelope.wantsReply &&
      item.envelope.idempotencyKey !== undefined
    )
      this.#keyed.wait(item.envelope.idempotencyKey, item);
    else if (known?.[0] === 'run') this.tasks.answer(known[1], item);
    else
      committer?.whenAccepted(
        answering(item, known ?? ['ok', undefined, committer.image.version], this.host.epoch),
      );
  }

  #run(item: MailboxItem): Promise<void> | undefined {
    const { envelope } = item;
    const startedAt = this.host.clock.monotonic();
    const context = new TurnContext(
      this,
      envelope,
      this.committer === undefined ? this.#memoryState : this.committer.image.state,
    );
    try {
      const result =
        item.work === undefined ? this.#invoke(context, item) : item.work(context, this);
      if (isThenable(result)) return this.#finishLater(item, context, result, startedAt);
      this.#finish(item, context, result, startedAt);
    } catch (error) {
      return this.#failed(item, context, error, startedAt);
    }
    return undefined;
  }

  #invoke(context: TurnContext, item: MailboxItem): unknown {
    const { envelope } = item;
    if (envelope.deadline <= this.host.clock.now() && item.inboxId === undefined) {
      throw new TroupeError('DEADLINE_EXCEEDED', {
        detail: `${this.address}.${envelope.action} waited in the mailbox until its deadline had passed`,
        outcome: 'not-executed',
      });
    }
    if (isAdministrative(envelope.action)) return administer(this, context, envelope);
    return this.perform(context, envelope.action, envelope.input);
  }

  async #finishLater(
    item: MailboxItem,
    context: TurnContext,
    result: PromiseLike<unknown>,
    startedAt: number,
  ): Promise<void> {
    const watch = this.host.clock.setTimer(this.host.limits.slowTurnMs, () => {
      this.logger.warn('slow turn: it holds the mailbox; use a task and ctx.update for long work', {
        code: 'SLOW_TURN',
        action: item.envelope.action,
        waiting: this.host.waitingAt(this.address),
      });
    });
    try {
      const value = await result;
      this.#finish(item, context, value, startedAt);
    } catch (error) {
      await this.#failed(item, context, error, startedAt);
    } finally {
      watch.cancel();
    }
  }

  #finish(item: MailboxItem, context: TurnContext, result: unknown, startedAt: number): void {
    const { envelope } = item;
    const output = item.work === undefined ? this.#output(envelope, result) : result;
    const decision = closeTurn(context);
    this.#checkState(decision);
    if (this.committer === undefined) this.#applyInMemory(item, decision, output);
    else this.#seal(item, decision, output);
    this.host.observe(envelope, 'turn', startedAt, undefined);
  }

  #output(envelope: Envelope, result: unknown): unknown {
    if (isAdministrative(envelope.action)) return result;
    const shape = actionOf(this.contract, envelope.action);
    if (shape.output === undefined || shape.kind === 'task') return undefined;
    const place = `${this.contract.type}.${envelope.action} output`;
    return copyValue(parseWith(shape.output, result, place, 'OUTPUT_INVALID'), place);
  }

  #checkState(decision: TurnDecision): void {
    const before = this.committer === undefined ? this.#memoryState : this.committer.image.state;
    if (decision.state === before) return;
    parseWith(
      this.contract.state,
      decision.state,
      `${this.address} state after the turn`,
      'OUTPUT_INVALID',
    );
  }

  #applyInMemory(item: MailboxItem, decision: TurnDecision, output: unknown): void {
    if (decision.state !== this.#memoryState) {
      this.#memoryState = decision.state;
      this.#memoryVersion += 1;
    }
    item.resolve({ value: output, epoch: this.host.epoch, version: this.#memoryVersion });
    if (decision.sends.length > 0) this.#outbox.sendFromMemory(decision.sends, item.envelope);
  }

  /** Makes the record of a turn. */
  #seal(item: MailboxItem, decision: TurnDecision, output: unknown): void {
    const { envelope } = item;
    const committer = this.committer as Committer;
    const { image } = committer;
    const promised = sendOps(image, decision.sends, envelope, this.host);
    const changes = stateOps(
      committer,
      decision.state,
      this.contract,
      decision.ops.length + promised.length > 0,
    );
    const isTurn = changes.length + promised.length > 0 || decision.ops.some(isTurnOp);
    const version = isTurn ? image.version + 1 : image.version;
    const runId = this.tasks.begunBy(decision.ops);
    const reply: StoredReply = runId === undefined ? ['ok', output, version] : ['run', runId];
    const isKept =
      envelope.wantsReply || runId !== undefined || envelope.idempotencyKey !== undefined;
    const ops = [...changes, ...decision.ops, ...promised];
    const mustMark =
      ops.length > 0 || envelope.guarantee === 'exactly_once' || item.inboxId !== undefined;
    const waiter = this.#releasing(item, decision, reply, ops);
    if (!mustMark) {
      committer.whenAccepted(waiter);
      return;
    }
    if (item.work === undefined) ops.push(...this.#marks(item, isKept ? reply : null));
    ops.push(...this.#outbox.takeConsumed());
    committer.commit({ ops, isTurn, state: decision.state, origin: originOf(envelope), waiter });
  }

  /** The operations that say that a message was handled, and how it was answered. */
  #marks(item: MailboxItem, reply: StoredReply | null): Op[] {
    const { envelope, inboxId } = item;
    if (inboxId === undefined) return deliveredOps(envelope, reply, this.#fingerprint(envelope));
    const marks: Op[] = [['uninbox', inboxId]];
    if (envelope.idempotencyKey !== undefined) {
      marks.push(['key', envelope.idempotencyKey, this.#fingerprint(envelope) as string, reply]);
    }
    return marks;
  }

  /** What acceptance of a turn's record sets free: its answer, its messages, its events. */
  #releasing(
    item: MailboxItem,
    decision: TurnDecision,
    reply: StoredReply,
    ops: readonly Op[],
  ): Waiter {
    const { envelope } = item;
    return {
      accepted: () => {
        if (reply[0] === 'run') this.tasks.accepted(reply[1], item);
        else answer(item, reply, this.host.epoch);
        if (envelope.idempotencyKey !== undefined)
          this.#keyed.answer(this, envelope.idempotencyKey, reply);
        if (decision.sends.length > 0) {
          this.#outbox.accepted(ops);
          this.#outbox.sendFromMemory(decision.sends, envelope);
        }
        for (const followUp of decision.followUps) followUp();
        this.#publish(decision.ops);
      },
      failed: (cause, isUnknown) => item.reject(outcomeKept(cause, isUnknown)),
    };
  }

  #publish(ops: readonly Op[]): void {
    const events: (readonly [string, unknown])[] = [];
    for (const op of ops) if (op[0] === 'event') events.push([op[1], op[2]]);
    if (events.length === 0) return;
    this.host.publish({
      address: this.address,
      events,
      position: this.position,
      at: this.host.clock.now(),
    });
  }

  /** A throw leaves no trace; what it means for the message depends on who waits. */
  #failed(
    item: MailboxItem,
    context: TurnContext,
    thrown: unknown,
    startedAt: number,
  ): Promise<void> | undefined {
    abandonTurn(context);
    const { envelope } = item;
    const error = failureOf(thrown, `${this.address}.${envelope.action}`);
    this.host.observe(envelope, 'turn', startedAt, error);
    const { committer } = this;
    if (committer === undefined || item.work !== undefined) {
      this.#release(item, error);
    } else if (error.code === 'REJECTED') {
      this.#recordAnswer(item, ['error', error.toValue(), committer.image.version], []);
    } else if (!isAttempt(envelope) || error.code === 'DEADLINE_EXCEEDED') {
      this.#settleInMemory(envelope, error);
      this.#release(item, error);
    } else if (envelope.attempt >= this.contract.limits.attemptsMax || neverFits(error)) {
      const letter = deadLetterOps(envelope, error, this.host.clock.now());
      this.#recordAnswer(item, ['error', error.toValue(), committer.image.version], letter);
    } else if (item.inboxId === undefined) {
      this.#release(item, error);
    } else return this.#repeat(item);
    return undefined;
  }

  /** An answer that is recorded although nothing changed: a rejection, or giving a message up. */
  #recordAnswer(item: MailboxItem, reply: StoredReply, more: readonly Op[]): void {
    const committer = this.committer as Committer;
    const { envelope } = item;
    const ops = [
      ...more,
      ...this.#marks(
        item,
        envelope.wantsReply || envelope.guarantee === 'exactly_once' ? reply : null,
      ),
    ];
    const waiter = {
      accepted: () => {
        answer(item, reply, this.host.epoch);
        if (envelope.idempotencyKey !== undefined)
          this.#keyed.answer(this, envelope.idempotencyKey, reply);
      },
      failed: (cause: TroupeError, isUnknown: boolean) =>
        item.reject(outcomeKept(cause, isUnknown)),
    };
    if (ops.length === 0) committer.whenAccepted(waiter);
    else
      this.#tryCommit({
        ops,
        isTurn: false,
        state: committer.image.state,
        origin: originOf(envelope),
        waiter,
      });
  }

  #tryCommit(commit: Parameters<Committer['commit']>[0]): void {
    try {
      this.committer?.commit(commit);
    } catch (error) {
      commit.waiter?.failed(failureOf(error, this.address), false);
    }
  }

  /**
   * The number of a message that threw and was answered runs no more, as long as this life lasts.
   */
  #settleInMemory(envelope: Envelope, error: TroupeError): void {
    const { numbering, priority } = envelope;
    const { image } = this;
    if (numbering === undefined || image === undefined) return;
    image.streams ??= new Map();
    const reply: StoredReply = ['error', error.toValue(), image.version];
    consume(image.streams, {
      ...numbering,
      lane: laneOf(priority),
      reply,
      at: this.host.clock.now(),
    });
  }

  /** An error, too, waits for the records that its turn's state stood on. */
  #release(item: MailboxItem, error: TroupeError): void {
    if (this.committer === undefined) item.reject(error);
    else
      this.committer.whenAccepted({
        accepted: () => item.reject(error),
        failed: () => item.reject(error),
      });
  }

  /** Repeats a recorded message after a pause; the mailbox waits, so that order is kept. */
  async #repeat(item: MailboxItem): Promise<void> {
    const { envelope } = item;
    const { attemptBackoffMs } = this.contract.limits;
    await new Promise<void>(resolve => {
      this.host.clock.setTimer(attemptBackoffMs * 2 ** (envelope.attempt - 1), resolve);
    });
    if (this.#isEnded) return;
    const again = { ...item, envelope: { ...envelope, attempt: envelope.attempt + 1 } };
    await this.#run(again);
  }

  #handler(action: string): Handler {
    return this.#implementation.handlers[action] as Handler;
  }

  #fingerprint(envelope: Envelope): string | undefined {
    return envelope.idempotencyKey === undefined
      ? undefined
      : fingerprintOf(envelope.action, envelope.input);
  }

  #isInitial(): boolean {
    return this.#memoryVersion === 0;
  }

  #onAccepted(): void {
    const image = this.image as AgentImage;
    this.#timers.onAccepted(image);
    this.#options.onReady();
  }

  #end(cause: TroupeError): void {
    if (this.#isEnded) return;
    this.close(cause);
    this.#options.onEnded(cause);
  }
}

/**
 * Whether a throw is an attempt that may be repeated, because nobody waits or a key holds the
 * place.
 */
function isAttempt(envelope: Envelope): boolean {
  return !envelope.wantsReply || envelope.guarantee === 'exactly_once';
}

/** Whether an error will be the same however often the message comes. */
function neverFits(error: TroupeError): boolean {
  return error.code === 'INVALID_INPUT' || error.code === 'ACTION_NOT_DEFINED';
}
