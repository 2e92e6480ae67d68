/** Mistakes that show in time: a turn that holds its agent, and a mailbox that fills. */
import { describe, expect, it } from 'vitest';
import { createTroupe } from '../../src/index.ts';
import { folderOf } from '../helpers/folder-of.ts';
import { account, accountAgent, shutGate } from './accounts.ts';
import { firstEntryOf } from './first-entry.ts';

describe('a turn that holds its agent', () => {
  it('is warned about with the number of those who wait', async () => {
    using folder = folderOf({});
    const gate = shutGate();
    const { logger, first } = firstEntryOf('warn');
    await using troupe = createTroupe({
      agents: [accountAgent(gate)],
      data: folder.path,
      limits: { slowTurn: '200ms' },
      logger,
    });
    await troupe.start();
    const alice = troupe.agents.get(account, 'alice');
    const held = alice.execute('hold');
    await gate.entered;
    const waiting = [1, 2, 3].map(amount => alice.execute('move', { amount }));
    expect(await first).toEqual({
      message: expect.stringContaining('use a task and ctx.update for long work'),
      data: { agent: 'account/alice', code: 'SLOW_TURN', action: 'hold', waiting: 3 },
    });
    gate.open();
    await held;
    expect(await Promise.all(waiting)).toEqual([1, 3, 6]);
  });

  it('fills the mailbox, and refuses at once what does not fit', async () => {
    using folder = folderOf({});
    const gate = shutGate();
    await using troupe = createTroupe({ agents: [accountAgent(gate)], data: folder.path });
    await troupe.start();
    const alice = troupe.agents.get(account, 'alice');
    const held = alice.execute('hold');
    await gate.entered;
    const fitting = [1, 2, 3, 4].map(amount => alice.execute('move', { amount }));
    const refused = await alice.tryExecute('move', { amount: 100 });
    expect(refused).toMatchObject({
      ok: false,
      error: { code: 'MAILBOX_FULL', outcome: 'not-executed' },
    });
    if (refused.ok) return;
    expect(refused.error.detail).toBe(
      'account/alice has 4 messages waiting, as many as limits.mailboxLengthMax allows; retry later',
    );
    expect(await troupe.agents.get(account, 'bob').execute('move', { amount: 1 })).toBe(1);
    gate.open();
    await held;
    expect(await Promise.all(fitting)).toEqual([1, 3, 6, 10]);
    expect(await alice.execute('move', { amount: 100 })).toBe(110);
  });
});
