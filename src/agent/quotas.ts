/** How much an agent may promise and keep: the bounds on outbox, timers, inbox and dead letters. */
import type { Envelope } from '../core/envelope.ts';
import { TroupeError } from '../core/errors.ts';
import type { DeadLetter } from '../state/entries.ts';
import type { Op } from '../state/record.ts';
import type { LiveAgent } from './live-agent.ts';
import type { TurnDecision } from './turn-context.ts';

/**
 * Refuses a turn that would promise more than the agent may.
 *
 * @throws `OVERLOADED` (outbox), `QUOTA_EXCEEDED` (timers)
 */
export function checkQuotas(agent: LiveAgent, { ops, sends }: TurnDecision): void {
  if (sends.length > 0) checkOutbox(agent, sends.length);
  if (ops.length > 0) checkTimers(agent, ops);
}

/**
 * Refuses to promise so many more messages.
 *
 * @throws `OVERLOADED`
 */
export function checkOutbox({ address, contract, image }: LiveAgent, count: number): void {
  const { outboxLengthMax } = contract.limits;
  const length = image?.outbox?.size ?? 0;
  if (length + count <= outboxLengthMax) return;
  throw new TroupeError('OVERLOADED', {
    detail: `${address} has promised ${length} messages that are not consumed, and limits.outboxLengthMax is ${outboxLengthMax}`,
    outcome: 'rolled-back',
  });
}

/** Whether no more messages may be recorded before they are handled. */
export function isInboxFull({ contract, image }: LiveAgent): boolean {
  return (image?.inbox?.size ?? 0) >= contract.limits.inboxLengthMax;
}

/** A message that is given up by its receiver, as operations. */
export function deadLetterOps(agent: LiveAgent, envelope: Envelope, error: TroupeError): Op[] {
  const { id, type, key, action, input, attempt, caller, correlationId } = envelope;
  return keepLetterOps(agent, {
    id,
    type,
    key,
    action,
    input,
    error: error.toValue(),
    attempts: attempt,
    at: agent.host.clock.now(),
    correlationId,
    ...(caller === undefined ? {} : { caller }),
  });
}

/** Keeps a dead letter, and lets go of the oldest if there are too many. */
export function keepLetterOps(agent: LiveAgent, letter: DeadLetter): Op[] {
  const { contract, image, logger } = agent;
  const { id, type, key, action, error } = letter;
  logger.warn('a message was given up; see "troupe dead ls"', {
    to: `${type}/${key}`,
    action,
    letter: id,
    code: error.code,
    detail: error.detail,
  });
  const ops: Op[] = [['dead', letter]];
  if ((image?.dead?.size ?? 0) < contract.limits.deadLettersMax) return ops;
  const [oldest] = image?.dead?.keys() ?? [];
  if (oldest === undefined) return ops;
  logger.warn('the oldest dead letter was dropped (limits.deadLettersMax)', { letter: oldest });
  return [['undead', oldest], ...ops];
}

function checkTimers({ address, contract, image }: LiveAgent, ops: readonly Op[]): void {
  const added = new Set<string>();
  for (const op of ops) {
    if (op[0] === 'timer' && image?.timers?.has(op[1]) !== true) added.add(op[1]);
    else if (op[0] === 'untimer') added.delete(op[1]);
  }
  const { timersMax } = contract.limits;
  const count = (image?.timers?.size ?? 0) + added.size;
  if (added.size === 0 || count <= timersMax) return;
  throw new TroupeError('QUOTA_EXCEEDED', {
    detail: `${address} would have ${count} timers, and limits.timersMax is ${timersMax}`,
    outcome: 'rolled-back',
  });
}
