import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { copyValue, equalValues } from '../../../src/core/values.ts';
import { openDraft } from '../../../src/state/draft.ts';
import { readOnlyView } from '../../../src/state/view.ts';

/** Changes a base through a draft, and checks that the base stayed as it was. */
function turn<T>(base: T, handler: (state: T) => void): T {
  const before = copyValue(base, 'base');
  const draft = openDraft(base, 'account/alice.move: state');
  handler(draft.state);
  const next = draft.close();
  expect(equalValues(base, before)).toBe(true);
  return next;
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
}

describe('a draft of objects', () => {
  it('copies only what it touches', () => {
    const base = { a: { n: 1 }, b: { n: 2, deep: { x: 1 } } };
    const next = turn(base, state => {
      state.b.n = 3;
    });
    expect(next).toEqual({ a: { n: 1 }, b: { n: 3, deep: { x: 1 } } });
    expect(next.a).toBe(base.a);
    expect(next.b).not.toBe(base.b);
    expect(next.b.deep).toBe(base.b.deep);
  });

  it('gives the base itself when nothing differs in the end', () => {
    const base = { n: 1, list: [1, { x: 1 }], map: new Map([['k', { v: 1 }]]), at: new Date(5) };
    const next = turn(base, state => {
      state.n = 2;
      state.n = 1;
      state.list.push(3);
      state.list.pop();
      (state.list[1] as { x: number }).x++;
      (state.list[1] as { x: number }).x--;
      state.map.set('other', { v: 2 });
      state.map.delete('other');
      state.at.setTime(9);
      state.at.setTime(5);
      state.list = [...state.list];
      state.map = new Map(state.map);
    });
    expect(next).toBe(base);
  });

  it('reads without copying', () => {
    const base = { list: [{ x: 1 }], map: new Map([['k', new Set([1])]]) };
    const next = turn(base, state => {
      expect(JSON.stringify(state.list)).toBe('[{"x":1}]');
      expect([...(state.map.get('k') ?? [])]).toEqual([1]);
      expect(Object.keys(state)).toEqual(['list', 'map']);
      expect('list' in state).toBe(true);
    });
    expect(next).toBe(base);
  });

  it('adds, deletes and keeps undefined apart from missing', () => {
    const next = turn<Record<string, unknown>>({ a: 1, b: undefined }, state => {
      delete state.a;
      state.c = undefined;
      delete state.missing;
    });
    expect(Object.keys(next)).toEqual(['b', 'c']);
  });

  it('takes setting undefined where nothing was for a change', () => {
    const base: Record<string, unknown> = {};
    expect(
      turn(base, state => {
        state.x = undefined;
      }),
    ).toStrictEqual({ x: undefined });
  });

  it('takes another order of keys for a change', () => {
    const base: Record<string, unknown> = { a: 1, b: 2 };
    const next = turn(base, state => {
      delete state.a;
      state.a = 1;
    });
    expect(Object.keys(next)).toEqual(['b', 'a']);
  });

  it('hands out the same part each time', () => {
    turn({ a: { x: 1 }, list: [{ x: 1 }] }, state => {
      const { a } = state;
      expect(state.a).toBe(a);
      a.x = 2;
      expect(state.a).toBe(a);
      expect(state.list.indexOf(state.list[0] as { x: number })).toBe(0);
    });
  });

  it('changes one of two places that the base shares, as after a reload', () => {
    const shared = { x: 1 };
    const next = turn({ a: shared, b: shared }, state => {
      state.a.x = 2;
    });
    expect(next).toEqual({ a: { x: 2 }, b: { x: 1 } });
  });

  it('describes parts with drafts, never with the base', () => {
    const base = { a: { x: 1 } };
    const next = turn(base, state => {
      const value = Object.getOwnPropertyDescriptor(state, 'a')?.value as { x: number };
      value.x = 5;
      for (const part of Object.values(state)) part.x++;
      for (const [, part] of Object.entries(state)) part.x++;
      const spread = { ...state };
      spread.a.x++;
    });
    expect(next).toEqual({ a: { x: 8 } });
  });

  it('works on a base that is frozen', () => {
    const base = Object.freeze({ a: Object.freeze({ x: 1 }), l: Object.freeze([{ y: 1 }]) });
    const draft = openDraft(base as { a: { x: number }; l: { y: number }[] });
    draft.state.a.x = 2;
    (draft.state.l[0] as { y: number }).y = 3;
    expect(Object.keys(draft.state)).toEqual(['a', 'l']);
    expect(draft.close()).toEqual({ a: { x: 2 }, l: [{ y: 3 }] });
  });

  it('looks like plain data', () => {
    turn({ a: 1, list: [1] }, state => {
      expect(Object.getPrototypeOf(state)).toBe(Object.prototype);
      expect(Array.isArray(state.list)).toBe(true);
      expect(state.constructor).toBe(Object);
      state.a = 2;
      expect(inspect(state)).toBe('{ a: 2, list: [ 1 ] }');
      expect(inspect(state.list)).toBe('[ 1 ]');
      expect(state).toEqual({ a: 2, list: [1] });
    });
  });
});

describe('a draft with parts put elsewhere', () => {
  it('lets a part stand in two places until it closes', () => {
    const next = turn<Record<string, { x: number }>>({ a: { x: 1 } }, state => {
      state.b = state.a as { x: number };
      (state.b as { x: number }).x = 2;
    });
    expect(next).toEqual({ a: { x: 2 }, b: { x: 2 } });
  });

  it('moves parts, changed before or after', () => {
    interface Shop {
      open: { id: number; done?: boolean }[];
      closed: { id: number; done?: boolean }[];
    }
    const base: Shop = { open: [{ id: 1 }, { id: 2 }, { id: 3 }], closed: [] };
    const next = turn(base, state => {
      const [second] = state.open.splice(1, 1);
      if (second === undefined) throw new Error('nothing was removed');
      state.closed.push(second);
      second.done = true;
    });
    expect(next).toEqual({ open: [{ id: 1 }, { id: 3 }], closed: [{ id: 2, done: true }] });
    expect(next.open[0]).toBe(base.open[0]);
    expect(next.open[1]).toBe(base.open[2]);
  });

  it('shares parts that a new object or array was filled with', () => {
    const base = { list: [{ id: 1 }, { id: 2 }], rest: { x: { y: 1 } } };
    const draft = openDraft(base);
    draft.replace({
      ...draft.state,
      list: draft.state.list.filter(item => item.id === 2),
    });
    const next = draft.close();
    expect(next).toEqual({ list: [{ id: 2 }], rest: { x: { y: 1 } } });
    expect(next.list[0]).toBe(base.list[1]);
    expect(next.rest).toBe(base.rest);
  });

  it('takes parts of a read-only view without copying them', () => {
    const other = { deep: { x: 1 } };
    const next = turn<Record<string, unknown>>({}, state => {
      state.a = readOnlyView(other).deep;
      (state.a as { x: number }).x = 2;
      state.b = readOnlyView(other).deep;
    });
    expect(next).toEqual({ a: { x: 2 }, b: { x: 1 } });
    expect(next.b).toBe(other.deep);
    expect(other.deep.x).toBe(1);
  });

  it('copies parts of another draft', () => {
    const other = openDraft({ deep: { x: 1 } });
    other.state.deep.x = 2;
    const next = turn<Record<string, unknown>>({}, state => {
      state.a = other.state.deep;
    });
    other.state.deep.x = 3;
    expect(next).toEqual({ a: { x: 2 } });
  });

  it('refuses to hold itself', () => {
    const draft = openDraft<Record<string, unknown>>({ a: {} }, 'x/y.act: state');
    draft.state.a = { self: draft.state };
    expect(refusal(() => draft.close())).toContain(
      'x/y.act: state.a.self refers back to x/y.act: state, which makes a cycle',
    );
    const nested = openDraft<{ a: Record<string, unknown> }>({ a: {} }, 'x/y.act: state');
    nested.state.a.b = nested.state.a;
    expect(refusal(() => nested.close())).toContain('state.a.b refers back to x/y.act: state.a');
  });
});

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

describe('a draft of collections', () => {
  it('changes a map and the values in it', () => {
    const base = new Map<string, { n: number }>([
      ['a', { n: 1 }],
      ['b', { n: 2 }],
      ['c', { n: 3 }],
    ]);
    const next = turn(base, map => {
      (map.get('a') as { n: number }).n = 10;
      map.set('d', { n: 4 });
      expect(map.delete('b')).toBe(true);
      expect(map.delete('zz')).toBe(false);
      (map.get('d') as { n: number }).n = 40;
      expect(map.size).toBe(3);
      expect(map.has('b')).toBe(false);
      for (const value of map.values()) value.n++;
      map.forEach(value => {
        value.n++;
      });
      expect([...map.keys()]).toEqual(['a', 'c', 'd']);
      expect(new Map(map).size).toBe(3);
      expect(map).toBeInstanceOf(Map);
      expect(inspect(map)).toContain('Map(3)');
    });
    expect([...next]).toEqual([
      ['a', { n: 12 }],
      ['c', { n: 5 }],
      ['d', { n: 42 }],
    ]);
    expect(next.get('c')).not.toBe(base.get('c'));
    expect(Object.getPrototypeOf(next)).toBe(Map.prototype);
  });

  it('shares the values that did not change', () => {
    const base = new Map([
      ['a', { n: 1 }],
      ['b', { n: 2 }],
    ]);
    const next = turn(base, map => {
      (map.get('a') as { n: number }).n = 5;
    });
    expect(next.get('b')).toBe(base.get('b'));
    expect(turn(base, map => void map.set('a', map.get('a') as { n: number }))).toBe(base);
    expect(turn(base, map => map.clear()).size).toBe(0);
    const empty = new Map();
    expect(turn(empty, map => map.clear())).toBe(empty);
  });

  it('takes objects for keys, and copies them', () => {
    const key = { k: 1 };
    const held = { h: 1 };
    const base = new Map<unknown, unknown>([[held, 1]]);
    const next = turn(base, map => {
      map.set(key, { v: 1 });
      expect(map.has(key)).toBe(true);
      const [first] = map.keys() as Iterable<{ h: number }>;
      expect(map.get(first)).toBe(1);
      expect(refusal(() => Object.assign(first as object, { h: 2 }))).toContain('STATE_READ_ONLY');
      map.set(first, 2);
    });
    key.k = 9;
    expect([...next]).toEqual([
      [held, 2],
      [{ k: 1 }, { v: 1 }],
    ]);
    expect([...next.keys()][0]).toBe(held);
  });

  it('changes a set', () => {
    const member = { m: 1 };
    const base = new Set<unknown>([1, 2, member]);
    const added = { added: 1 };
    const next = turn(base, set => {
      set.add(3).add(1).add(added);
      expect(set.delete(2)).toBe(true);
      expect(set.delete(2)).toBe(false);
      expect(set.has(added)).toBe(true);
      for (const item of set) expect(set.has(item)).toBe(true);
      expect([...set.entries()].length).toBe(set.size);
      set.forEach((value, again) => {
        expect(value).toBe(again);
      });
      expect([...set.union(new Set([9]))]).toHaveLength(5);
      expect(set.isSubsetOf(new Set([1]))).toBe(false);
      expect(new Set([1]).isSubsetOf(set)).toBe(true);
    });
    added.added = 2;
    expect([...next]).toEqual([1, member, 3, { added: 1 }]);
    expect([...next][1]).toBe(member);
    expect(turn(base, set => void set.add(1).delete(7))).toBe(base);
    expect(turn(base, set => set.clear()).size).toBe(0);
  });

  it('walks as the built-in iterators do when it is changed on the way', () => {
    const grow = (set: Set<number>): number[] => {
      const seen: number[] = [];
      for (const item of set) {
        seen.push(item);
        if (item < 5) set.add(item + 1);
        set.delete(item - 1);
        if (item === 2) set.delete(4);
      }
      return seen;
    };
    const expected = grow(new Set([1, 4, 9]));
    let seen: number[] = [];
    turn(new Set([1, 4, 9]), set => {
      seen = grow(set);
    });
    expect(seen).toEqual(expected);
  });

  it('hands out dates and bytes to be changed', () => {
    const base = { at: new Date(0), bytes: new Uint8Array([1, 2]), list: [new Date(1)] };
    let kept: Date | undefined;
    const next = turn(base, state => {
      state.at.setTime(7);
      state.bytes[0] = 9;
      state.list.push(new Date(2));
      state.list[0]?.setTime(8);
      kept = state.at;
      expect(state.at).toBe(kept);
    });
    kept?.setTime(99);
    expect(next).toEqual({
      at: new Date(7),
      bytes: new Uint8Array([9, 2]),
      list: [new Date(8), new Date(2)],
    });
    expect(turn(base, state => void state.at.getTime())).toBe(base);
  });
});

describe('what is put into a draft', () => {
  it('is copied when the draft closes, and not before', () => {
    const mine = { x: 1, list: [1] };
    const next = turn<Record<string, unknown>>({}, state => {
      state.mine = mine;
      expect(state.mine).toBe(mine);
      mine.x = 2;
    });
    mine.list.push(2);
    expect(next).toEqual({ mine: { x: 2, list: [1] } });
  });

  it('is refused with its path when it is no plain data', () => {
    interface Free {
      items: unknown[];
      [key: string]: unknown;
    }
    const bad: [(state: Free) => unknown, string][] = [
      [
        state => {
          state.callback = () => 1;
        },
        'state.callback is a function',
      ],
      [state => state.items.push({ deep: Symbol('s') }), 'state.items[1].deep is a symbol'],
      [state => state.items.unshift(/x/), 'state.items[0] is an instance of RegExp'],
      [
        state => {
          state.map = new Map([['k', () => 1]]);
        },
        'state.map.get("k") is a function',
      ],
      [
        state => {
          state.items[0] = new (class Socket {})();
        },
        'is an instance of Socket',
      ],
    ];
    for (const [act, text] of bad) {
      const message = refusal(() => turn<Free>({ items: [{}] }, state => void act(state)));
      expect(message).toContain('NOT_SERIALIZABLE: account/alice.move: ');
      expect(message).toContain(text);
    }
  });

  it('is refused at once when its name could change a prototype, or would be lost', () => {
    for (const key of ['__proto__', 'constructor', 'prototype', Symbol('s')]) {
      const act = (): unknown => turn<object>({}, state => Reflect.set(state, key, {}));
      expect(refusal(act)).toContain('cannot be stored under that name');
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('is refused when it is no assignment', () => {
    const acts: ((state: object) => unknown)[] = [
      state => Object.defineProperty(state, 'x', { get: () => 1, configurable: true }),
      state => Object.setPrototypeOf(state, null),
      state => Object.freeze(state),
    ];
    for (const act of acts) {
      expect(refusal(() => turn<object>({}, state => void act(state)))).toContain('HANDLER_FAILED');
    }
  });

  it('leaves a draft unusable when closing fails', () => {
    const draft = openDraft<Record<string, unknown>>({});
    draft.state.f = () => 1;
    expect(() => draft.close()).toThrow('NOT_SERIALIZABLE');
    expect(draft.isOpen).toBe(false);
    expect(() => draft.close()).toThrow('used after the turn ended');
  });
});

describe('the root of a draft', () => {
  it('may be anything', () => {
    for (const base of [1, 'text', null, undefined, 10n]) {
      const draft = openDraft<unknown>(base);
      expect(draft.state).toBe(base);
      draft.replace({ x: 1 });
      expect(draft.close()).toEqual({ x: 1 });
    }
    expect(turn(new Date(1), date => void date.setTime(2))).toEqual(new Date(2));
  });

  it('is replaced, also by what it was', () => {
    const base = { n: 1 };
    const draft = openDraft<{ n: number }>(base);
    const fresh = { n: 2 };
    draft.replace(fresh);
    expect(draft.state).toBe(fresh);
    draft.state.n = 3;
    const next = draft.close();
    fresh.n = 4;
    expect(next).toEqual({ n: 3 });
    const same = openDraft<{ n: number }>(base);
    same.replace({ n: 1 });
    expect(same.close()).toBe(base);
    const viewed = openDraft<{ n: number }>({ n: 0 });
    viewed.replace(readOnlyView(base));
    viewed.state.n = 7;
    expect(viewed.close()).toEqual({ n: 7 });
    expect(base.n).toBe(1);
  });

  it('is refused when it is no plain data', () => {
    const draft = openDraft<unknown>({}, 'x/y.act: state');
    draft.replace(() => 1);
    expect(refusal(() => draft.close())).toContain('x/y.act: state is a function');
  });
});

describe('a draft that has closed', () => {
  it('throws at every use, whatever the user kept of it', () => {
    const base = { a: { x: 1 }, list: [1], map: new Map([['k', 1]]), set: new Set([1]) };
    for (const end of ['close', 'discard'] as const) {
      const draft = openDraft(base, 'x/y.act: state');
      const { state } = draft;
      const { a, list, map, set } = state;
      const { push } = list;
      const walk = set.values();
      walk.next();
      expect(draft.isOpen).toBe(true);
      draft[end]();
      expect(draft.isOpen).toBe(false);
      const uses: (() => unknown)[] = [
        () => state.a,
        () => Object.keys(state),
        () => 'a' in state,
        () => {
          a.x = 2;
        },
        () => Reflect.deleteProperty(a, 'x'),
        () => Object.getOwnPropertyDescriptor(a, 'x'),
        () => push.call(list, 2),
        () => list.length,
        () => map.get('k'),
        () => map.set('k', 2),
        () => map.size,
        () => set.add(2),
        () => [...set],
        () => walk.next(),
        () => draft.state,
        () => draft.replace(base),
        () => draft.close(),
      ];
      for (const use of uses) {
        expect(refusal(use)).toContain(
          'HANDLER_FAILED: x/y.act: state was used after the turn ended',
        );
      }
      expect(inspect(state)).toContain('a draft whose turn ended');
    }
  });

  it('keeps no hold on the next value', () => {
    const draft = openDraft({ list: [{ x: 1 }] });
    const item = draft.state.list[0] as { x: number };
    item.x = 2;
    const next = draft.close();
    expect(() => {
      item.x = 3;
    }).toThrow('used after');
    expect(next).toEqual({ list: [{ x: 2 }] });
  });
});

describe('copying a draft', () => {
  it('copies what the draft stands for, changes included', () => {
    const base = { a: { x: 1 }, list: [{ y: 1 }], map: new Map([['k', { z: 1 }]]) };
    const draft = openDraft(base);
    const untouched = copyValue(draft.state, 'output');
    expect(untouched).toEqual(base);
    expect(untouched.a).not.toBe(base.a);
    draft.state.a.x = 2;
    draft.state.list.push({ y: 2 });
    (draft.state.map.get('k') as { z: number }).z = 3;
    const copy = copyValue({ whole: draft.state, part: draft.state.a }, 'output');
    draft.state.a.x = 99;
    expect(copy).toEqual({
      whole: { a: { x: 2 }, list: [{ y: 1 }, { y: 2 }], map: new Map([['k', { z: 3 }]]) },
      part: { x: 2 },
    });
    expect(draft.close().a.x).toBe(99);
  });

  it('goes on after the draft closed, with the final value', () => {
    const draft = openDraft({ a: { x: 1 } });
    const { a } = draft.state;
    a.x = 2;
    draft.close();
    expect(copyValue(a, 'output')).toEqual({ x: 2 });
    const discarded = openDraft({ a: { x: 1 } });
    const { state } = discarded;
    discarded.discard();
    expect(refusal(() => copyValue(state, 'output'))).toContain('used after the turn ended');
  });
});
