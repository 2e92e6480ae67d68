/** Tasks: what is recorded never runs again, and a resumed run finds everything it did. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, implement, read, task, turn } from '../../../src/index.ts';
import { createTestTroupe } from '../../../src/testing/test-troupe.ts';

/** What the bodies of steps did, outside of the node. */
const book: string[] = [];
let gate: Promise<void> = Promise.resolve();
let policy: 'retry' | 'fail' | 'ask' | 'find' = 'retry';
let input = 1;

const works = defineAgent('works', {
  state: z.object({ done: z.array(z.string()).default([]) }),
  signals: { approve: z.string() },
  limits: { attemptBackoff: '1s' },
  actions: {
    note: turn({ input: z.string(), output: z.number() }),
    done: read({ output: z.array(z.string()) }),
    journey: task({ output: z.string(), stream: z.string() }),
    fragile: task({ output: z.string() }),
    changed: task({ output: z.number() }),
    waiting: task({ input: z.string().optional(), output: z.string() }),
    parallel: task({ output: z.array(z.number()) }),
    clumsy: task({ output: z.string() }),
    trying: task({ input: z.number(), output: z.number() }),
    failing: task(),
    endless: task({ timeout: '1h' }),
  },
});

const worksAgent = implement(works, {
  note(ctx, text) {
    ctx.state.done.push(text);
    return ctx.state.done.length;
  },
  done: ctx => ctx.state.done,
  async journey(ctx) {
    const one = await ctx.step('one', 1, () => noted('one'));
    ctx.write('after one');
    await ctx.update(turn => turn.state.done.push(one));
    const count = await ctx.get(works, 'other').execute('note', 'called');
    ctx.send(works, 'third', 'note', 'sent');
    await ctx.sleep('1h');
    const two = await ctx.step('two', count, () => noted('two'));
    ctx.write('after two');
    const word = await ctx.waitFor('approve');
    return `${one} ${two} ${word}`;
  },
  fragile: ctx =>
    ctx.step(
      'cut',
      null,
      async ({ idempotencyKey, attempt }) => {
        book.push(`${idempotencyKey.replace(/^.* step/, 'step')} ${attempt}`);
        await gate;
        return 'ran';
      },
      { onUnknown: policy === 'find' ? () => ({ value: 'found' }) : policy },
    ),
  async changed(ctx) {
    const value = await ctx.step('same', { input }, () => input);
    await ctx.sleep('1h');
    return value;
  },
  waiting: (ctx, word) =>
    word === undefined
      ? ctx.waitFor('approve')
      : ctx.waitFor('approve', { timeout: '1h', default: word }),
  parallel: ctx =>
    Promise.all([1, 2, 3].map(n => ctx.step('part', n, () => n * 10, { key: String(n) }))),
  async clumsy(ctx) {
    const both = [ctx.step('part', 1, () => gate), ctx.step('part', 1, () => gate)];
    const results = await Promise.allSettled(both);
    const failed = results.find(result => result.status === 'rejected');
    return String(failed?.reason?.code);
  },
  async trying(ctx, attempts) {
    let tries = 0;
    return ctx.step(
      'try',
      null,
      () => {
        tries += 1;
        if (tries < 3) throw new Error('not yet');
        return tries;
      },
      { retry: { attempts, backoff: '10s' } },
    );
  },
  failing() {
    throw new Error('no');
  },
  endless: ctx => ctx.sleep('7d'),
});

function noted(text: string): string {
  book.push(text);
  return text;
}

async function opened() {
  book.length = 0;
  gate = Promise.resolve();
  const troupe = await createTestTroupe({ agents: [worksAgent] });
  return { troupe, agent: troupe.agents.get(works, 'a') };
}

type Opened = Awaited<ReturnType<typeof opened>>;

async function restart({ troupe }: Opened): Promise<void> {
  troupe.crash();
  await troupe.restart();
  await troupe.settled();
}

describe('a task', () => {
  it('goes on where it was after a crash at each of its places, and repeats nothing', async () => {
    const world = await opened();
    const { troupe, agent } = world;
    const future = agent.request('journey');
    await troupe.advanceUntil(future.recorded());
    for (let crash = 0; crash < 6; crash += 1) {
      await troupe.advance('20m');
      await restart(world);
    }
    await troupe.advanceUntil(agent.signal('approve', 'yes'));
    await restart(world);
    expect(await troupe.advanceUntil(troupe.futures.get(future.id))).toBe('one two yes');
    expect(book).toEqual(['one', 'two']);
    const doneOf = (key: string) =>
      troupe.advanceUntil(troupe.agents.get(works, key).execute('done'));
    expect(await doneOf('a')).toEqual(['one']);
    expect(await doneOf('other')).toEqual(['called']);
    expect(await doneOf('third')).toEqual(['sent']);
    await troupe.stop();
  });

  it('streams each chunk once, also to who comes back for the rest', async () => {
    const world = await opened();
    const { troupe, agent } = world;
    const idempotencyKey = 'stream';
    const first = agent.stream('journey', undefined, { idempotencyKey })[Symbol.asyncIterator]();
    expect((await troupe.advanceUntil(first.next())).value).toBe('after one');
    await restart(world);
    await troupe.advance('2h');
    await troupe.advanceUntil(agent.signal('approve', 'yes'));
    const rest: string[] = [];
    const reading = (async () => {
      for await (const chunk of agent.stream('journey', undefined, { idempotencyKey, from: 1 }))
        rest.push(chunk);
    })();
    await troupe.advanceUntil(reading);
    expect(rest).toEqual(['after two']);
    await troupe.stop();
  });

  it('takes a signal that came early, and the default when time is up', async () => {
    const { troupe, agent } = await opened();
    await troupe.advanceUntil(agent.signal('approve', 'early'));
    expect(await troupe.advanceUntil(agent.request('waiting'))).toBe('early');
    const before = troupe.now();
    expect(await troupe.advanceUntil(agent.request('waiting', 'late'))).toBe('late');
    expect(troupe.now() - before).toBeGreaterThanOrEqual(3_600_000);
    await troupe.stop();
  });

  it('is answered and streamed over the end of an activation, whatever ended it', async () => {
    const { troupe, agent } = await opened();
    const heard: string[] = [];
    const stream = agent.stream('journey');
    const reading = (async () => {
      for await (const chunk of stream) heard.push(chunk);
    })();
    const waiting = agent.execute('waiting', undefined, { timeout: '5m' });
    await troupe.advance('1s');
    troupe.faults.nextAppend('full');
    await expect(troupe.advanceUntil(agent.execute('note', 'lost'))).rejects.toMatchObject({
      code: 'DISK_FULL',
    });
    await troupe.advanceUntil(agent.signal('approve', 'one'));
    expect(await troupe.advanceUntil(waiting)).toBe('one');
    await troupe.advance('2h');
    await troupe.advanceUntil(agent.signal('approve', 'two'));
    await troupe.advanceUntil(reading);
    expect(heard).toEqual(['after one', 'after two']);
    await troupe.stop();
  });

  it('takes signals that name it, and is given none when it has ended', async () => {
    const { troupe, agent } = await opened();
    const [first, second] = [agent.request('waiting'), agent.request('waiting')];
    await troupe.advanceUntil(Promise.all([first.recorded(), second.recorded()]));
    await troupe.settled();
    const runs = await troupe.advanceUntil(agent.runs.list());
    const run = runs[1]?.id ?? '';
    await troupe.advanceUntil(agent.signal('approve', 'named', { run }));
    expect(await troupe.advanceUntil(second)).toBe('named');
    await expect(
      troupe.advanceUntil(agent.signal('approve', 'late', { run })),
    ).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await troupe.advanceUntil(agent.signal('approve', 'other'));
    expect(await troupe.advanceUntil(first)).toBe('other');
    await troupe.stop();
  });

  it('runs steps in parallel under keys, and refuses that without them', async () => {
    const { troupe, agent } = await opened();
    expect(await troupe.advanceUntil(agent.request('parallel'))).toEqual([10, 20, 30]);
    expect(await troupe.advanceUntil(agent.request('clumsy'))).toBe('INVALID_INPUT');
    await troupe.stop();
  });

  it('tries a step as often as its retry says, with pauses', async () => {
    const { troupe, agent } = await opened();
    const before = troupe.now();
    expect(await troupe.advanceUntil(agent.request('trying', 3))).toBe(3);
    expect(troupe.now() - before).toBeGreaterThanOrEqual(30_000);
    await expect(troupe.advanceUntil(agent.request('trying', 2))).rejects.toMatchObject({
      code: 'HANDLER_FAILED',
      outcome: 'executed',
    });
    await troupe.stop();
  });

  it('ends with its error, which is no attempt', async () => {
    const { troupe, agent } = await opened();
    await expect(troupe.advanceUntil(agent.request('failing'))).rejects.toMatchObject({
      code: 'HANDLER_FAILED',
      outcome: 'executed',
    });
    expect((await troupe.advanceUntil(troupe.deadLetters.list())).items).toEqual([]);
    await troupe.stop();
  });

  it('ends at its timeout and by cancel, also after a restart', async () => {
    const world = await opened();
    const { troupe, agent } = world;
    const timed = agent.request('endless');
    await troupe.advanceUntil(timed.recorded());
    const cancelled = agent.request('endless');
    await troupe.advanceUntil(cancelled.recorded());
    await restart(world);
    await troupe.advanceUntil(troupe.futures.get(cancelled.id).cancel('enough'));
    await expect(troupe.advanceUntil(troupe.futures.get(cancelled.id))).rejects.toMatchObject({
      code: 'CANCELLED',
      outcome: 'executed',
    });
    await expect(troupe.advanceUntil(troupe.futures.get(timed.id))).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      outcome: 'executed',
    });
    await troupe.stop();
  });

  it('stays as it is when the code asks for another input, until the code fits again', async () => {
    const world = await opened();
    const { troupe, agent } = world;
    input = 1;
    const future = agent.request('changed');
    await troupe.advanceUntil(future.recorded());
    await troupe.advance('1m');
    input = 2;
    await restart(world);
    const [run] = await troupe.advanceUntil(agent.runs.list());
    expect(run?.endedAt).toBeUndefined();
    await troupe.advance('1s');
    expect(JSON.stringify(troupe.logged)).toContain('STEP_MISMATCH');
    input = 1;
    await restart(world);
    expect(await troupe.advanceUntil(troupe.futures.get(future.id))).toBe(1);
    await troupe.stop();
  });
});

describe('a step that was cut off', () => {
  async function cutOff(onUnknown: typeof policy) {
    policy = onUnknown;
    const world = await opened();
    gate = new Promise(() => undefined);
    const future = world.agent.request('fragile');
    await world.troupe.advanceUntil(future.recorded());
    await world.troupe.advance('1s');
    expect(book).toEqual(['step cut #1 1']);
    gate = Promise.resolve();
    await restart(world);
    return { ...world, future: world.troupe.futures.get(future.id) };
  }

  it('runs again with the same key by `retry`', async () => {
    const { troupe, future } = await cutOff('retry');
    expect(await troupe.advanceUntil(future)).toBe('ran');
    expect(book).toEqual(['step cut #1 1', 'step cut #1 2']);
    await troupe.stop();
  });

  it('fails by `fail`, and is what a function finds', async () => {
    const failed = await cutOff('fail');
    await expect(failed.troupe.advanceUntil(failed.future)).rejects.toMatchObject({
      code: 'STEP_UNKNOWN',
    });
    await failed.troupe.stop();
    const found = await cutOff('find');
    expect(await found.troupe.advanceUntil(found.future)).toBe('found');
    await found.troupe.stop();
  });

  it.each([
    [{ value: 'said' }, 'said', 1],
    ['retry', 'ran', 2],
  ] as const)(
    'waits by `ask` over restarts for a person who says %j',
    async (said, value, runs) => {
      const world = await cutOff('ask');
      const { troupe, agent, future } = world;
      await troupe.advance('7d');
      await restart(world);
      const [run] = await troupe.advanceUntil(agent.runs.list({ status: 'asking' }));
      await troupe.advanceUntil(agent.runs.resolve(run?.id ?? '', 'cut', said));
      await restart(world);
      expect(await troupe.advanceUntil(future)).toBe(value);
      expect(book).toHaveLength(runs);
      await troupe.stop();
    },
  );

  it('fails when the person says so', async () => {
    const { troupe, agent, future } = await cutOff('ask');
    await troupe.advance('1s');
    const [run] = await troupe.advanceUntil(agent.runs.list({ status: 'asking' }));
    await expect(
      troupe.advanceUntil(agent.runs.resolve(run?.id ?? '', 'other', 'fail')),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await troupe.advanceUntil(agent.runs.resolve(run?.id ?? '', 'cut', 'fail'));
    await expect(troupe.advanceUntil(future)).rejects.toMatchObject({ code: 'STEP_UNKNOWN' });
    await troupe.stop();
  });
});
