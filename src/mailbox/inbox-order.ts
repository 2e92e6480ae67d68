/**
 * Order among messages that were recorded before they could be handled. Recording consumes their
 * numbers, so that numbering alone would let later ones of the same sender and lane pass them.
 */
import type { Activation } from '../agent/activation.ts';
import type { MailboxItem } from '../agent/item.ts';
import type { AgentImage } from '../state/agent-image.ts';
import type { InboxEntry } from '../state/entries.ts';
import type { Admission } from '../state/streams.ts';

type Place = Pick<InboxEntry, 'sender' | 'number' | 'priority'>;

/** Whether a message with a lower number is recorded and not yet handled. */
export function isBehindInbox(image: AgentImage | undefined, item: MailboxItem): boolean {
  const { inbox } = image ?? {};
  if (inbox === undefined || inbox.size === 0) return false;
  const place = placeOf(inbox, item);
  if (place === undefined) return false;
  for (const { sender, number, priority } of inbox.values()) {
    if (number >= place.number || sender !== place.sender) continue;
    if (priority === place.priority) return true;
  }
  return false;
}

/**
 * Whether an item has to wait for another. What is recorded has its number behind it, also when its
 * sender was silent for so long that its numbers are forgotten.
 */
export function mustWait(
  activation: Activation,
  item: MailboxItem,
  admitted: Admission = activation.admit(item.envelope),
): boolean {
  const isEarly = admitted.kind === 'early' && item.inboxId === undefined;
  return isEarly || isBehindInbox(activation.image, item);
}

/** Whether a message is in the inbox, or may be. */
export function isRecorded({ inboxId, wasRecorded }: MailboxItem): boolean {
  return inboxId !== undefined || wasRecorded === true;
}

function placeOf(
  inbox: ReadonlyMap<string, InboxEntry>,
  { inboxId, envelope }: MailboxItem,
): Place | undefined {
  if (inboxId !== undefined) return inbox.get(inboxId);
  const { numbering, priority } = envelope;
  return numbering === undefined ? undefined : { ...numbering, priority };
}
