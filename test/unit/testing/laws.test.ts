/** How laws are checked: what counts as held, excepted and broken. */
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { checkLaws, type Law, type LawSuite, within } from '../../../src/testing/laws.ts';

interface Subject {
  readonly value: number;
  readonly reopen?: (() => Promise<void>) | undefined;
}

const laws: readonly Law<Subject>[] = [
  { name: 'is one', run: async ({ value }) => must(value === 1) },
  { name: 'opens again', needs: ['reopen'], run: async ({ reopen }) => reopen?.() },
];

function must(condition: boolean): void {
  if (!condition) throw new Error('must be one');
}

function suiteOf(subject: Subject, more: Partial<LawSuite<Subject>> = {}): LawSuite<Subject> {
  const open = async () => ({ ...subject, [Symbol.asyncDispose]: async () => undefined });
  return { port: 'Test', engine: 'test', laws, open, ...more };
}

it('tells laws that hold from laws that are broken, and says why', async () => {
  const subject = { value: 2, reopen: async () => undefined };
  expect(await checkLaws(suiteOf(subject), systemClock())).toEqual([
    { law: 'is one', status: 'broken', reason: 'must be one' },
    { law: 'opens again', status: 'held' },
  ]);
});

it('calls a law broken that needs what the subject does not offer', async () => {
  const results = await checkLaws(suiteOf({ value: 1 }), systemClock());
  expect(results[1]).toMatchObject({ status: 'broken', reason: expect.stringContaining('reopen') });
});

it('reports an exception with its reason, without running its law', async () => {
  const exceptions = [{ law: 'opens again', reason: 'nothing is kept' }];
  const results = await checkLaws(suiteOf({ value: 1 }, { exceptions }), systemClock());
  expect(results[1]).toEqual({
    law: 'opens again',
    status: 'excepted',
    reason: 'nothing is kept',
  });
});

it('calls an exception broken that names no law', async () => {
  const exceptions = [{ law: 'is two', reason: 'a slip' }];
  const results = await checkLaws(suiteOf({ value: 1 }, { exceptions }), systemClock());
  expect(results).toContainEqual({
    law: 'is two',
    status: 'broken',
    reason: 'an exception for a law there is not',
  });
});

it('opens a subject for each law, and disposes of it also when the law is broken', async () => {
  let opened = 0;
  let disposed = 0;
  const open = async () => {
    opened += 1;
    return {
      value: 2,
      [Symbol.asyncDispose]: async () => {
        disposed += 1;
      },
    };
  };
  await checkLaws(suiteOf({ value: 2 }, { open }), systemClock());
  expect([opened, disposed]).toEqual([2, 2]);
});

it('calls a law broken whose subject cannot be opened', async () => {
  const open = () => Promise.reject(new Error('no such server'));
  const [result] = await checkLaws(suiteOf({ value: 1 }, { open }), systemClock());
  expect(result).toEqual({ law: 'is one', status: 'broken', reason: 'no such server' });
});

it('calls a law broken that never ends', async () => {
  const delays: number[] = [];
  const impatient = {
    ...systemClock(),
    setTimer: (delayMs: number, task: () => void) => {
      delays.push(delayMs);
      return systemClock().setTimer(1, task);
    },
  };
  const endless = [{ name: 'ends', run: () => new Promise<void>(() => undefined) }];
  const [result] = await checkLaws(suiteOf({ value: 1 }, { laws: endless }), impatient);
  expect(result?.status).toBe('broken');
  expect(delays).toEqual([60_000]);
});

it('passes on what a promise becomes in time', async () => {
  const clock = systemClock();
  expect(await within(clock, Promise.resolve(7))).toBe(7);
  await expect(within(clock, Promise.reject(new Error('own')))).rejects.toThrow('own');
  await expect(within(clock, new Promise(() => undefined), 1)).rejects.toThrow('within 1 ms');
});
