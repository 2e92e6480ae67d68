/** Drafts of arrays do what arrays do. */
import { describe, expect, it } from 'vitest';
import { copyValue } from '../../../src/core/values.ts';
import { refusal } from '../../helpers/refusal.ts';
import { turn } from '../../helpers/turn-of.ts';

describe('a draft of arrays', () => {
  type Item = { id: number };
  const items = (count: number): Item[] =>
    Array.from({ length: count }, (_, index) => ({ id: index }));

  const cases: Record<string, (list: Item[]) => unknown> = {
    push: list => list.push({ id: 10 }, { id: 11 }),
    'push nothing': list => list.push(),
    pop: list => list.pop(),
    shift: list => list.shift(),
    unshift: list => list.unshift({ id: 10 }, list[2] as Item),
    'unshift nothing': list => list.unshift(),
    'splice a part': list => list.splice(1, 2, { id: 10 }),
    'splice from the end': list => list.splice(-2, 1),
    'splice to the end': list => list.splice(2),
    'splice nothing': list => list.splice(1, 0),
    'splice without arguments': list => (list.splice as () => Item[])(),
    'splice beyond': list => list.splice(99, 99, { id: 10 }),
    'splice by odd numbers': list => list.splice(Number.NaN, -1, { id: 10 }),
    sort: list => list.sort((a, b) => b.id - a.id),
    reverse: list => list.reverse(),
    fill: list => list.fill({ id: 7 }, 1, 3),
    copyWithin: list => list.copyWithin(0, 2, 4),
    'set an index': list => {
      list[1] = { id: 10 };
    },
    'set the length': list => {
      list.length = 2;
    },
    'swap two': list => {
      [list[0], list[3]] = [list[3] as Item, list[0] as Item];
    },
    'change within': list => {
      for (const item of list) item.id *= 2;
    },
    'change after a move': list => {
      list.reverse();
      (list[0] as Item).id = 99;
      list.sort((a, b) => a.id - b.id);
      (list[0] as Item).id = 98;
      list.unshift({ id: 5 });
      (list[0] as Item).id = 6;
    },
    'change before a move': list => {
      (list[1] as Item).id = 50;
      list.shift();
      list.push({ id: 51 });
      list.reverse();
    },
    'read methods': list => [
      list.map(item => item.id),
      list.find(item => item.id === 2)?.id,
      list.slice(1).length,
      list.concat([{ id: 1 }]).length,
      list.at(-1)?.id,
      list.includes(list[0] as Item),
      list.findLastIndex(item => item.id === 1),
      list.toSorted((a, b) => b.id - a.id).map(item => item.id),
      list.with(0, { id: 3 }).map(item => item.id),
      [...list.entries()].length,
      list.flatMap(item => [item.id, item.id]),
      list.reduce((sum, item) => sum + item.id, 0),
      list.join('-'),
    ],
  };

  for (const [name, act] of Object.entries(cases)) {
    it(`does as an array: ${name}`, () => {
      const expected = items(5);
      const expectedResult = act(expected);
      let result: unknown;
      const next = turn({ list: items(5) }, state => {
        result = copyValue(act(state.list), 'result');
      });
      expect(next.list).toStrictEqual(expected);
      expect(result).toStrictEqual(expectedResult);
    });
  }

  it('returns itself from sort, reverse, fill and copyWithin', () => {
    turn([3, 1, 2], list => {
      expect(list.sort()).toBe(list);
      expect(list.reverse()).toBe(list);
      expect(list.fill(1)).toBe(list);
      expect(list.copyWithin(0, 1)).toBe(list);
    });
  });

  it('takes from an empty array', () => {
    const base: number[] = [];
    const next = turn(base, list => {
      expect(list.pop()).toBeUndefined();
      expect(list.shift()).toBeUndefined();
    });
    expect(next).toBe(base);
  });

  it('lets holes be filled, and refuses those that stay', () => {
    const filled = turn<number[]>([1], list => {
      list[3] = 4;
      list.length = 5;
      list[1] = 2;
      list[2] = 3;
      list[4] = 5;
    });
    expect(filled).toEqual([1, 2, 3, 4, 5]);
    expect(
      refusal(() =>
        turn<number[]>([1], list => {
          list[2] = 3;
        }),
      ),
    ).toContain('account/alice.move: state[1] is a hole in the array');
    expect(refusal(() => turn<number[]>([1, 2], list => void delete list[0]))).toContain(
      'state[0] is a hole',
    );
    expect(
      refusal(() =>
        turn<number[]>([1, 2], list => {
          list.length = 3;
        }),
      ),
    ).toContain('state[2] is a hole');
  });

  it('refuses a length that is none, and names that are no index', () => {
    expect(() =>
      turn<number[]>([1], list => {
        list.length = -1;
      }),
    ).toThrow(RangeError);
    const named = (): unknown => turn<number[]>([1], list => Object.assign(list, { total: 1 }));
    expect(refusal(named)).toContain('.total cannot be stored');
  });
});
