/** Progress counts what this process did, and shows no more lines than a person can read. */
import { describe, expect, it } from 'vitest';
import { ProgressDisplay, progressLines } from '../../../examples/audit/progress.ts';

function clock() {
  let atMs = 0;
  return { now: () => atMs, pass: (ms: number) => (atMs += ms) };
}

describe('progressLines', () => {
  it('tells rate and time left from what this process did', () => {
    const { now, pass } = clock();
    const lineOf = progressLines(now);
    expect(lineOf({ done: 100, total: 400 })).toBe('100 of 400 packages');
    pass(2_000);
    expect(lineOf({ done: 200, total: 400 })).toBe('200 of 400 packages, 50/s, 4 s left');
    pass(98_000);
    expect(lineOf({ done: 250, total: 400 })).toBe('250 of 400 packages, 1.5/s, 2 min left');
    expect(lineOf({ done: 400, total: 400 })).toBe('400 of 400 packages, 3.0/s');
  });

  it('names the package that was done last', () => {
    const lineOf = progressLines(clock().now);
    expect(lineOf({ done: 1, total: 2, last: 'node_modules/c/node_modules/@a/b' })).toBe(
      '1 of 2 packages, @a/b',
    );
    expect(lineOf({ done: 2, total: 2, last: 'c' })).toBe('2 of 2 packages');
  });

  it('counts in hours when it takes hours', () => {
    const { now, pass } = clock();
    const lineOf = progressLines(now);
    lineOf({ done: 0, total: 9_001 });
    pass(1_000);
    expect(lineOf({ done: 1, total: 9_001 })).toContain('2.5 h left');
  });
});

describe('ProgressDisplay', () => {
  const shown = (isTTY: boolean) => {
    const { now, pass } = clock();
    const texts: string[] = [];
    const display = new ProgressDisplay({ isTTY, write: text => texts.push(text) }, now);
    for (let done = 0; done <= 50; done += 1) {
      display.show({ done, total: 50 });
      pass(45);
    }
    return texts;
  };

  it('writes a line a second, and the last one', () => {
    const texts = shown(false);
    expect(texts).toHaveLength(4);
    expect(texts.at(-1)).toMatch(/^50 of 50 packages, .*\n$/);
  });

  it('keeps to one line on a terminal', () => {
    const texts = shown(true);
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.every(text => text.startsWith('\r'))).toBe(true);
    expect(texts.filter(text => text.endsWith('\n'))).toEqual([texts.at(-1)]);
  });
});
