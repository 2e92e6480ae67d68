/** What a caller that waits for weeks costs those who do not. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, task, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';

const desk = defineAgent('desk', {
  state: z.object({ total: z.number().default(0) }),
  signals: { go: z.number() },
  limits: { stateBytesMax: 4_096, snapshotEvery: 10 },
  actions: {
    add: turn({ input: z.number(), output: z.string() }),
    wait: task({ output: z.number() }),
  },
});

const deskAgent = implement(desk, {
  add(ctx, by) {
    ctx.state.total += by;
    return 'x'.repeat(200);
  },
  wait: ctx => ctx.waitFor('go'),
});

it('does not keep all later answers while one caller waits for the end of a run', async () => {
  const troupe = await createTestTroupe({ agents: [deskAgent] });
  const agent = troupe.agents.get(desk, 'a');
  const run = agent.execute('wait', undefined, { idempotencyKey: 'k', timeout: '365d' });
  for (let count = 0; count < 100; count += 1) await troupe.advanceUntil(agent.execute('add', 1));
  // The caller is found again by its key when its activation ends.
  troupe.faults.nextAppend('conflict');
  await troupe.advanceUntil(agent.execute('add', 1));
  await troupe.advanceUntil(agent.signal('go', 7));
  expect(await troupe.advanceUntil(run)).toBe(7);
  await troupe.stop();
});

it('is sent when it is sent, however long the node was silent before', async () => {
  const troupe = await createTestTroupe({ agents: [deskAgent] });
  const agent = troupe.agents.get(desk, 'a');
  await troupe.advanceUntil(agent.execute('add', 1));
  await troupe.advance('8d');
  // A message that seemed to be of then would be too old to be handled.
  expect(await troupe.advanceUntil(agent.execute('add', 1))).toHaveLength(200);
  await troupe.stop();
});
