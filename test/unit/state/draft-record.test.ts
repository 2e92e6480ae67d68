/** Drafts of objects: what is copied, what is shared, and what they look like. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openDraft } from '../../../src/state/draft.ts';
import { readOnlyView } from '../../../src/state/view.ts';
import { refusal } from '../../helpers/refusal.ts';
import { turn } from '../../helpers/turn-of.ts';

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
