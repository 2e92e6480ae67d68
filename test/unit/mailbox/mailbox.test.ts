/** The lanes of a mailbox: first in first out in each, higher ones first, and none starves. */
import { describe, expect, it } from 'vitest';
import type { MailboxItem } from '../../../src/agent/item.ts';
import type { Envelope, Priority } from '../../../src/core/envelope.ts';
import { Mailbox } from '../../../src/mailbox/mailbox.ts';

function itemOf(priority: Priority, id = ''): MailboxItem {
  const envelope: Envelope = {
    id,
    type: 'a',
    key: '1',
    action: 'act',
    input: undefined,
    guarantee: 'at_least_once',
    priority,
    deadline: Number.POSITIVE_INFINITY,
    wantsReply: false,
    attempt: 1,
    firstAttemptAt: 0,
    correlationId: id,
  };
  return { envelope, arrivedAt: 0, resolve: () => undefined, reject: () => undefined };
}

describe('a mailbox', () => {
  it('keeps the order within a lane', () => {
    const mailbox = new Mailbox();
    for (const id of ['1', '2', '3']) mailbox.push(itemOf('normal', id));
    const ids = [1, 2, 3].map(() => mailbox.shift()?.envelope.id);
    expect(ids).toEqual(['1', '2', '3']);
    expect(mailbox.shift()).toBeUndefined();
    expect(mailbox.length).toBe(0);
  });

  it('lets higher lanes go first', () => {
    const mailbox = new Mailbox();
    const priorities = ['low', 'normal', 'high'] as const;
    for (const priority of priorities) mailbox.push(itemOf(priority));
    const order = priorities.map(() => mailbox.shift()?.envelope.priority);
    expect(order).toEqual(['high', 'normal', 'low']);
  });

  it('serves each lane within a bounded number of items, however full the others are', () => {
    const mailbox = new Mailbox();
    mailbox.push(itemOf('low'));
    mailbox.push(itemOf('normal'));
    const order: (Priority | undefined)[] = [];
    for (let count = 0; count < 40; count += 1) {
      mailbox.push(itemOf('high'));
      mailbox.push(itemOf('high'));
      order.push(mailbox.shift()?.envelope.priority);
    }
    expect(order.indexOf('normal')).toBeGreaterThan(0);
    expect(order.indexOf('low')).toBeGreaterThan(0);
  });

  it('gives an item back that is asked for in time, once', () => {
    const mailbox = new Mailbox();
    const [first, second] = [itemOf('normal', '1'), itemOf('normal', '2')];
    mailbox.push(first);
    mailbox.push(second);
    expect(mailbox.remove(first)).toBe(true);
    expect(mailbox.remove(first)).toBe(false);
    expect(mailbox.shift()).toBe(second);
    expect(mailbox.remove(second)).toBe(false);
  });
});
