/**
 * The end of a turn: everything that it decided becomes one record, and what the record sets free
 * (answer, messages, events) waits for the engine to accept it.
 */
import type { Envelope } from '../core/envelope.ts';
import type { ErrorValue, TroupeError } from '../core/errors.ts';
import type { StoredReply } from '../state/entries.ts';
import type { Op } from '../state/record.ts';
import { answer } from './answer.ts';
import type { Commit, Committer, Waiter } from './commit.ts';
import { failureOf, outcomeKept } from './failure.ts';
import type { MailboxItem } from './item.ts';
import { fingerprintOf } from './keyed-replies.ts';
import type { Outbox } from './outbox.ts';
import { checkQuotas, deadLetterOps, isInboxFull } from './quotas.ts';
import { inboxEntry, isTurnOp, markDelivered, originOf, sendOps, stateOps } from './seal.ts';
import { admission, type KeyedAgent, passNumber } from './settled.ts';
import type { Tasks } from './tasks.ts';
import type { TurnDecision } from './turn-context.ts';

/** An activation with all that the record of a turn touches. */
export interface RecordingAgent extends KeyedAgent {
  readonly outbox: Outbox;
  readonly tasks: Tasks;
}

/** Makes the record of a turn, or none if nothing needs one. */
export function sealTurn(
  agent: RecordingAgent,
  item: MailboxItem,
  decision: TurnDecision,
  output: unknown,
): void {
  try {
    makeRecord(agent, item, decision, output);
  } catch (error) {
    agent.outbox.takeBack();
    throw error;
  }
}

function makeRecord(
  agent: RecordingAgent,
  item: MailboxItem,
  decision: TurnDecision,
  output: unknown,
): void {
  const { envelope } = item;
  const { contract, tasks, outbox } = agent;
  // Only agents with a log are sealed.
  const committer = agent.committer as Committer;
  const { image } = committer;
  checkQuotas(agent, decision);
  const promised = sendOps(image, decision.sends, envelope, agent.host);
  const hasOthers = decision.ops.length + promised.length > 0;
  const changes = stateOps(committer, decision.state, contract, hasOthers);
  const isTurn = changes.length + promised.length > 0 || decision.ops.some(isTurnOp);
  const version = isTurn ? image.version + 1 : image.version;
  const runId = tasks.begunBy(decision.ops);
  const reply: StoredReply = runId === undefined ? ['ok', output, version] : ['run', runId];
  const ops = changes;
  for (const op of decision.ops) ops.push(op);
  for (const op of promised) ops.push(op);
  const waiter = new TurnEnd(agent, item, decision, { reply, version, promised });
  if (ops.length === 0 && envelope.guarantee !== 'exactly_once' && item.inboxId === undefined) {
    // No record says that it was handled, but what comes behind it must not wait for it.
    passNumber(agent, envelope, isKept(item, runId) ? reply : null);
    committer.whenAccepted(waiter);
    return;
  }
  if (item.work === undefined) mark(ops, item, isKept(item, runId) ? reply : null);
  outbox.takeConsumed(ops);
  committer.commit({ ops, isTurn, state: decision.state, origin: originOf(envelope), waiter });
}

/** Records an answer although nothing changed: a rejection, or giving a message up. */
export function recordAnswer(
  agent: RecordingAgent,
  item: MailboxItem,
  error: ErrorValue,
  more: readonly Op[],
): void {
  const { envelope } = item;
  const committer = agent.committer as Committer;
  const reply: StoredReply = ['error', error, committer.image.version];
  const keeps = envelope.wantsReply || envelope.guarantee === 'exactly_once';
  const ops = [...more];
  mark(ops, item, keeps ? reply : null);
  const waiter: Waiter = {
    accepted: () => {
      answer(item, reply, agent.host.epoch);
      if (envelope.idempotencyKey !== undefined) agent.answerKey(envelope.idempotencyKey, reply);
    },
    failed: (cause, isUnknown) => item.reject(outcomeKept(cause, isUnknown)),
  };
  if (ops.length === 0) committer.whenAccepted(waiter);
  else commitOrFail(agent, item, ops, waiter);
}

/** Gives a message up: a dead letter, that also answers it. */
export function recordDeadLetter(
  agent: RecordingAgent,
  item: MailboxItem,
  error: TroupeError,
): void {
  recordAnswer(agent, item, error.toValue(), deadLetterOps(agent, item.envelope, error));
}

/** Records a waiting message, so that it is this agent's to repeat and its sender may forget it. */
export function recordInbox(agent: RecordingAgent, item: MailboxItem): void {
  const { envelope } = item;
  const { committer } = agent;
  if (committer === undefined || item.inboxId !== undefined || agent.isEnded) return;
  if (admission(agent, envelope).kind !== 'run' || agent.keyed.find(agent, envelope) !== undefined)
    return;
  if (isInboxFull(agent)) return;
  const ops: Op[] = [];
  markDelivered(ops, envelope, null, fingerprintIn(envelope));
  ops.push(['inbox', inboxEntry(envelope)]);
  const accepted = () =>
    envelope.wantsReply ? undefined : item.resolve({ value: undefined, ...agent.position });
  // Who waits for the answer waits on: the message stays in the mailbox, and so is not refused.
  const failed = (cause: TroupeError, isUnknown: boolean) =>
    envelope.wantsReply ? undefined : item.reject(outcomeKept(cause, isUnknown));
  const { state } = committer.image;
  const waiter: Waiter = { accepted, failed };
  item.inboxId = envelope.id;
  try {
    committer.commit({ ops, isTurn: false, state, origin: originOf(envelope), waiter });
  } catch {
    // What is too large to be recorded before it is handled is handled without.
    item.inboxId = undefined;
  }
}

/** Whether a message is another one once more: by its number, or by its key. */
export function isRepetition(message: Envelope, other: Envelope | undefined): boolean {
  if (other === undefined) return false;
  const { numbering, idempotencyKey: key, priority } = message;
  if (key !== undefined && key === other.idempotencyKey) return true;
  return (
    numbering !== undefined &&
    numbering.number === other.numbering?.number &&
    numbering.sender === other.numbering.sender &&
    priority === other.priority
  );
}

function commitOrFail(
  agent: RecordingAgent,
  { envelope }: MailboxItem,
  ops: readonly Op[],
  waiter: Waiter,
): void {
  const committer = agent.committer as Committer;
  const { state } = committer.image;
  const commit: Commit = { ops, isTurn: false, state, origin: originOf(envelope), waiter };
  try {
    committer.commit(commit);
  } catch (error) {
    waiter.failed(failureOf(error, agent.address), false);
  }
}

/** Whether the answer is kept for the message when it comes again. */
function isKept({ envelope }: MailboxItem, runId: string | undefined): boolean {
  return envelope.wantsReply || runId !== undefined || envelope.idempotencyKey !== undefined;
}

/** Adds the operations that say that a message was handled, and how it was answered. */
function mark(ops: Op[], item: MailboxItem, reply: StoredReply | null): void {
  const { envelope, inboxId } = item;
  if (inboxId === undefined) {
    markDelivered(ops, envelope, reply, fingerprintIn(envelope));
    return;
  }
  ops.push(['uninbox', inboxId]);
  if (envelope.idempotencyKey !== undefined) {
    ops.push(['key', envelope.idempotencyKey, fingerprintIn(envelope) ?? '', reply]);
  }
}

function fingerprintIn(envelope: Envelope): string | undefined {
  if (envelope.idempotencyKey === undefined) return undefined;
  return fingerprintOf(envelope.action, envelope.input);
}

/** What came of a turn's decision. */
interface Sealed {
  readonly reply: StoredReply;
  readonly version: number;
  readonly promised: readonly Op[];
}

/** What acceptance of a turn's record sets free: its answer, its messages, its events. */
class TurnEnd implements Waiter {
  readonly #agent: RecordingAgent;
  readonly #item: MailboxItem;
  readonly #decision: TurnDecision;
  readonly #sealed: Sealed;

  constructor(agent: RecordingAgent, item: MailboxItem, decision: TurnDecision, sealed: Sealed) {
    this.#agent = agent;
    this.#item = item;
    this.#decision = decision;
    this.#sealed = sealed;
  }

  accepted(): void {
    const agent = this.#agent;
    const { envelope } = this.#item;
    const { sends, followUps, ops } = this.#decision;
    const { reply, version, promised } = this.#sealed;
    if (reply[0] === 'run') agent.tasks.accepted(reply[1], this.#item);
    else answer(this.#item, reply, agent.host.epoch);
    if (envelope.idempotencyKey !== undefined) agent.answerKey(envelope.idempotencyKey, reply);
    if (sends.length > 0) {
      agent.outbox.accepted(promised);
      agent.outbox.sendFromMemory(sends, envelope);
    }
    for (const followUp of followUps) followUp();
    if (ops.length > 0) publishEvents(agent, ops, version);
  }

  failed(cause: TroupeError, isUnknown: boolean): void {
    this.#item.reject(outcomeKept(cause, isUnknown));
  }
}

function publishEvents(agent: RecordingAgent, ops: readonly Op[], version: number): void {
  const events: (readonly [string, unknown])[] = [];
  for (const op of ops) if (op[0] === 'event') events.push([op[1], op[2]]);
  if (events.length === 0) return;
  const { address, host } = agent;
  const position = { epoch: host.epoch, version };
  host.publish({ address, events, position, at: host.clock.now() });
}
