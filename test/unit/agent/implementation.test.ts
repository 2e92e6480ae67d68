/** Implementations: every action has its behaviour, and no more. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAgent, read, turn } from '../../../src/agent/contract.ts';
import { implement, isContract, isImplementation } from '../../../src/agent/implementation.ts';
import { TroupeError } from '../../../src/core/errors.ts';

const counter = defineAgent('counter', {
  state: z.object({ count: z.number().default(0) }),
  actions: { add: turn({ input: z.number() }), count: read({ output: z.number() }), reset: turn() },
});

const handlers = { add: () => {}, count: () => 1, reset: () => {} };

/** `implement` as programs without types call it. */
const untyped = implement as (contract: unknown, handlers: unknown, options?: unknown) => unknown;

function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (TroupeError.is(error)) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('implement', () => {
  it('joins a contract and its behaviour', () => {
    const migrate = () => ({ count: 1 });
    const made = implement(counter, handlers, { migrate });
    expect(made.contract).toBe(counter);
    expect(made.handlers.add).toBe(handlers.add);
    expect(made.migrate).toBe(migrate);
    expect(Object.isFrozen(made)).toBe(true);
    expect(Object.isFrozen(made.handlers)).toBe(true);
    expect('constructor' in made.handlers).toBe(false);
    expect(implement(counter, handlers).migrate).toBeUndefined();
  });

  it('names what is missing', () => {
    expect(refusalOf(() => untyped(counter, { add: handlers.add }))).toBe(
      `CONFIG_INVALID: implement('counter'): the behaviour of "count", "reset" is missing`,
    );
    const inherited = Object.create(handlers);
    expect(refusalOf(() => untyped(counter, inherited))).toContain('"add", "count", "reset"');
  });

  it('names what is too much, and what was meant', () => {
    const { add, count, reset } = handlers;
    expect(refusalOf(() => untyped(counter, { add, count, rest: reset }))).toBe(
      `CONFIG_INVALID: implement('counter'): counter has no action "rest"; it has add, count, reset; did you mean "reset"?`,
    );
    expect(refusalOf(() => untyped(counter, { ...handlers, audit: add }))).toBe(
      `CONFIG_INVALID: implement('counter'): counter has no action "audit"; it has add, count, reset`,
    );
  });

  it('refuses what is no function, no contract, or no option', () => {
    expect(refusalOf(() => untyped(counter, { ...handlers, add: 5 }))).toBe(
      `CONFIG_INVALID: implement('counter'): the behaviour of "add" is 5; it must be a function`,
    );
    expect(refusalOf(() => untyped(counter, undefined))).toBe(
      `CONFIG_INVALID: the behaviour in implement('counter') must be an object; it is undefined`,
    );
    expect(refusalOf(() => untyped({ type: 'counter' }, handlers))).toBe(
      'CONFIG_INVALID: implement() takes a contract made by defineAgent(); it got { type: "counter" }',
    );
    expect(refusalOf(() => untyped(counter, handlers, { migrat: () => {} }))).toBe(
      `CONFIG_INVALID: implement('counter') has no option "migrat"; did you mean "migrate"?`,
    );
    expect(refusalOf(() => untyped(counter, handlers, { migrate: 2 }))).toBe(
      `CONFIG_INVALID: implement('counter'): migrate is 2; it must be a function`,
    );
  });
});

describe('isContract and isImplementation', () => {
  it('tell the two apart, and both from others', () => {
    const made = implement(counter, handlers);
    expect([isContract(counter), isImplementation(counter)]).toEqual([true, false]);
    expect([isContract(made), isImplementation(made)]).toEqual([false, true]);
    for (const other of [undefined, null, 'counter', {}, Object.freeze({}), { ...counter }]) {
      expect([isContract(other), isImplementation(other)]).toEqual([false, false]);
    }
  });
});
