/** Read-only views: they refuse each change, and otherwise look like the value. */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyValue, equalValues } from '../../../src/core/values.ts';
import { decodeValue, encodeValue } from '../../../src/state/codec.ts';
import { readOnlyView } from '../../../src/state/draft.ts';
import { plainValues } from '../../helpers/plain-values.ts';
import { fingerprint } from '../../helpers/same-value.ts';

const place = 'account/alice.audit: state';

interface State {
  n: number;
  list: { x: number }[];
  map: Map<string, { m: number }>;
  set: Set<unknown>;
  at: Date;
  bytes: Uint8Array;
  deep: { more: { y: number } };
}

function makeState(): State {
  return {
    n: 1,
    list: [{ x: 1 }, { x: 2 }],
    map: new Map([['k', { m: 1 }]]),
    set: new Set<unknown>([1, { s: 1 }]),
    at: new Date(5),
    bytes: new Uint8Array([1, 2]),
    deep: { more: { y: 1 } },
  };
}

describe('a read-only view', () => {
  it.each<[string, (state: State) => unknown, string]>([
    ['set', state => Object.assign(state, { n: 2 }), '.n'],
    ['add', state => Object.assign(state, { fresh: 2 }), '.fresh'],
    ['delete', state => Reflect.deleteProperty(state, 'n'), '.n'],
    ['define', state => Object.defineProperty(state, 'n', { value: 2 }), '.n'],
    ['freeze', state => Object.freeze(state), ''],
    ['set the prototype', state => Object.setPrototypeOf(state, null), ''],
    ['set deep', state => Object.assign(state.deep.more, { y: 2 }), '.deep.more.y'],
    ['set in an array', state => Object.assign(state.list[1] as object, { x: 9 }), '.list[1].x'],
    ['push', state => state.list.push({ x: 3 }), '.list[2]'],
    ['pop', state => state.list.pop(), '.list'],
    ['shift', state => state.list.shift(), '.list'],
    ['sort', state => state.list.sort((a, b) => b.x - a.x), '.list[0]'],
    ['splice', state => state.list.splice(0, 1), '.list'],
    ['set the length', state => Object.assign(state.list, { length: 0 }), '.list.length'],
    ['set in an iteration', state => state.list.map(item => Object.assign(item, { x: 0 })), '.x'],
    [
      'set by entries',
      state => Object.assign(Object.values(state)[6] as object, { z: 1 }),
      '.deep.z',
    ],
    [
      'set by descriptor',
      state => Object.assign(Object.getOwnPropertyDescriptor(state, 'deep')?.value, { z: 1 }),
      '.deep.z',
    ],
    ['Map.set', state => state.map.set('k', { m: 2 }), '.map'],
    ['Map.delete', state => state.map.delete('k'), '.map'],
    ['Map.clear', state => state.map.clear(), '.map'],
    ['set in a Map', state => Object.assign(state.map.get('k') as object, { m: 2 }), '.map.k.m'],
    [
      'set in a walk',
      state => state.map.forEach(value => void Object.assign(value, { m: 2 })),
      '.map.k.m',
    ],
    ['Set.add', state => state.set.add(2), '.set'],
    ['Set.delete', state => state.set.delete(1), '.set'],
    ['Set.clear', state => state.set.clear(), '.set'],
    [
      'set in a Set',
      state => Object.assign([...state.set][1] as object, { s: 2 }),
      '.set["a member"].s',
    ],
    ['Date.setTime', state => state.at.setTime(1), '.at'],
    ['Date.setUTCHours', state => state.at.setUTCHours(1), '.at'],
    ['bytes.set', state => state.bytes.set([1]), '.bytes'],
    ['bytes.fill', state => state.bytes.fill(1), '.bytes'],
    ['bytes.reverse', state => state.bytes.reverse(), '.bytes'],
  ])('refuses to %s', (_name, act, path) => {
    const state = makeState();
    const text = `STATE_READ_ONLY: ${place}`;
    expect(() => act(readOnlyView(state, place))).toThrow(text);
    expect(() => act(readOnlyView(state, place))).toThrow(`${path}`);
    expect(() => act(readOnlyView(state, place))).toThrow(
      'is read-only here; change state in a turn, or with ctx.update(turn => …) in a task',
    );
    expect(equalValues(state, makeState())).toBe(true);
  });

  it('keeps bytes apart that are written by index', () => {
    const state = makeState();
    const view = readOnlyView(state, place);
    view.bytes[0] = 9;
    expect(state.bytes[0]).toBe(1);
    expect(copyValue(view, 'output').bytes[0]).toBe(1);
    const part = view.bytes.slice();
    part.fill(7);
    expect(Object.getPrototypeOf(part)).toBe(Uint8Array.prototype);
    expect(new TextDecoder().decode(readOnlyView(new Uint8Array([97]), place))).toBe('a');
  });

  it('reads like the value itself', () => {
    const view = readOnlyView(makeState(), place);
    expect(JSON.stringify(view.list)).toBe('[{"x":1},{"x":2}]');
    expect(Array.isArray(view.list)).toBe(true);
    expect(view.list.map(item => item.x)).toEqual([1, 2]);
    expect(Object.keys(view)).toEqual(Object.keys(makeState()));
    expect({ ...view.deep }).toEqual({ more: { y: 1 } });
    expect(view.map.get('k')?.m).toBe(1);
    expect(view.map).toBeInstanceOf(Map);
    expect([...view.map.keys()]).toEqual(['k']);
    expect([...view.map.values()]).toEqual([{ m: 1 }]);
    expect(new Map(view.map).size).toBe(1);
    expect(view.map.has('k')).toBe(true);
    expect([...view.set.union(new Set([7]))]).toHaveLength(3);
    expect(view.set.has(1)).toBe(true);
    expect([...view.set].every(member => view.set.has(member))).toBe(true);
    expect([...view.set.entries()]).toHaveLength(2);
    expect([...view.set.keys()]).toHaveLength(view.set.size);
    expect(view.at.getTime()).toBe(5);
    expect(view.at).toBeInstanceOf(Date);
    expect(inspect(view.deep)).toBe('{ more: { y: 1 } }');
    expect(inspect(view.map)).toContain("'k' => { m: 1 }");
    expect(view.constructor).toBe(Object);
  });

  it('shows each part as the same object each time', () => {
    const view = readOnlyView(makeState(), place);
    expect(view.deep).toBe(view.deep);
    expect(view.list.indexOf(view.list[1] as { x: number })).toBe(1);
    expect(readOnlyView(view, place)).toBe(view);
    expect(readOnlyView(5, place)).toBe(5);
  });

  it('works on frozen values', () => {
    const frozen = Object.freeze({ a: Object.freeze({ x: 1 }), l: Object.freeze([{ y: 1 }]) });
    const view = readOnlyView(frozen, place);
    expect(view.a.x).toBe(1);
    expect(view.l[0]?.y).toBe(1);
    expect(Object.keys(view)).toEqual(['a', 'l']);
    expect(() => Object.assign(view.a, { x: 2 })).toThrow('STATE_READ_ONLY');
  });

  it('is copied and encoded as what it shows', () => {
    fc.assert(
      fc.property(plainValues, value => {
        const view = readOnlyView(value, place);
        expect(fingerprint(copyValue(view, 'output'))).toBe(fingerprint(value));
        expect(fingerprint(decodeValue(encodeValue(view)))).toBe(fingerprint(value));
        expect(equalValues(view, value)).toBe(true);
      }),
    );
  });
});
