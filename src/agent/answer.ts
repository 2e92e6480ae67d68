/** From a recorded answer to the caller that waits for it. */
import { TroupeError } from '../core/errors.ts';
import { copyValue } from '../core/values.ts';
import type { StoredReply } from '../state/entries.ts';
import { placed } from './answer-position.ts';
import type { Waiter } from './commit.ts';
import { outcomeKept } from './failure.ts';
import type { MailboxItem } from './item.ts';

/** Answers a caller with what is recorded; a run answers by itself. */
export function answer(item: MailboxItem, reply: StoredReply, epoch: number): void {
  if (reply[0] === 'ok') item.resolve({ value: reply[1], epoch, version: reply[2] });
  else if (reply[0] === 'error') {
    item.reject(placed(TroupeError.from(reply[1]), { epoch, version: reply[2] }));
  }
}

/** Answers a caller once all records in flight are accepted. */
export function answering(item: MailboxItem, reply: StoredReply, epoch: number): Waiter {
  return {
    accepted: () =>
      answer(
        item,
        reply[0] === 'ok' ? ['ok', copyValue(reply[1], 'a kept reply'), reply[2]] : reply,
        epoch,
      ),
    failed: (cause, isUnknown) => item.reject(outcomeKept(cause, isUnknown)),
  };
}

/** Refuses a message once all records in flight are accepted, because they are why. */
export function refusing(item: MailboxItem, error: TroupeError): Waiter {
  return {
    accepted: () => item.reject(error),
    failed: cause => item.reject(outcomeKept(cause, false)),
  };
}

/** The error of an activation that is no more; the message may be tried again at once. */
export function endedError(address: string): TroupeError {
  return new TroupeError('VERSION_CONFLICT', { detail: `the activation of ${address} has ended` });
}

/** Whether something can be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
