/** Delays that the timers of the machine cannot hold, on timers that are moved by hand. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/engines/system/clock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('splits a delay that a timer of the machine cannot hold, and runs when it is over', () => {
  const clock = systemClock();
  const delayMs = 2 ** 31 * 3 + 12_345;
  let runs = 0;
  clock.setTimer(delayMs, () => {
    runs += 1;
  });
  vi.advanceTimersByTime(delayMs - 1);
  expect(runs).toBe(0);
  vi.advanceTimersByTime(1);
  expect(runs).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

it('takes back a split delay in any of its parts', () => {
  const clock = systemClock();
  const timer = clock.setTimer(2 ** 31 * 3, () => {
    throw new Error('must not run');
  });
  vi.advanceTimersByTime(2 ** 31 + 5);
  timer.cancel();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(2 ** 31 * 3);
});

it('sets no timer of the machine for a delay without end', () => {
  const timer = systemClock().setTimer(Number.POSITIVE_INFINITY, () => undefined);
  expect(vi.getTimerCount()).toBe(0);
  timer.cancel();
});

it('refuses a delay that is no number', () => {
  expect(() => systemClock().setTimer(Number.NaN, () => undefined)).toThrow(/INVARIANT_BROKEN/);
});
