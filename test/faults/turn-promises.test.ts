/**
 * Turns whose records are not accepted: nothing that stood on them may have left, and nothing of
 * them may be left. The behaviour of the agents differs from attempt to attempt on purpose, so that
 * a repetition cannot hide what the first attempt let out.
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MemoryLogs } from '../../src/engines/memory/log.ts';
import { defineAgent, implement, read, turn } from '../../src/index.ts';
import { createTestTroupe } from '../../src/testing/index.ts';
import { troupeOn } from '../helpers/troupe-on.ts';

const purse = defineAgent('purse', {
  state: z.object({ coins: z.number().default(0) }),
  actions: {
    put: turn({ input: z.number(), output: z.number() }),
    close: turn({ output: z.string() }),
    give: turn({ input: z.number() }),
    coins: read({ output: z.number() }),
  },
});

/** A purse that takes `puts` coins, then no more, and gives only at its first attempt. */
function purseAgent(puts = Number.POSITIVE_INFINITY) {
  let attempts = 0;
  return implement(purse, {
    put(ctx, coins) {
      attempts += 1;
      if (attempts > puts) ctx.reject('too_late');
      ctx.state.coins += coins;
      return ctx.state.coins;
    },
    close(ctx) {
      if (ctx.state.coins > 0) ctx.reject('not_empty');
      return 'closed';
    },
    give(ctx, coins) {
      attempts += 1;
      if (attempts === 1) ctx.send(purse, 'other', 'put', coins);
      else ctx.reject('too_late');
    },
    coins: ctx => ctx.state.coins,
  });
}

async function begin(puts?: number, limits = {}) {
  const troupe = await createTestTroupe({ agents: [purseAgent(puts)], limits });
  const mine = troupe.agents.get(purse, 'mine');
  await mine.execute('coins');
  return { troupe, mine, other: troupe.agents.get(purse, 'other') };
}

describe('a turn whose append is refused', () => {
  it('is not answered before it is stored', async () => {
    const { troupe, mine } = await begin();
    troupe.faults.nextAppend('unavailable');
    expect(await troupe.advanceUntil(mine.execute('put', 5))).toBe(5);
    expect(await mine.execute('coins')).toBe(5);
    expect(await troupe.records('purse/mine')).toHaveLength(1);
  });

  it('sends nothing', async () => {
    const { troupe, mine, other } = await begin();
    troupe.faults.nextAppend('unavailable');
    await troupe.advanceUntil(mine.tryExecute('give', 5));
    await troupe.advance('1m');
    expect(await other.execute('coins')).toBe(0);
  });

  it('takes back the rejection of a later turn that saw its state', async () => {
    const { troupe, mine } = await begin(1);
    troupe.faults.nextAppend('unavailable');
    const answers = Promise.all([mine.tryExecute('put', 5), mine.tryExecute('close')]);
    const [put, close] = await troupe.advanceUntil(answers);
    expect(put).toMatchObject({ ok: false, error: { code: 'REJECTED' } });
    expect(close).toMatchObject({ ok: true, value: 'closed' });
  });

  it('leaves no trace in the state that the next turn sees', async () => {
    const { troupe, mine } = await begin();
    troupe.faults.nextAppend('unavailable');
    const put = mine.call('put', 5, { timeout: '5s' });
    await expect(troupe.advanceUntil(put)).rejects.toMatchObject({ outcome: 'not-executed' });
    expect(await troupe.advanceUntil(mine.execute('put', 1))).toBe(1);
    expect(await mine.execute('coins')).toBe(1);
  });

  it('does not take with it what waits behind it and was not begun', async () => {
    const { troupe, mine } = await begin(undefined, { runAheadMax: 1 });
    troupe.faults.nextAppend('unavailable');
    const calls = [5, 1].map(coins => mine.call('put', coins, { timeout: '5s' }));
    const [first, second] = await troupe.advanceUntil(Promise.allSettled(calls));
    expect(first?.status).toBe('rejected');
    expect(second).toEqual({ status: 'fulfilled', value: 1 });
  });

  it('is not seen by reads while it is on its way', async () => {
    const { troupe, mine } = await begin();
    const put = mine.execute('put', 5);
    // The turn runs in microtasks; its append is answered by the world, later.
    for (let count = 0; count < 50; count += 1) await undefined;
    expect(await mine.execute('coins')).toBe(0);
    expect(await troupe.advanceUntil(put)).toBe(5);
    expect(await mine.execute('coins')).toBe(5);
  });
});

describe('a turn whose append is answered with unknown', () => {
  it('is stored when its record is found', async () => {
    const { troupe, mine } = await begin();
    troupe.faults.nextAppend('unknown-stored');
    const put = mine.call('put', 5, { timeout: '5s' });
    expect(await troupe.advanceUntil(put)).toBe(5);
    expect(await troupe.records('purse/mine')).toHaveLength(1);
  });

  it('is stored once when it was not', async () => {
    const { troupe, mine } = await begin();
    troupe.faults.nextAppend('unknown-not-stored');
    const put = mine.call('put', 5, { timeout: '5s' });
    expect(await troupe.advanceUntil(put)).toBe(5);
    expect(await troupe.records('purse/mine')).toHaveLength(1);
  });
});

describe('a log that is not what it was', () => {
  it('is not served when a record in its middle is missing', async () => {
    const whole = new MemoryLogs({});
    await using first = troupeOn({ agents: [purseAgent()], log: whole.open() });
    await first.start();
    for (const coins of [1, 2, 3]) await first.agents.get(purse, 'mine').execute('put', coins);
    const { records } = await whole.open().read('purse/mine', { after: 0 });
    const holed = new MemoryLogs({});
    await holed.open().append(
      'purse/mine',
      0,
      records.filter((_, place) => place !== 1),
    );
    await using second = troupeOn({ agents: [purseAgent()], log: holed.open() });
    await second.start();
    const read = second.agents.get(purse, 'mine').execute('coins');
    await expect(read).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('is not served when it ends before what was acknowledged', async () => {
    const logs = new MemoryLogs({});
    await using troupe = troupeOn({ agents: [purseAgent()], log: logs.open() });
    await troupe.start();
    const mine = troupe.agents.get(purse, 'mine');
    for (const coins of [1, 2]) await mine.execute('put', coins);
    logs.regress('purse/mine', 1);
    // The append finds another tail, so the agent is loaded anew.
    await expect(mine.execute('put', 3)).rejects.toMatchObject({ code: 'LOG_REGRESSED' });
  });
});
