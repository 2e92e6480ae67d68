/** Messages that were handled before: found by number or key, and answered as they were. */
import type { Envelope } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import type { Retention, StoredReply } from '../state/entries.ts';
import {
  type Admission,
  admit,
  consume,
  isForgotten,
  streamKey,
  windowOf,
} from '../state/streams.ts';
import { answering, refusing } from './answer.ts';
import type { MailboxItem } from './item.ts';
import type { KeyedReplies } from './keyed-replies.ts';
import type { LiveAgent } from './live-agent.ts';
import { laneOf } from './seal.ts';

/** An activation with the callers that wait for keys. */
export interface KeyedAgent extends LiveAgent {
  readonly keyed: KeyedReplies;
}

const admitsAll: Admission = { kind: 'run' };

/** Says what is to become of a numbered message. */
export function admission(agent: LiveAgent, envelope: Envelope): Admission {
  const { numbering } = envelope;
  const { image, host } = agent;
  if (numbering === undefined || image === undefined) return admitsAll;
  const key = streamKey(numbering.sender, laneOf(envelope.priority));
  const stream = image.streams?.get(key);
  const isKnown =
    stream !== undefined && !isForgotten(key, stream, host.clock.now(), host.retention);
  return admit(isKnown ? stream : undefined, numbering);
}

/** Whether a message was handled before: then it is answered here. */
export function isSettled(agent: KeyedAgent, item: MailboxItem, admitted: Admission): boolean {
  if (agent.committer === undefined) return false;
  if (item.inboxId !== undefined) return isStruckOff(agent, item, item.inboxId);
  const { envelope } = item;
  const { clock, retention } = agent.host;
  const ageMs = clock.now() - envelope.firstAttemptAt;
  if (ageMs > retention.resultWindowMs) {
    passNumber(agent, envelope, null);
    item.reject(tooOld(agent, envelope));
    return true;
  }
  const known = agent.keyed.find(agent, envelope);
  if (known !== undefined) {
    // The key answers, and the number is used up: what comes behind it must not wait for it.
    passNumber(agent, envelope, null);
    answerAgain(agent, item, known);
    return true;
  }
  const isForgettable = isBeyondMemory(envelope, ageMs, retention);
  return isDuplicate(agent, item, isForgettable ? beyond(admitted) : admitted);
}

/**
 * Whether a message is so old that its sender may have been forgotten since its first attempt. A
 * sender gives up before that by the clock that nobody sets; the wall clock may have jumped.
 */
function isBeyondMemory(
  { numbering, idempotencyKey }: Envelope,
  ageMs: number,
  retention: Retention,
): boolean {
  if (numbering === undefined || idempotencyKey !== undefined) return false;
  return ageMs > windowOf(numbering.sender, retention);
}

function beyond(admitted: Admission): Admission {
  return admitted.kind === 'duplicate' ? admitted : { kind: 'expired' };
}

/** Answers a message as it was answered before. */
export function answerAgain(
  agent: KeyedAgent,
  item: MailboxItem,
  known: StoredReply | null | TroupeError,
): void {
  const { envelope } = item;
  if (TroupeError.is(known)) agent.committer?.whenAccepted(refusing(item, known));
  else if (known === null && envelope.wantsReply && envelope.idempotencyKey !== undefined) {
    agent.keyed.wait(envelope.idempotencyKey, item);
  } else if (known?.[0] === 'run') agent.tasks.answer(known[1], item);
  else {
    const reply = known ?? (['ok', undefined, agent.image?.version ?? 0] as const);
    agent.committer?.whenAccepted(answering(item, reply, agent.host.epoch));
  }
}

/**
 * Lets the number of a message pass that needs no record, so that the next one may run. It is noted
 * for as long as this activation lives; after that, the sender's floor lies above it.
 */
export function passNumber(agent: LiveAgent, envelope: Envelope, reply: StoredReply | null): void {
  const { numbering, priority } = envelope;
  const { image } = agent;
  if (numbering === undefined || image === undefined) return;
  if (admission(agent, envelope).kind !== 'run') return;
  image.streams ??= new Map();
  const at = agent.host.clock.now();
  consume(image.streams, { ...numbering, lane: laneOf(priority), reply, at });
}

/** A message of the inbox that was cancelled meanwhile is answered, and does not run. */
function isStruckOff(agent: KeyedAgent, item: MailboxItem, inboxId: string): boolean {
  if (agent.image?.inbox?.has(inboxId) === true) return false;
  answerAgain(agent, item, agent.keyed.find(agent, item.envelope) ?? null);
  return true;
}

function isDuplicate(agent: KeyedAgent, item: MailboxItem, admitted: Admission): boolean {
  const { envelope } = item;
  if (admitted.kind === 'run' || admitted.kind === 'early') return false;
  if (admitted.kind === 'duplicate') answerAgain(agent, item, admitted.reply);
  else {
    const error = new TroupeError('EXPIRED', {
      detail: `${agent.address} no longer knows what became of message ${envelope.id}`,
      outcome: 'unknown',
    });
    agent.committer?.whenAccepted(refusing(item, error));
  }
  return true;
}

function tooOld(agent: LiveAgent, envelope: Envelope): TroupeError {
  return new TroupeError('EXPIRED', {
    detail: `message ${envelope.id} to ${agent.address} is older than limits.resultWindow`,
  });
}
