/** Timers through crashes, deletions and long sleeps: never lost, never early. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, turn } from '../../src/index.ts';
import { createTestTroupe } from '../../src/testing/index.ts';

const bell = defineAgent('bell', {
  state: z.object({ rings: z.number().default(0) }),
  actions: { set: turn(), ring: turn(), rings: read({ output: z.number() }) },
});

const bellAgent = implement(bell, {
  set: ctx => ctx.after('1h', 'ring'),
  ring(ctx) {
    ctx.state.rings += 1;
  },
  rings: ctx => ctx.state.rings,
});

async function begin() {
  const troupe = await createTestTroupe({ agents: [bellAgent] });
  const tower = troupe.agents.get(bell, 'tower');
  await tower.execute('set');
  return { troupe, tower };
}

it('a timer rings after a crash although nobody asks for its agent', async () => {
  const { troupe } = await begin();
  troupe.crash();
  await troupe.restart();
  await troupe.advance('2h');
  expect((await troupe.records('bell/tower')).map(({ action }) => action)).toContain('ring');
});

it('a timer does not ring early because its agent is loaded anew', async () => {
  const { troupe, tower } = await begin();
  await troupe.advance('59m');
  troupe.crash();
  await troupe.restart();
  expect(await tower.execute('rings')).toBe(0);
  await troupe.advance('30s');
  expect(await tower.execute('rings')).toBe(0);
  await troupe.advance('30s');
  expect(await tower.execute('rings')).toBe(1);
});

it('a timer that rang rings no more, whatever comes', async () => {
  const { troupe, tower } = await begin();
  await troupe.advance('1h');
  troupe.crash();
  await troupe.restart();
  await troupe.advance('2h');
  expect(await tower.execute('rings')).toBe(1);
});

it('a timer ends with the agent that is deleted', async () => {
  const { troupe, tower } = await begin();
  await tower.delete();
  await troupe.advance('2h');
  expect(await tower.execute('rings')).toBe(0);
});
