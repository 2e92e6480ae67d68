/** What waits in a mailbox: a message, or work of the agent's own, with the way to answer it. */
import type { Envelope, Reply } from '../core/envelope.ts';
import type { TroupeError } from '../core/errors.ts';
import type { TurnContext } from './turn-context.ts';

/**
 * What an item does in place of the contract's action: timers, signals, updates of tasks and
 * administrative acts. It runs exclusively, like any turn, and its record is one record.
 */
export type OwnWork = (turn: TurnContext) => unknown;

/** One thing to handle. Exactly one of `resolve` and `reject` is called, once. */
export interface MailboxItem {
  readonly envelope: Envelope;
  readonly work?: OwnWork | undefined;
  /** On the monotonic clock. */
  readonly arrivedAt: number;
  /** Set when the message was recorded before it could be handled: it is the agent's to repeat. */
  inboxId?: string | undefined;
  /** Set when an earlier activation recorded it, or may have: no end of waiting undoes that. */
  wasRecorded?: boolean | undefined;
  /** The run that it asks for is recorded, with its key; the answer comes when the run ends. */
  begun?(): void;
  /** Gives the message the numbering that its sender would give it now. */
  renew?(): void;
  resolve(reply: Reply): void;
  reject(error: TroupeError): void;
}
