/** Work goes on after an activation has ended: in time, or soon, and more slowly each time. */
import { expect, it } from 'vitest';
import { loadPauseMs, wakeAgainAt } from '../../../src/mailbox/wake-again.ts';

it.each([
  ['work that is due later, when it is due', 1_500, 3, 1_500],
  ['work that was due, a second later', 400, 0, 2_000],
  ['work that is due now, a second later', 1_000, 0, 2_000],
  ['work that fails again, twice as late', 0, 1, 3_000],
  ['work that fails for long, with every look into the log', 0, 5_000, 31_000],
  ['nothing, never', Number.POSITIVE_INFINITY, 2, Number.POSITIVE_INFINITY],
])('takes up %s', (_what, wakeAt, endings, expected) => {
  expect(wakeAgainAt(wakeAt, 1_000, endings)).toBe(expected);
});

it.each([
  ['the first end, at once', 0, 0],
  ['the second end, soon', 1, 10],
  ['the fourth end, later', 3, 40],
  ['many ends, every second', 5_000, 1_000],
])('has an agent loaded for what waits after %s', (_what, endings, expected) => {
  expect(loadPauseMs(endings)).toBe(expected);
});
