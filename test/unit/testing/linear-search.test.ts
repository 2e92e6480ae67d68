/** Linearizability by search: small histories by hand, and against the sweep over versions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkVersions } from '../../../src/testing/check-versions.ts';
import type { Operation } from '../../../src/testing/history.ts';
import { checkBySearch, searchOrder } from '../../../src/testing/linear-search.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { operation } from '../../helpers/operation.ts';

const model = {
  initial: 0,
  apply(state: number, action: string, input: unknown) {
    if (action === 'set') return { state: Number(input), output: 'done' };
    if (action === 'add') return { state: state + 1, output: state + 1 };
    return { state, output: state };
  },
};
const set = (at: readonly [number, number?], input: number, parts: Partial<Operation> = {}) =>
  operation({ at, action: 'set', input, output: 'done', ...parts });
const get = (at: readonly [number, number], output: number) =>
  operation({ at, action: 'get', kind: 'read', output });
const verdict = (...operations: Operation[]) => searchOrder(operations, { model });

describe('searchOrder', () => {
  it('accepts what some order explains', () => {
    expect(verdict()).toBe('linearizable');
    expect(verdict(set([0, 1], 1), get([2, 3], 1))).toBe('linearizable');
    expect(verdict(set([0, 5], 1), get([1, 2], 1), get([3, 4], 1))).toBe('linearizable');
    expect(verdict(set([0, 9], 1), set([0, 9], 2), get([1, 2], 1), get([3, 4], 2))).toBe(
      'linearizable',
    );
  });

  it('refutes stale reads, reads from the future and reads that go back', () => {
    expect(verdict(set([0, 1], 1), get([2, 3], 0))).toBe('refuted');
    expect(verdict(get([0, 1], 1), set([2, 3], 1))).toBe('refuted');
    expect(verdict(set([0, 9], 1), get([1, 2], 1), get([3, 4], 0))).toBe('refuted');
    expect(
      verdict(set([0, 9], 1), set([0, 9], 2), get([1, 2], 1), get([3, 4], 2), get([5, 6], 1)),
    ).toBe('refuted');
  });

  it('lets what is not known happen at any later time, or never', () => {
    const unknown = set([0, 1], 7, { status: 'info' });
    expect(verdict(unknown, get([2, 3], 0), get([4, 5], 7))).toBe('linearizable');
    expect(verdict(unknown, get([2, 3], 0))).toBe('linearizable');
    expect(verdict(unknown, get([2, 3], 7), get([4, 5], 0))).toBe('refuted');
    expect(verdict(set([0], 7), get([2, 3], 7))).toBe('linearizable');
    expect(verdict(set([0, 1], 7, { status: 'fail' }), get([2, 3], 7))).toBe('refuted');
  });

  it('takes several attempts of one command as one', () => {
    const attempts = [
      operation({ at: [0, 1], action: 'add', command: 'c', status: 'info' }),
      operation({ at: [2, 3], action: 'add', command: 'c', output: 1 }),
    ];
    expect(verdict(...attempts, get([4, 5], 1))).toBe('linearizable');
    expect(verdict(...attempts, get([4, 5], 2))).toBe('refuted');
  });

  it('gives up, rather than guess', () => {
    const many = Array.from({ length: 30 }, (_, place) => set([place / 100, 99], place));
    const impossible = [...many, get([100, 101], -1)];
    expect(searchOrder(impossible, { model, stepsMax: 1_000 })).toBe('undecided');
    expect(
      verdict(...Array.from({ length: 2_001 }, (_, place) => get([place, place + 0.5], 0))),
    ).toBe('undecided');
  });

  it('decides 2,000 operations of 8 callers, right or wrong', () => {
    const history = registerHistory(new SimRandom('long'), 2_000, 8);
    expect(searchOrder(history, { model })).toBe('linearizable');
    const wrong = history.map((each, place) => (place === 1_500 ? { ...each, output: -1 } : each));
    expect(searchOrder(wrong, { model })).toBe('refuted');
  });

  it('agrees with the sweep about histories that carry versions', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(30), (seed, place) => {
        const random = new SimRandom(seed);
        const history = registerHistory(random, 30, 4);
        expect(checkVersions(history)).toEqual([]);
        expect(checkBySearch(history, { model })).toEqual([]);
        const lied = history.map((each, index) => (index === place ? lie(each) : each));
        const isRefuted = checkBySearch(lied, { model }).length > 0;
        if (isRefuted) expect(checkVersions(lied).length).toBeGreaterThan(0);
      }),
    );
  });

  it('reports agents apart', () => {
    const right = [set([0, 1], 1), get([2, 3], 1)];
    const wrong = [set([0, 1], 1), get([2, 3], 0)].map(each => ({ ...each, agent: 'agent/b' }));
    const [found, ...more] = checkBySearch([...right, ...wrong], { model });
    expect(found?.message).toMatch(/^agent\/b: no order explains the answers, from #/);
    expect(more).toEqual([]);
  });
});

/**
 * A counter's history: each of the callers does one operation at a time, which takes effect inside.
 */
function registerHistory(random: SimRandom, length: number, callers: number): Operation[] {
  const freeAt = new Array<number>(callers).fill(0);
  const points: { at: [number, number]; point: number; isAdd: boolean }[] = [];
  for (let count = 0; count < length; count++) {
    const caller = random.below(callers);
    const start = (freeAt[caller] ?? 0) + random.next();
    const point = start + random.next();
    const end = point + random.next();
    freeAt[caller] = end;
    points.push({ at: [start, end], point, isAdd: random.chance(0.5) });
  }
  let version = 0;
  return points
    .sort((left, right) => left.point - right.point)
    .map(({ at, isAdd }) => {
      if (isAdd) version++;
      return operation({
        at,
        version,
        output: version,
        kind: isAdd ? 'write' : 'read',
        action: isAdd ? 'add' : 'get',
      });
    });
}

/** The same answer, one version earlier. */
function lie(each: Operation): Operation {
  const version = (each.stamp?.version ?? 1) - 1;
  return { ...each, output: version, stamp: { epoch: 1, version } };
}
