/** Mistakes before anything runs, and at the end of a node: each says what to write instead. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createTroupe,
  defineAgent,
  implement,
  read,
  TroupeError,
  task,
  turn,
} from '../../src/index.ts';
import { createTestTroupe } from '../../src/testing/index.ts';
import { mistakeIn } from '../helpers/mistake-in.ts';
import { account, accountAgent, shutGate } from './accounts.ts';

const state = z.object({ count: z.number().default(0) });

describe('a level that does not offer it', () => {
  it('is refused where the contract is written', async () => {
    const contracts = [
      [{ consistency: 'session', actions: {} }, 'use "strong" or "none"'],
      [{ consistency: 'none', events: { added: state }, actions: {} }, 'has no events'],
      [{ consistency: 'none', signals: { go: state }, actions: {} }, 'has no signals'],
      [{ consistency: 'none', actions: { run: task() } }, 'use "strong", or a turn'],
    ] as const;
    for (const [options, remedy] of contracts) {
      const error = await mistakeIn(() => defineAgent('cache', { state, ...options } as never));
      expect(error).toMatchObject({ code: 'LEVEL_UNSUPPORTED', outcome: 'not-executed' });
      expect(error.detail).toMatch(/^cache/);
      expect(error.detail).toContain(remedy);
    }
  });

  it('is refused where the agent is used', async () => {
    const cache = defineAgent('cache', {
      state,
      consistency: 'none',
      actions: { add: turn(), count: read({ output: z.number() }) },
    });
    const cacheAgent = implement(cache, {
      add(ctx) {
        ctx.state.count += 1;
      },
      count: ctx => ctx.state.count,
    });
    await using troupe = createTroupe({ agents: [cacheAgent] });
    await troupe.start();
    const one = troupe.agents.get(cache, 'one');
    await one.execute('add');
    const untyped = one as unknown as {
      request(action: string): unknown;
      execute(action: string, input: undefined, options: object): unknown;
      delete(): unknown;
    };
    const acts = [
      () => untyped.request('add'),
      () => untyped.execute('add', undefined, { idempotencyKey: 'k' }),
      () => untyped.delete(),
    ];
    for (const act of acts) {
      const error = await mistakeIn(act);
      expect(error).toMatchObject({ code: 'LEVEL_UNSUPPORTED', outcome: 'not-executed' });
      expect(error.detail).toMatch(/^cache has consistency "none".*use "strong"$/);
    }
    expect(await one.execute('count')).toBe(1);
  });
});

describe('a set-up that cannot be', () => {
  it.each([
    ['an unknown option', { agents: [], dta: './data' }, /dta/],
    ['no directory', { agents: [], data: '' }, /`data` must be the path of a directory/],
    ['a type twice', { agents: [account, account] }, /the type "account" is in the list twice/],
    ['no list', {}, /agents is undefined; give a list of what implement\(\) returns/],
    ['no definition', { agents: ['account'] }, /agents\[0\] is neither an implementation nor/],
    ['an unknown limit', { agents: [], limits: { residents: 1 } }, /residents/],
    ['an unacceptable limit', { agents: [], limits: { drain: 'soon' } }, /drain.*"soon"/],
    ['an unacceptable port', { agents: [], admin: { port: 70_000 } }, /port from 0 to 65535/],
  ])('with %s is refused', async (_name, options, text) => {
    const error = await mistakeIn(() => createTroupe(options as never).start());
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', outcome: 'not-executed' });
    expect(error.detail).toMatch(text);
  });
});

describe('a node that stops', () => {
  it('answers the calls that it could not bring to their end', async () => {
    const gate = shutGate();
    const troupe = createTroupe({ agents: [accountAgent(gate)] });
    await troupe.start();
    const held = mistakeIn(() => troupe.agents.get(account, 'alice').execute('hold'));
    await gate.entered;
    await troupe.stop({ drain: 0 });
    expect(await held).toMatchObject({ code: 'NODE_DRAINING', outcome: 'unknown' });
    gate.open();
  });
});

describe('a store that cannot be reached', () => {
  it('is asked again, and says so when the time is over', async () => {
    await using troupe = await createTestTroupe({ agents: [accountAgent(shutGate())] });
    const alice = troupe.agents.get(account, 'alice');
    await alice.execute('move', { amount: 10 });
    troupe.faults.nextAppend('unavailable');
    expect(await troupe.advanceUntil(alice.execute('move', { amount: 1 }))).toBe(11);
    troupe.faults.nextAppend('unavailable', 1_000);
    const error = await mistakeIn(() => troupe.advanceUntil(alice.execute('move', { amount: 1 })));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'not-executed' });
    expect(error.detail).toContain('the last attempt ended with ENGINE_UNAVAILABLE');
    expect(await troupe.advanceUntil(alice.execute('balance'))).toBe(11);
  });

  it('that somebody else writes to is asked again, too', async () => {
    await using troupe = await createTestTroupe({ agents: [accountAgent(shutGate())] });
    const alice = troupe.agents.get(account, 'alice');
    troupe.faults.nextAppend('conflict');
    expect(await troupe.advanceUntil(alice.execute('move', { amount: 1 }))).toBe(1);
    troupe.faults.nextAppend('conflict', 1_000);
    const error = await mistakeIn(() => troupe.advanceUntil(alice.execute('move', { amount: 1 })));
    expect(error.detail).toContain('the last attempt ended with VERSION_CONFLICT');
    expect(TroupeError.is(error.cause) && error.cause.code).toBe('VERSION_CONFLICT');
    expect(await troupe.advanceUntil(alice.execute('balance'))).toBe(1);
  });
});
