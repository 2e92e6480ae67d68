/** How what waits for an agent is refused, and what may be said of it then. */
import { withOutcome } from '../agent/failure.ts';
import type { MailboxItem } from '../agent/item.ts';
import { TroupeError } from '../core/errors.ts';
import { isRecorded } from './inbox-order.ts';

/** Refuses items. Those in the inbox will be handled, by this life of the process or the next. */
export function rejectItems(items: readonly MailboxItem[], cause: TroupeError): void {
  if (items.length === 0) return;
  const later = withOutcome(cause, 'unknown');
  for (const item of items) item.reject(isRecorded(item) ? later : cause);
}

/** Refuses who waits from outside; returns the agent's own work, and what is in the inbox. */
export function rejectCallers(items: readonly MailboxItem[], cause: TroupeError): MailboxItem[] {
  const kept: MailboxItem[] = [];
  for (const item of items) {
    if (item.work !== undefined || isRecorded(item)) kept.push(item);
    else item.reject(cause);
  }
  return kept;
}

/** Refuses a message because too many wait. */
export function mailboxFull(address: string, lengthMax: number): TroupeError {
  return new TroupeError('MAILBOX_FULL', {
    detail: `${address} has ${lengthMax} messages waiting, as many as limits.mailboxLengthMax allows; retry later`,
    retryAfterMs: 100,
  });
}
