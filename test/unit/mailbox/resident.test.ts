/** Who has to wait while a recorded message is between two attempts, and who has not. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';

const clerk = defineAgent('clerk', {
  state: z.object({ done: z.array(z.string()).default([]) }),
  limits: { attemptsMax: 4, attemptBackoff: '1s', idle: '1s', heldMax: 5 },
  actions: {
    block: turn(),
    note: turn({ input: z.string(), output: z.array(z.string()) }),
    order: turn({ input: z.array(z.string()) }),
  },
});

let gate = Promise.withResolvers<void>();
let failuresLeft = 0;

const clerkAgent = implement(clerk, {
  block: () => gate.promise,
  note(ctx, word) {
    if (word === 'flaky' && failuresLeft > 0) {
      failuresLeft -= 1;
      throw new Error('not yet');
    }
    ctx.state.done.push(word);
    return ctx.state.done;
  },
  order(ctx, words) {
    for (const word of words) ctx.send(clerk, 'a', 'note', word);
  },
});

/** An agent that has recorded what another one sent, and is now free to handle it. */
async function withInbox(words: readonly string[], failures: number) {
  const troupe = await createTestTroupe({ agents: [clerkAgent] });
  const agent = troupe.agents.get(clerk, 'a');
  const sender = troupe.agents.get(clerk, 'b');
  gate = Promise.withResolvers<void>();
  failuresLeft = failures;
  const block = agent.call('block', undefined, { timeout: '1m' });
  for (const word of words) {
    await troupe.advanceUntil(sender.execute('order', [word]));
    await troupe.advance('300ms');
  }
  gate.resolve();
  await troupe.advanceUntil(block);
  const note = (word: string) => troupe.advanceUntil(agent.execute('note', word));
  return { troupe, agent, sender, note };
}

describe('a recorded message whose turn threw', () => {
  it('lets go on what others sent, and keeps back what its sender sent after it', async () => {
    const { troupe, note } = await withInbox(['flaky', 'second', 'third'], 2);
    const from = troupe.now();
    expect(await note('other')).toEqual(['other']);
    expect(troupe.now() - from).toBeLessThan(100);
    // The second attempt is made after one second, and the third two seconds later.
    await troupe.advance('2500ms');
    expect(await note('more')).toEqual(['other', 'more']);
    await troupe.advance('1s');
    expect(await note('end')).toEqual(['other', 'more', 'flaky', 'second', 'third', 'end']);
    await troupe.stop();
  });

  it('keeps its place before what comes later, and the agent in memory', async () => {
    const { troupe, sender, note } = await withInbox(['flaky'], 3);
    const later = Array.from({ length: 5 }, (_, place) => `later ${place}`);
    await troupe.advanceUntil(sender.execute('order', later));
    // The fourth attempt is made after seven seconds: none was counted anew.
    await troupe.advance('6900ms');
    expect(failuresLeft).toBe(0);
    expect(await note('before')).toEqual(['before']);
    await troupe.advance('200ms');
    expect(await note('end')).toEqual(['before', 'flaky', ...later, 'end']);
    await troupe.stop();
  });

  it('gives up its place after its last attempt', async () => {
    const { troupe, note } = await withInbox(['flaky', 'second'], 9);
    await troupe.advance('6900ms');
    expect(await note('early')).toEqual(['early']);
    await troupe.advance('200ms');
    expect(await note('late')).toEqual(['early', 'second', 'late']);
    expect(failuresLeft).toBe(5);
    expect((await troupe.advanceUntil(troupe.deadLetters.list())).items).toHaveLength(1);
    await troupe.stop();
  });

  it('is taken up by the next activation, with all that is behind it', async () => {
    const { troupe, agent, note } = await withInbox(['flaky', 'second'], 1);
    troupe.faults.nextAppend('full');
    await troupe.advanceUntil(agent.tryExecute('note', 'lost'));
    await troupe.advance('2s');
    expect(await note('end')).toEqual(['flaky', 'second', 'end']);
    await troupe.stop();
  });
});
