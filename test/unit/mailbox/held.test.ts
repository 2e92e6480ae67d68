/** Messages that came too early: held within bounds, refused for whoever must come first. */
import { expect, it } from 'vitest';
import type { MailboxItem } from '../../../src/agent/item.ts';
import type { Envelope } from '../../../src/core/envelope.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { Held } from '../../../src/mailbox/held.ts';

const limits = { heldMax: 10, heldTimeoutMs: 60_000 };

it('gives way to a message that may be the one it waits for, newest first', () => {
  const refused: unknown[] = [];
  const held = new Held(systemClock(), limits);
  held.add(early(2, refused));
  held.add(early(3, refused));

  expect([held.giveWay(), held.giveWay(), held.giveWay()]).toEqual([true, true, false]);

  // The sender repeats such a message, with its number.
  expect(refused.map(each => TroupeError.is(each) && [each.code, each.outcome])).toEqual([
    ['OVERLOADED', 'not-executed'],
    ['OVERLOADED', 'not-executed'],
  ]);
  expect(refused.map(String)).toEqual([
    expect.stringContaining('message m3'),
    expect.stringContaining('message m2'),
  ]);
  held.clear();
});

function early(number: number, refused: unknown[]): MailboxItem {
  // Only what says where the message belongs is looked at.
  const envelope = {
    id: `m${number}`,
    type: 'counter',
    key: 'one',
    numbering: { sender: 'other/one', number, floor: 1 },
  } as Envelope;
  return {
    envelope,
    arrivedAt: 0,
    resolve: () => undefined,
    reject: error => void refused.push(error),
  };
}
