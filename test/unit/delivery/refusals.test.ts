/** What callers cost that ask again at once when they are refused. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createTroupe, defineAgent, implement, task, turn } from '../../../src/index.ts';

const desk = defineAgent('desk', {
  state: z.object({}),
  signals: { go: z.number() },
  limits: { mailboxLengthMax: 1 },
  actions: { add: turn(), wait: task() },
});

const deskAgent = implement(desk, {
  add: () => undefined,
  wait: async ctx => void (await ctx.waitFor('go')),
});

const roundsMax = 10_000;

/** How often a caller is refused before input and output have their turn. */
async function refusalsInOneTick(act: () => Promise<unknown>): Promise<number> {
  let isOver = false;
  setImmediate(() => {
    isOver = true;
  });
  let count = 0;
  while (!isOver && count < roundsMax) {
    await act().catch(() => undefined);
    count += 1;
  }
  return count;
}

it('lets everything else run while a caller is refused again and again', async () => {
  await using troupe = createTroupe({ agents: [deskAgent], limits: { requestsMax: 1 } });
  await troupe.start();
  const waiting = troupe.agents.get(desk, 'a').execute('wait', undefined, { timeout: '5m' });
  waiting.catch(() => undefined);
  const other = troupe.agents.get(desk, 'b');
  await expect(other.execute('add')).rejects.toMatchObject({ code: 'OVERLOADED' });
  expect(await refusalsInOneTick(() => other.execute('add'))).toBeLessThan(10);
  await troupe.stop({ drain: 0 });
});

it('lets everything else run while a mailbox is full', async () => {
  await using troupe = createTroupe({ agents: [deskAgent] });
  await troupe.start();
  const agent = troupe.agents.get(desk, 'a');
  const burst = () => Promise.all(Array.from({ length: 3 }, () => agent.execute('add')));
  await expect(burst()).rejects.toMatchObject({ code: 'MAILBOX_FULL' });
  expect(await refusalsInOneTick(burst)).toBeLessThan(100);
});
