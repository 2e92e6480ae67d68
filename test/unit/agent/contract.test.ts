/** Contracts: what they are at run time, and what is refused with which words. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, read, task, turn } from '../../../src/agent/contract.ts';
import { typeLimits } from '../../../src/agent/limits.ts';
import { TroupeError } from '../../../src/core/errors.ts';

const state = z.object({ balance: z.number().default(0) });
const amount = z.object({ amount: z.number() });
const asynchronous = z.unknown().refine(async () => true);

/** `defineAgent` as programs without types call it. */
const define = defineAgent as unknown as (type: unknown, options: unknown) => unknown;
const makers = { turn, read, task } as unknown as Record<string, (shape: unknown) => unknown>;

function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (TroupeError.is(error)) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

function refusalOfOptions(options: object): string {
  return refusalOf(() => define('account', { state, actions: {}, ...options }));
}

describe('a contract', () => {
  const account = defineAgent('account', {
    state,
    events: { moved: amount },
    signals: { approve: z.object({ by: z.string() }) },
    stateVersion: 3,
    description: 'Money of one owner',
    limits: { idle: '1h', mailboxLengthMax: 7 },
    actions: {
      move: turn({ input: amount, output: z.number(), description: 'Adds an amount' }),
      balance: read({ output: z.number() }),
      payOut: task({ input: amount, stream: z.string(), timeout: '14d' }),
    },
  });

  it('says all that callers need', () => {
    expect(account).toMatchObject({
      type: 'account',
      consistency: 'strong',
      initial: undefined,
      stateVersion: 3,
      description: 'Money of one owner',
    });
    expect(account.state).toBe(state);
    expect(account.actions.move).toMatchObject({
      kind: 'turn',
      input: amount,
      description: 'Adds an amount',
    });
    expect(account.actions.payOut.timeoutMs).toBe(14 * 86_400_000);
    expect(account.actions.balance).toMatchObject({ kind: 'read', input: undefined });
    expect(Object.keys(account.events)).toEqual(['moved']);
    expect(Object.keys(account.signals)).toEqual(['approve']);
  });

  it('has every limit as a number', () => {
    expect(account.limits).toMatchObject({ idleMs: 3_600_000, mailboxLengthMax: 7 });
    expect(Object.keys(account.limits)).toHaveLength(Object.keys(typeLimits).length + 1);
  });

  it('is frozen', () => {
    const { actions, events, signals, limits } = account;
    for (const part of [account, actions, actions.move, events, signals, limits]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('knows only the names it declares', () => {
    expect('constructor' in account.actions).toBe(false);
    expect('toString' in account.events).toBe(false);
    expect('__proto__' in account.signals).toBe(false);
  });

  it('is a plain beginning when little is said', () => {
    const plain = defineAgent('plain', { state, actions: {} });
    expect(plain).toMatchObject({ consistency: 'strong', stateVersion: 1, events: {} });
    expect(defineAgent('fleeting', { state, actions: {}, consistency: 'none' }).consistency).toBe(
      'none',
    );
  });

  it('keeps initial for schemas that do not accept {}', () => {
    const strict = z.object({ owner: z.string() });
    const owned = defineAgent('owned', {
      state: strict,
      initial: key => ({ owner: key }),
      actions: {},
    });
    expect(owned.initial?.('alice')).toEqual({ owner: 'alice' });
  });
});

describe('defineAgent refuses', () => {
  it.each([
    ['', '""'],
    ['a/b', '"a/b"'],
    ['1st', '"1st"'],
    ['a b', '"a b"'],
    [7, '7'],
    [undefined, 'undefined'],
  ])('the name %j', (name, shown) => {
    expect(refusalOf(() => define(name, { state, actions: {} }))).toBe(
      `CONFIG_INVALID: an agent type cannot be named ${shown}; write a letter, then up to 63 letters, digits, "_" or "-"`,
    );
  });

  it('names of actions, events and signals that cannot be addressed', () => {
    expect(refusalOfOptions({ actions: { 'pay out': turn() } })).toContain(
      'an action of account cannot be named "pay out"',
    );
    expect(refusalOfOptions({ events: { 'a.b': amount } })).toContain(
      'an event of account cannot be named "a.b"',
    );
    expect(refusalOfOptions({ signals: { '': amount } })).toContain(
      'a signal of account cannot be named ""',
    );
    const hidden = JSON.parse('{ "__proto__": null }');
    expect(refusalOfOptions({ events: hidden })).toContain('cannot be named "__proto__"');
  });

  it('unknown options, with the one that was meant', () => {
    expect(refusalOfOptions({ event: {} })).toBe(
      'CONFIG_INVALID: account has no option "event"; did you mean "events"?',
    );
    expect(refusalOfOptions({ colour: 'red' })).toBe(
      'CONFIG_INVALID: account has no option "colour"',
    );
    expect(refusalOf(() => define('account', undefined))).toBe(
      'CONFIG_INVALID: account must be an object; it is undefined',
    );
  });

  it.each(['session', 'eventual', 'crdt', 'Strong', null, 1])('the consistency %j', consistency => {
    expect(refusalOfOptions({ consistency })).toBe(
      `LEVEL_UNSUPPORTED: account: consistency ${JSON.stringify(consistency)} is not available; use "strong" or "none"`,
    );
  });

  it('events, signals and tasks with none', () => {
    const consistency = 'none';
    expect(refusalOfOptions({ consistency, events: { moved: amount } })).toBe(
      'LEVEL_UNSUPPORTED: account: consistency "none" has no events; use "strong", or leave them out',
    );
    expect(refusalOfOptions({ consistency, signals: { go: amount } })).toBe(
      'LEVEL_UNSUPPORTED: account: consistency "none" has no signals; use "strong", or leave them out',
    );
    expect(refusalOfOptions({ consistency, actions: { run: task() } })).toBe(
      'LEVEL_UNSUPPORTED: account.run is a task, which consistency "none" does not have; use "strong", or a turn',
    );
    expect(define('account', { state, consistency, events: {}, actions: {} })).toBeDefined();
  });

  it('what is no schema', () => {
    expect(refusalOfOptions({ state: { balance: 0 } })).toBe(
      'CONFIG_INVALID: account.state must be a schema (zod, or another Standard Schema library); it is { balance: 0 }',
    );
    expect(refusalOfOptions({ events: { moved: Number } })).toContain(
      'account event moved must be a schema',
    );
    expect(refusalOfOptions({ signals: { go: null } })).toContain('account signal go must be');
    expect(refusalOfOptions({ events: [] })).toContain('account.events must be an object');
  });

  it('asynchronous schemas', () => {
    expect(refusalOfOptions({ events: { moved: asynchronous } })).toBe(
      'CONFIG_INVALID: account event moved is an asynchronous schema; use one that answers at once',
    );
    expect(refusalOfOptions({ state: asynchronous })).toContain('account.state is an asynchronous');
    expect(refusalOf(() => turn({ input: asynchronous }))).toBe(
      'CONFIG_INVALID: the input of turn() is an asynchronous schema; use one that answers at once',
    );
  });

  it('a state that an agent cannot begin with', () => {
    expect(refusalOfOptions({ state: z.object({ balance: z.number() }) })).toBe(
      'CONFIG_INVALID: account: the state schema does not accept {}: balance: expected number, received undefined; give every field a default, or add initial: key => ({ … })',
    );
    expect(refusalOfOptions({ initial: { balance: 0 } })).toBe(
      'CONFIG_INVALID: account.initial is { balance: 0 }; it must be a function of the key',
    );
  });

  it('a state that does not accept what it makes', () => {
    const oneWay = z.object({ count: z.string().default('1').transform(Number) });
    expect(refusalOfOptions({ state: oneWay })).toBe(
      'CONFIG_INVALID: account: the state schema does not accept its own output: count: expected string, received number (1); stored states are parsed again, so let it accept what it makes',
    );
  });

  it.each([0, 1.5, -1, '2', Number.NaN])('the state version %j', stateVersion => {
    expect(refusalOfOptions({ stateVersion })).toMatch(
      /^CONFIG_INVALID: account\.stateVersion is .*; it counts from 1$/,
    );
  });

  it('what is no action', () => {
    const remedy = 'write turn({ … }), read({ … }) or task({ … })';
    for (const action of [{ input: amount }, { kind: 'turn' }, turn, undefined, 'turn']) {
      expect(refusalOfOptions({ actions: { move: action } })).toBe(
        `CONFIG_INVALID: account.move is no action; ${remedy}`,
      );
    }
    expect(refusalOfOptions({ actions: undefined })).toBe(
      'CONFIG_INVALID: account.actions must be an object; it is undefined',
    );
  });

  it('limits that do not exist or do not fit', () => {
    expect(refusalOfOptions({ limits: { mailboxLenghtMax: 5 } })).toBe(
      'CONFIG_INVALID: account.limits: there is no limit "mailboxLenghtMax"; did you mean "mailboxLengthMax"?',
    );
    expect(refusalOfOptions({ limits: 5 })).toContain('account.limits must be an object');
  });

  it('a description that is no text', () => {
    expect(refusalOfOptions({ description: 5 })).toBe(
      'CONFIG_INVALID: account.description is 5; it must be a text',
    );
  });
});

describe('turn, read and task refuse', () => {
  it('unknown options, with the one that was meant', () => {
    expect(refusalOf(() => makers.turn?.({ inputs: amount }))).toBe(
      'CONFIG_INVALID: turn() has no option "inputs"; did you mean "input"?',
    );
    expect(refusalOf(() => makers.read?.({ timeout: '1s' }))).toBe(
      'CONFIG_INVALID: read() has no option "timeout"',
    );
    expect(refusalOf(() => makers.turn?.({ stream: amount }))).toContain('no option "stream"');
    expect(refusalOf(() => makers.turn?.(amount))).toContain('turn() has no option');
  });

  it('values that do not fit', () => {
    expect(refusalOf(() => makers.task?.({ output: 'string' }))).toBe(
      'CONFIG_INVALID: the output of task() must be a schema (zod, or another Standard Schema library); it is "string"',
    );
    expect(refusalOf(() => makers.task?.({ timeout: '2 weeks' }))).toBe(
      'CONFIG_INVALID: the timeout of task() is "2 weeks"; write milliseconds, or a number with ms, s, m, h or d',
    );
  });
});
