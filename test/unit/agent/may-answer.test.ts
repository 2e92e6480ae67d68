/** A node answers only while it holds its lease, and goes on when it holds it again. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { OwnLeaseState } from '../../../src/cluster/lease.ts';
import { memoryLogs } from '../../../src/engines/memory/log.ts';
import { defineAgent, implement, read, turn } from '../../../src/index.ts';
import { troupeOn } from '../../helpers/troupe-on.ts';

const actions = {
  add: turn({ input: z.number(), output: z.number() }),
  check: turn({ output: z.number() }),
  fail: turn(),
  pass: turn({ input: z.number() }),
  count: read({ output: z.number() }),
  slow: read({ output: z.number() }),
};
const state = z.object({ count: z.number().default(0) });
const counter = defineAgent('counter', { state, actions });
const sketch = defineAgent('sketch', { state, actions, consistency: 'none' });

let gate = Promise.withResolvers<void>();

function behaviour(contract: typeof counter) {
  return implement(contract, {
    add(ctx, by) {
      ctx.state.count += by;
      return ctx.state.count;
    },
    check: ctx => ctx.state.count,
    fail() {
      throw new Error('of no use');
    },
    pass(ctx, by) {
      ctx.send(counter, 'two', 'add', by);
    },
    count: ctx => ctx.state.count,
    async slow(ctx) {
      await gate.promise;
      return ctx.state.count;
    },
  });
}

const sketchAgent = implement(sketch, {
  add(ctx, by) {
    ctx.state.count += by;
    return ctx.state.count;
  },
  check: ctx => ctx.state.count,
  fail() {
    throw new Error('of no use');
  },
  pass: () => undefined,
  count: ctx => ctx.state.count,
  slow: ctx => ctx.state.count,
});

/** A lease on a switch. `isHeld` alone is what a process finds that was stopped and goes on. */
class SwitchedLease {
  isHeld = true;
  readonly #listeners: ((state: OwnLeaseState) => void)[] = [];

  onState(listener: (state: OwnLeaseState) => void): () => void {
    this.#listeners.push(listener);
    return () => undefined;
  }

  become(state: 'held' | 'lapsed'): void {
    this.isHeld = state === 'held';
    for (const listener of this.#listeners) listener(state);
  }
}

async function started() {
  const lease = new SwitchedLease();
  const log = memoryLogs().open();
  const troupe = troupeOn({ agents: [behaviour(counter), sketchAgent], log, lease });
  await troupe.start();
  const one = troupe.agents.get(counter, 'one');
  await one.execute('add', 1);
  return { lease, troupe, one };
}

const refused = { code: 'NO_QUORUM', outcome: 'not-executed' };

describe('a node whose lease ran out while nothing told it', () => {
  it('answers no read, and none that was begun before', async () => {
    const { lease, troupe, one } = await started();
    gate = Promise.withResolvers();
    const slow = one.execute('slow').catch(error => error);
    expect(await one.execute('count')).toBe(1);
    lease.isHeld = false;
    await expect(one.execute('count')).rejects.toMatchObject(refused);
    gate.resolve();
    expect(await slow).toMatchObject(refused);
    lease.isHeld = true;
    expect(await one.execute('count')).toBe(1);
    await troupe.stop();
  });

  it('answers no turn that changed nothing, and tells of no throw', async () => {
    const { lease, troupe, one } = await started();
    lease.isHeld = false;
    await expect(one.execute('check')).rejects.toMatchObject(refused);
    await expect(one.execute('fail')).rejects.toMatchObject(refused);
    lease.isHeld = true;
    expect(await one.execute('check')).toBe(1);
    await expect(one.execute('fail')).rejects.toMatchObject({ code: 'HANDLER_FAILED' });
    await troupe.stop();
  });

  it('answers a turn whose record was accepted, because that proves who wrote', async () => {
    const { lease, troupe, one } = await started();
    lease.isHeld = false;
    expect(await one.execute('add', 1)).toBe(2);
    await troupe.stop();
  });

  it('answers nothing from memory alone, and changes nothing there', async () => {
    const { lease, troupe } = await started();
    const idea = troupe.agents.get(sketch, 'idea');
    expect(await idea.execute('add', 1)).toBe(1);
    lease.isHeld = false;
    await expect(idea.execute('add', 1)).rejects.toMatchObject(refused);
    await expect(idea.execute('count')).rejects.toMatchObject(refused);
    lease.isHeld = true;
    expect(await idea.execute('count')).toBe(1);
    await troupe.stop();
  });
});

describe('a node that is told that its lease ran out', () => {
  it('refuses who comes and who waits, at once, and goes on when it is held again', async () => {
    const { lease, troupe, one } = await started();
    lease.become('lapsed');
    await expect(one.execute('add', 1)).rejects.toMatchObject(refused);
    await expect(one.execute('count')).rejects.toMatchObject(refused);
    lease.become('held');
    expect(await one.execute('add', 1)).toBe(2);
    await troupe.stop();
  });

  it('keeps what agents have promised each other, and delivers it afterwards', async () => {
    const { lease, troupe, one } = await started();
    const two = troupe.agents.get(counter, 'two');
    await two.execute('count');
    const passing = one.execute('pass', 5);
    lease.become('lapsed');
    await passing.catch(() => undefined);
    lease.become('held');
    await one.execute('pass', 7);
    await expect.poll(() => two.execute('count')).toBeGreaterThanOrEqual(7);
    await troupe.stop();
  });
});
