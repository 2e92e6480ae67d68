/** Copying, comparing and showing plain data, and refusing the rest with its place. */
import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import {
  copyValue,
  equalValues,
  previewOf,
  valueDepthMax,
  valueItemsMax,
} from '../../../src/core/values.ts';
import { plainValues } from '../../helpers/plain-values.ts';
import { fingerprint } from '../../helpers/same-value.ts';

const place = 'account/alice.move: input';

function refusal(value: unknown): string {
  try {
    copyValue(value, place);
  } catch (error) {
    expect(TroupeError.is(error)).toBe(true);
    expect((error as TroupeError).code).toBe('NOT_SERIALIZABLE');
    expect((error as TroupeError).outcome).toBe('not-executed');
    return (error as TroupeError).detail;
  }
  return 'nothing was thrown';
}

function nested(depth: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

/** All objects within a value. */
function objectsIn(value: unknown, found: Set<unknown> = new Set()): Set<unknown> {
  if (typeof value !== 'object' || value === null) return found;
  found.add(value);
  const parts = value instanceof Map ? [...value].flat() : [...Object.values(value)];
  if (value instanceof Set) parts.push(...value);
  for (const part of parts) objectsIn(part, found);
  return found;
}

describe('copyValue', () => {
  it('copies any plain data, and shares nothing with it', () => {
    fc.assert(
      fc.property(plainValues, value => {
        const before = fingerprint(value);
        const copy = copyValue(value, place);
        expect(fingerprint(copy)).toBe(before);
        expect(fingerprint(value)).toBe(before);
        const originals = objectsIn(value);
        for (const part of objectsIn(copy)) expect(originals.has(part)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('copies an object twice that stands in two places', () => {
    const shared = { x: 1 };
    const copy = copyValue({ a: shared, b: shared, list: [shared, shared] }, place);
    expect(copy.a).not.toBe(copy.b);
    expect(copy.list[0]).not.toBe(copy.list[1]);
  });

  it('makes a Uint8Array of a Buffer, with memory of its own', () => {
    const buffer = Buffer.from('abc');
    const copy: Uint8Array = copyValue<Uint8Array>(buffer, place);
    expect(Object.getPrototypeOf(copy)).toBe(Uint8Array.prototype);
    buffer[0] = 0;
    expect([...copy]).toEqual([97, 98, 99]);
  });

  it('makes ordinary objects of objects without a prototype', () => {
    const copy = copyValue(Object.assign(Object.create(null), { x: 1 }), place);
    expect(copy).toStrictEqual({ x: 1 });
  });

  it('thaws what is frozen', () => {
    const copy = copyValue(Object.freeze({ list: Object.freeze([1]) as number[] }), place);
    copy.list.push(2);
    expect(copy).toEqual({ list: [1, 2] });
  });

  it('reads a getter once, and leaves out what is no data', () => {
    let reads = 0;
    const value = {
      get x() {
        return ++reads;
      },
      [Symbol('s')]: 1,
    };
    Object.defineProperty(value, 'hidden', { value: 1 });
    expect(Reflect.ownKeys(copyValue(value, place))).toEqual(['x']);
    expect(reads).toBe(1);
  });

  it('takes any primitive at the top', () => {
    for (const value of [null, undefined, true, 0, Number.NaN, 'x', 1n]) {
      expect(copyValue(value, place)).toBe(value);
    }
    expect(refusal(() => 1)).toBe(`${place} is a function; send plain data instead`);
    expect(refusal(Symbol('s'))).toBe(`${place} is a symbol; send plain data instead`);
  });

  class Account {
    readonly balance = 1;
  }
  class Ledger extends Map {}

  it.each<[string, unknown]>([
    ['.items[3].callback is a function', { items: [1, 2, 3, { callback() {} }] }],
    ['.a.b is a symbol', { a: { b: Symbol('s') } }],
    ['.socket is an instance of EventEmitter', { socket: new EventEmitter() }],
    [' is an instance of Account', new Account()],
    [' is an instance of Ledger', new Ledger()],
    ['.at is an instance of RegExp', { at: /x/ }],
    ['[0] is an instance of Promise', [Promise.resolve()]],
    ['.w is an instance of WeakMap', { w: new WeakMap() }],
    ['.e is an instance of TypeError', { e: new TypeError('x') }],
    ['.f is an instance of Float64Array', { f: new Float64Array(1) }],
    ['.b is an instance of ArrayBuffer', { b: new ArrayBuffer(1) }],
    ['.n is an instance of Number', { n: Object(1) }],
    ['[1] is a hole in the array', new Array(2).fill(0, 0, 1)],
    ['.get("k").x is a function', new Map([['k', { x: () => 1 }]])],
    ['.keys()[0].f is a function', new Map([[{ f: () => 1 }, 1]])],
    ['.get(an object) is a symbol', new Map([[{}, Symbol('s')]])],
    ['.values()[1] is a function', new Set([1, () => 1])],
    ['["odd key"]["1"] is a function', { 'odd key': { 1: () => 1 } }],
    ['.__proto__ has a name that could change a prototype', JSON.parse('{"__proto__": 1}')],
    ['.a.constructor has a name', { a: { constructor: 1 } }],
    ['.prototype has a name', { prototype: {} }],
    [' cannot be read (this is not a Date object.)', Object.create(Date.prototype)],
    [' is a class instance', Object.create(Object.create(null))],
  ])('names the place: %s', (text, value) => {
    expect(refusal(value)).toContain(`${place}${text}`);
    expect(refusal(value)).toMatch(/; send plain data instead$/);
  });

  it('names the first of several faults, in the order of the value', () => {
    expect(refusal({ a: [1, () => 1], b: Symbol('s') })).toContain('input.a[1] is a function');
  });

  it('names a cycle with both its ends', () => {
    const value: Record<string, unknown> = { a: [{}] };
    (value.a as Record<string, unknown>[])[0] = { back: value };
    expect(refusal(value)).toContain(
      `${place}.a[0].back refers back to ${place}, which makes a cycle`,
    );
    const map = new Map<string, unknown>();
    map.set('self', map);
    expect(refusal(map)).toContain('.get("self") refers back to');
  });

  it('ends at once for a cycle that branches', () => {
    const value: Record<string, unknown> = {};
    for (const key of 'abcdefghij') value[key] = value;
    expect(refusal(value)).toContain('makes a cycle');
  });

  it('carries what a getter or a proxy threw', () => {
    const throwing = {
      get x(): number {
        throw new Error('no access');
      },
    };
    expect(refusal({ a: throwing })).toContain('.a.x cannot be read (no access)');
    const proxy = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('trapped');
        },
      },
    );
    expect(refusal(proxy)).toContain('cannot be read (trapped)');
  });

  it('keeps to the limits, and reaches them', () => {
    expect(copyValue(nested(valueDepthMax), place)).toEqual(nested(valueDepthMax));
    expect(refusal(nested(valueDepthMax + 1))).toContain(`deeper than ${valueDepthMax} levels`);
    expect(copyValue(new Array(valueItemsMax - 1).fill(0), place)).toHaveLength(valueItemsMax - 1);
    const many = { list: new Array(valueItemsMax + 1).fill(0) };
    expect(refusal(many)).toContain(`is the item after the first ${valueItemsMax}`);
    expect(refusal(new Set(new Array(valueItemsMax + 1).keys()))).toContain('item after the first');
    const entries = [...new Array(valueItemsMax + 1).keys()].map(key => [key, key] as const);
    expect(refusal(new Map(entries))).toContain('item after the first');
    expect(refusal(Object.fromEntries(entries))).toContain('item after the first');
    // One copy leaves nothing behind that the next would have to pay.
    expect(copyValue({ x: 1 }, place)).toEqual({ x: 1 });
  });

  it('shortens long keys in the message', () => {
    expect(refusal({ ['k'.repeat(1_000)]: () => 1 }).length).toBeLessThan(150);
  });
});

describe('equalValues', () => {
  it('finds a value equal to its copy, and to one with other keys first', () => {
    fc.assert(
      fc.property(plainValues, value => {
        expect(equalValues(value, copyValue(value, place))).toBe(true);
      }),
    );
    expect(equalValues({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
    expect(equalValues(Object.assign(Object.create(null), { a: 1 }), { a: 1 })).toBe(true);
    expect(equalValues(Buffer.from('a'), new Uint8Array([97]))).toBe(true);
  });

  it('is symmetric, and never confuses what differs in content', () => {
    fc.assert(
      fc.property(plainValues, plainValues, (a, b) => {
        expect(equalValues(a, b)).toBe(equalValues(b, a));
        if (fingerprint(a) === fingerprint(b)) expect(equalValues(a, b)).toBe(true);
      }),
    );
  });

  it.each<[unknown, unknown]>([
    [0, -0],
    [1, 1n],
    [1, '1'],
    [null, undefined],
    [{}, { a: undefined }],
    [{ a: undefined }, { b: undefined }],
    [
      { a: 1, b: undefined },
      { a: 1, c: undefined },
    ],
    [[], {}],
    [{}, []],
    [{}, null],
    [[1], [1, 2]],
    [
      [1, 2],
      [1, 3],
    ],
    [new Date(1), new Date(2)],
    [new Date(1), {}],
    [{}, new Date(1)],
    [new Map([[1, 2]]), new Map([[1, 3]])],
    [new Map([[1, 2]]), new Map([[2, 2]])],
    [new Map([[1, 2]]), new Map()],
    [
      new Map([
        [1, 1],
        [2, 2],
      ]),
      new Map([
        [2, 2],
        [1, 1],
      ]),
    ],
    [new Map(), new Set()],
    [new Set([1]), new Set([2])],
    [new Set([1, 2]), new Set([2, 1])],
    [new Set([1]), new Set()],
    [new Uint8Array([1]), new Uint8Array([2])],
    [new Uint8Array([1]), [1]],
    [new Uint8Array([1]), new Uint8Array([1, 2])],
  ])('tells apart %o and %o', (a, b) => {
    expect(equalValues(a, b)).toBe(false);
    expect(equalValues(b, a)).toBe(false);
  });
});

describe('previewOf', () => {
  it.each<[unknown, string]>([
    ['text', '"text"'],
    [12n, '12n'],
    [-0, '-0'],
    [undefined, 'undefined'],
    [() => 1, 'a function'],
    [Symbol('s'), 'Symbol(s)'],
    [{}, '{}'],
    [[], '[]'],
    [{ a: 1, b: [1, 2], c: { d: { e: { f: 1 } } } }, '{ a: 1, b: [1, 2], c: { d: {…} } }'],
    [[1, 2, 3, 4, 5], '[1, 2, 3, 4, …]'],
    [[[[1]]], '[[[…]]]'],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5 }, '{ a: 1, b: 2, c: 3, d: 4, … }'],
    [new Map([['k', 1]]), 'Map {"k"}'],
    [new Set([1]), 'Set {1}'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(Number.NaN), 'an invalid date'],
    [new Uint8Array(3), '3 bytes'],
    [new EventEmitter(), 'an instance of EventEmitter'],
    [Object.create(Object.create(null)), 'an instance of a class'],
  ])('shows %o', (value, text) => {
    expect(previewOf(value)).toBe(text);
  });

  it('is short, on one line, and never throws', () => {
    const throwing = {
      get x(): number {
        throw new Error('no');
      },
    };
    expect(previewOf(throwing)).toBe('an unreadable object');
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(previewOf(cycle)).toBe('[[[…]]]');
    fc.assert(
      fc.property(plainValues, value => {
        const text = previewOf(value);
        expect(text.length).toBeLessThanOrEqual(60);
        expect(text).not.toContain('\n');
      }),
    );
  });
});
