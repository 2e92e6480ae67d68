/** Drafts as a whole: what is put in, how they end, what outlives them. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { copyValue } from '../../../src/core/values.ts';
import { openDraft } from '../../../src/state/draft.ts';
import { readOnlyView } from '../../../src/state/view.ts';
import { refusal } from '../../helpers/refusal.ts';
import { turn } from '../../helpers/turn-of.ts';

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
