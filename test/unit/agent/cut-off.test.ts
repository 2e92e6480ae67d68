/** Callers, promises and counters of turns that are cut off: by failure, deletion, or pause. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, task, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';

const desk = defineAgent('desk', {
  state: z.object({ total: z.number().default(0), notes: z.array(z.string()).default([]) }),
  signals: { word: z.string() },
  limits: { attemptsMax: 3, attemptBackoff: '20s', stateBytesMax: 4_096 },
  actions: {
    add: turn({ input: z.number() }),
    note: turn({ input: z.string() }),
    post: turn({ input: z.number() }),
    postSlowly: turn(),
    postQuestion: turn(),
    question: turn(),
    flaky: turn({ output: z.number() }),
    plan: turn(),
    total: read({ output: z.number() }),
    stall: read({ output: z.number() }),
    work: task(),
    listen: task({ output: z.string() }),
  },
});

let gate: Promise<void> = Promise.resolve();
let open: () => void = () => undefined;
let failuresLeft = 0;
let stallsLeft = 0;
const never = new Promise<number>(() => undefined);

function shut(): void {
  gate = new Promise(resolve => {
    open = resolve;
  });
}

const deskAgent = implement(desk, {
  add(ctx, by) {
    ctx.state.total += by;
  },
  note(ctx, text) {
    ctx.state.notes.push(text);
  },
  post(ctx, by) {
    ctx.send(desk, 'other', 'add', by);
  },
  async postSlowly(ctx) {
    await gate;
    ctx.send(desk, 'other', 'add', 1);
  },
  postQuestion(ctx) {
    ctx.send(desk, 'asker', 'question');
    ctx.send(desk, 'asker', 'add', 10);
  },
  async question(ctx) {
    ctx.state.total += await ctx.get(desk, 'asked').execute('stall', undefined, { timeout: '1s' });
  },
  flaky(ctx) {
    if (failuresLeft > 0) {
      failuresLeft -= 1;
      throw new Error('not yet');
    }
    ctx.state.total += 1;
    return ctx.state.total;
  },
  plan: ctx => ctx.after('1s', 'flaky'),
  listen: ctx => ctx.waitFor('word'),
  total: ctx => ctx.state.total,
  stall() {
    if (stallsLeft === 0) return 1;
    stallsLeft -= 1;
    return never;
  },
  async work(ctx) {
    await gate;
    await ctx.update(turn => {
      turn.state.total += 100;
    });
  },
});

async function opened() {
  const troupe = await createTestTroupe({ agents: [deskAgent] });
  return { troupe, agent: troupe.agents.get(desk, 'a') };
}

it('counts the attempts at a timer also when the pauses between them are long', async () => {
  const { troupe, agent } = await opened();
  failuresLeft = 100;
  await troupe.advanceUntil(agent.execute('plan'));
  await troupe.advance('10m');
  expect((await troupe.advanceUntil(troupe.deadLetters.list())).items).toMatchObject([
    { action: 'flaky', attempts: 3 },
  ]);
  await troupe.stop();
});

it('repeats a promised message whose turn waited in vain for the read of another', async () => {
  const { troupe, agent } = await opened();
  stallsLeft = 1;
  await troupe.advanceUntil(agent.execute('postQuestion'));
  await troupe.advance('2m');
  const asker = troupe.agents.get(desk, 'asker');
  expect(await troupe.advanceUntil(asker.execute('total'))).toBe(11);
  await troupe.stop();
});

it('answers who waits for a run that is deleted before it was recorded', async () => {
  const { troupe, agent } = await opened();
  shut();
  const run = agent.execute('work', undefined, { idempotencyKey: 'k', timeout: '365d' });
  const deleted = agent.delete();
  const outcome = troupe.advanceUntil(
    Promise.race([run.catch(error => error.code), troupe.advance('1h').then(() => 'hangs')]),
  );
  await deleted;
  expect(await outcome).toBe('CANCELLED');
  await troupe.stop();
});

it('does not say that a key was used before that is recorded', async () => {
  const { troupe, agent } = await opened();
  await troupe.advanceUntil(agent.execute('add', 1));
  troupe.faults.nextAppend('full');
  const first = agent.execute('add', 1, { idempotencyKey: 'k' }).catch(error => error.code);
  const second = agent.execute('note', 'x', { idempotencyKey: 'k' }).catch(error => error.code);
  expect(await troupe.advanceUntil(Promise.all([first, second]))).toEqual([
    'DISK_FULL',
    'DISK_FULL',
  ]);
  await troupe.stop();
});

it('does not say that a run has begun before that is recorded', async () => {
  const { troupe, agent } = await opened();
  await troupe.advanceUntil(agent.execute('add', 1));
  shut();
  troupe.faults.nextAppend('full');
  const first = agent.send('work', undefined, { idempotencyKey: 'k' }).catch(error => error.code);
  const second = agent.send('work', undefined, { idempotencyKey: 'k' }).catch(error => error.code);
  expect(await troupe.advanceUntil(Promise.all([first, second]))).toEqual([
    'DISK_FULL',
    'DISK_FULL',
  ]);
  await troupe.stop();
});

it('answers who waits for a message when the activation ends between attempts', async () => {
  const { troupe, agent } = await opened();
  await troupe.advanceUntil(troupe.agents.get(desk, 'other').execute('add', 1));
  shut();
  failuresLeft = 1;
  const slow = agent.execute('postSlowly', undefined, { timeout: '1m' });
  // In a lane of its own, so that it may be recorded before the slow one ends.
  const keyed = { idempotencyKey: 'k', timeout: '365d', priority: 'low' } as const;
  const flaky = agent.execute('flaky', undefined, keyed);
  await troupe.advance('150ms');
  open();
  await troupe.advanceUntil(slow);
  await troupe.advance('100ms');
  expect(failuresLeft).toBe(0);
  troupe.faults.nextAppend('conflict');
  await troupe.advance('200ms');
  expect(troupe.logged.map(({ message }) => message)).toContain('an activation has ended');
  const outcome = Promise.race([flaky, troupe.advance('5m').then(() => 'hangs')]);
  expect(await troupe.advanceUntil(outcome)).toBe(1);
  await troupe.stop();
});

it('strikes off what was consumed also when the turn it was to go with is too large', async () => {
  const { troupe, agent } = await opened();
  for (const word of ['x', 'y']) await troupe.advanceUntil(agent.execute('note', word.repeat(900)));
  await troupe.advanceUntil(agent.execute('post', 1));
  await troupe.advance('100ms');
  const note = agent.execute('note', 'z'.repeat(2_500)).catch(error => error.code);
  expect(await troupe.advanceUntil(note)).toBe('PAYLOAD_TOO_LARGE');
  await troupe.advance('1s');
  const records = await troupe.records('desk/a');
  expect(records.filter(({ contents }) => contents.includes('sent'))).toHaveLength(1);
  await troupe.stop();
});

it('lets no run of a deleted agent change the agent that comes after it', async () => {
  for (let ticks = 0; ticks < 30; ticks += 1) {
    const { troupe, agent } = await opened();
    shut();
    await troupe.advanceUntil(agent.send('work'));
    await troupe.settled();
    const deleted = agent.delete();
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    open();
    await troupe.advanceUntil(deleted);
    await troupe.advance('1s');
    expect(await troupe.advanceUntil(agent.execute('total')), `${ticks}`).toBe(0);
    await troupe.stop();
  }
});

it('lets a run wait on for a signal when one was too large to be recorded', async () => {
  const { troupe, agent } = await opened();
  const run = agent.execute('listen', undefined, { idempotencyKey: 'k', timeout: '5m' });
  await troupe.settled();
  const large = agent.signal('word', 'x'.repeat(4_000)).catch(error => error.code);
  expect(await troupe.advanceUntil(large)).toBe('PAYLOAD_TOO_LARGE');
  await troupe.advanceUntil(agent.signal('word', 'small'));
  expect(await troupe.advanceUntil(run)).toBe('small');
  await troupe.stop();
});
