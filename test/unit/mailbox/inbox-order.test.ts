/** The order of messages that were recorded before they were handled. */
import { expect, it } from 'vitest';
import type { Activation } from '../../../src/agent/activation.ts';
import type { MailboxItem } from '../../../src/agent/item.ts';
import type { Envelope, Priority } from '../../../src/core/envelope.ts';
import { isBehindInbox, mustWait } from '../../../src/mailbox/inbox-order.ts';
import type { AgentImage } from '../../../src/state/agent-image.ts';
import type { InboxEntry } from '../../../src/state/entries.ts';

const image = imageWith(['m7', 7, 'normal'], ['m9', 9, 'normal'], ['m2', 2, 'low']);

it.each([
  ['a later number', message(8, 'normal'), true],
  ['a lower number', message(6, 'normal'), false],
  ['a number of another lane', message(8, 'high'), false],
  ['a later one that is recorded, too', recorded('m9'), true],
  ['the first that is recorded', recorded('m7'), false],
  ['the first of another lane', recorded('m2'), false],
  ['one without a number', { ...message(8, 'normal'), envelope: envelopeOf(undefined) }, false],
])('lets %s wait behind what is recorded, if it must', (_what, item, waits) => {
  expect(isBehindInbox(image, item)).toBe(waits);
});

it('lets nothing wait when nothing is recorded', () => {
  expect(isBehindInbox(undefined, message(8, 'normal'))).toBe(false);
  expect(isBehindInbox(imageWith(), message(8, 'normal'))).toBe(false);
});

it('lets what is recorded wait for no number: its sender may be forgotten', () => {
  // The image and the admission are all that is looked at.
  const activation = { image, admit: () => ({ kind: 'early' }) } as unknown as Activation;
  expect(mustWait(activation, recorded('m7'))).toBe(false);
  expect(mustWait(activation, recorded('m9'))).toBe(true);
  expect(mustWait(activation, message(6, 'normal'))).toBe(true);
  expect(mustWait(activation, message(6, 'normal'), { kind: 'run' })).toBe(false);
});

function imageWith(...entries: [string, number, Priority][]): AgentImage {
  const inbox = entries.map(([id, number, priority]) => {
    const entry = { id, number, priority, sender: 'other/one', action: 'add', input: 1 };
    return [id, { ...entry, at: 0, correlationId: id }] satisfies [string, InboxEntry];
  });
  // Only the inbox is looked at.
  return { inbox: new Map(inbox) } as unknown as AgentImage;
}

function message(number: number, priority: Priority): MailboxItem {
  const numbering = { sender: 'other/one', number, floor: 1 };
  return itemOf({ ...envelopeOf(numbering), priority });
}

function recorded(inboxId: string): MailboxItem {
  return { ...itemOf(envelopeOf(undefined)), inboxId };
}

function envelopeOf(numbering: Envelope['numbering']): Envelope {
  // Only what says where the message belongs is looked at.
  return { numbering, priority: 'normal' } as Envelope;
}

function itemOf(envelope: Envelope): MailboxItem {
  return { envelope, arrivedAt: 0, resolve: () => undefined, reject: () => undefined };
}
