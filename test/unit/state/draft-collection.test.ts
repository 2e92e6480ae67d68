/** Drafts of maps, sets, dates and bytes. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../helpers/refusal.ts';
import { turn } from '../../helpers/turn-of.ts';

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
