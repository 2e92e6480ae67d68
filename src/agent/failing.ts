/**
 * What becomes of a message whose turn threw: nothing of it is kept, and who waits, who repeats and
 * who gives up depends on what was promised about the message.
 */
import type { Envelope } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import type { MailboxItem } from './item.ts';
import { passNumber } from './settled.ts';
import { type RecordingAgent, recordAnswer, recordDeadLetter } from './turn-record.ts';

/** An activation that can be asked to handle a recorded item once more. */
export interface RepeatingAgent extends RecordingAgent {
  repeat(item: MailboxItem, pauseMs: number): void;
}

/** Whether a message waited until nobody waits for it any more: then it is refused here. */
export function isOverdue(agent: RecordingAgent, item: MailboxItem, startedAt: number): boolean {
  const { envelope, arrivedAt, inboxId, work } = item;
  const patienceMs = envelope.deadline - envelope.firstAttemptAt;
  if (startedAt - arrivedAt < patienceMs || inboxId !== undefined || work !== undefined)
    return false;
  const error = new TroupeError('DEADLINE_EXCEEDED', {
    detail: `${agent.address}.${envelope.action} waited in the mailbox until its deadline had passed`,
    outcome: 'not-executed',
  });
  agent.host.observe(envelope, 'turn', startedAt, error);
  passNumber(agent, envelope, ['error', error.toValue(), agent.image?.version ?? 0]);
  release(agent, item, error);
  return true;
}

/** A throw leaves no trace. */
export function failTurn(agent: RepeatingAgent, item: MailboxItem, error: TroupeError): void {
  const { envelope } = item;
  if (item.work !== undefined) release(agent, item, error);
  else if (agent.committer === undefined) {
    release(agent, item, mayRepeat(agent, envelope, error) ? asAttempt(agent, item, error) : error);
  } else if (error.code === 'REJECTED') recordAnswer(agent, item, error.toValue(), []);
  else if (!isAttempt(envelope)) {
    passNumber(agent, envelope, ['error', error.toValue(), agent.image?.version ?? 0]);
    release(agent, item, error);
  } else if (!mayRepeat(agent, envelope, error)) recordDeadLetter(agent, item, error);
  else if (item.inboxId === undefined) release(agent, item, asAttempt(agent, item, error));
  else agent.repeat(nextAttempt(item), pauseMs(agent, envelope));
}

/** An error, too, waits for the records that its turn's state stood on: they may be undone. */
function release(agent: RecordingAgent, item: MailboxItem, error: TroupeError): void {
  if (agent.committer === undefined) item.reject(error);
  else {
    agent.committer.whenAccepted({
      accepted: () => item.reject(error),
      failed: cause => item.reject(undone(cause)),
    });
  }
}

/** The state that a turn threw on is no more; so the throw proves nothing, and nothing ran. */
function undone(cause: TroupeError): TroupeError {
  const { code, detail, data } = cause;
  return new TroupeError(code, { detail, data, cause, outcome: 'not-executed' });
}

/** Whether a throw is an attempt that may be repeated: nobody waits, or a key holds the place. */
function isAttempt({ guarantee, wantsReply }: Envelope): boolean {
  if (guarantee === 'at_most_once') return false;
  return !wantsReply || guarantee === 'exactly_once';
}

function mayRepeat(agent: RecordingAgent, envelope: Envelope, error: TroupeError): boolean {
  if (!isAttempt(envelope) || isHopeless(error)) return false;
  return envelope.attempt < agent.contract.limits.attemptsMax;
}

/** Whether an error will be the same however often the message comes. */
function isHopeless({ code }: TroupeError): boolean {
  return code === 'INVALID_INPUT' || code === 'ACTION_NOT_DEFINED' || code === 'REJECTED';
}

/** Tells the sender that this was an attempt, and when to make the next one. */
function asAttempt(agent: RecordingAgent, item: MailboxItem, error: TroupeError): TroupeError {
  const { code, detail, data, cause } = error;
  const retryAfterMs = pauseMs(agent, item.envelope);
  return new TroupeError(code, { detail, data, cause, outcome: 'rolled-back', retryAfterMs });
}

/** The item of the next attempt at a recorded message. */
function nextAttempt(item: MailboxItem): MailboxItem {
  const { envelope, arrivedAt, inboxId } = item;
  return {
    envelope: { ...envelope, attempt: envelope.attempt + 1 },
    arrivedAt,
    inboxId,
    resolve: reply => item.resolve(reply),
    reject: error => item.reject(error),
  };
}

function pauseMs(agent: RecordingAgent, { attempt }: Envelope): number {
  return agent.contract.limits.attemptBackoffMs * 2 ** (attempt - 1);
}
