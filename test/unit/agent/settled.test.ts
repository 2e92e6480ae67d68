/** What is not handled: messages of which nobody knows any more whether they ran. */
import { describe, expect, it } from 'vitest';
import type { MailboxItem } from '../../../src/agent/item.ts';
import { admission, isSettled, type KeyedAgent } from '../../../src/agent/settled.ts';
import type { Envelope } from '../../../src/core/envelope.ts';
import type { TroupeError } from '../../../src/core/errors.ts';
import type { Stream } from '../../../src/state/streams.ts';

const minuteMs = 60_000;
const now = 1_000 * minuteMs;
const retention = { dedupWindowMs: 10 * minuteMs, resultWindowMs: 10_000 * minuteMs };

interface Told {
  readonly isSettled: boolean;
  readonly error: TroupeError | undefined;
}

/** Lets an agent judge a message of a sender of which it remembers this. */
function judge(message: Partial<Envelope>, sender: string, stream?: Stream): Told {
  let error: TroupeError | undefined;
  const envelope = {
    id: 'm-1',
    priority: 'normal',
    numbering: { sender, number: 1, floor: 1 },
    firstAttemptAt: now,
    ...message,
  };
  const item = {
    envelope,
    resolve: () => undefined,
    reject: (told: TroupeError) => {
      error = told;
    },
  };
  const agent = {
    address: 'cell/1',
    image: { streams: new Map(stream === undefined ? [] : [[sender, stream]]) },
    host: { clock: { now: () => now }, retention },
    keyed: { find: () => undefined },
    committer: { whenAccepted: (waiter: { accepted(): void }) => waiter.accepted() },
  };
  // Only what is looked at is there.
  const [live, asked] = [agent as unknown as KeyedAgent, item as unknown as MailboxItem];
  return { isSettled: isSettled(live, asked, admission(live, asked.envelope)), error };
}

describe('a message that is older than its sender is remembered for', () => {
  const old = { firstAttemptAt: now - 22 * minuteMs };

  it('does not run, as it may have: the wall clock has jumped since its first attempt', () => {
    const { isSettled, error } = judge(old, '~node.0');
    expect(isSettled).toBe(true);
    expect(error).toMatchObject({ code: 'EXPIRED', outcome: 'unknown' });
  });

  it('does not run either when the sender was heard of since', () => {
    const stream = { floor: 1, next: 1, replies: [], at: now };
    expect(judge(old, '~node.0', stream).error).toMatchObject({ code: 'EXPIRED' });
  });

  it('is answered as before where that is still known', () => {
    const stream: Stream = { floor: 1, next: 2, replies: [1, ['ok', 7, 3]], at: now };
    expect(judge(old, '~node.0', stream)).toEqual({ isSettled: true, error: undefined });
  });

  it('runs under a key, and from an agent, which are both known for longer', () => {
    expect(judge({ ...old, idempotencyKey: 'k' }, '~node.0').isSettled).toBe(false);
    expect(judge(old, 'cell/2@lineage').isSettled).toBe(false);
  });

  it('runs within that time, and when it has no number', () => {
    expect(judge({ firstAttemptAt: now - 9 * minuteMs }, '~node.0').isSettled).toBe(false);
    expect(judge({ ...old, numbering: undefined }, '~node.0').isSettled).toBe(false);
  });
});
