/** The law of patches, their shape, and what does not fit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyValue, equalValues } from '../../../src/core/values.ts';
import { decodeValue, encodeValue } from '../../../src/state/codec.ts';
import { openDraft } from '../../../src/state/draft.ts';
import { applyPatch, diff, type Patch } from '../../../src/state/patch.ts';
import { plainRecords, plainValues } from '../../helpers/plain-values.ts';
import { fingerprint } from '../../helpers/same-value.ts';

/** Finds the change, sends it through the codec, and repeats it on a base that was stored. */
function repeat(base: unknown, next: unknown): unknown {
  const patch = diff(base, next);
  if (patch === undefined) return base;
  const storedBase = decodeValue(encodeValue(base));
  return applyPatch(storedBase, decodeValue(encodeValue(patch)) as Patch);
}

function checkLaw(base: unknown, next: unknown): void {
  const before = fingerprint(base);
  expect(fingerprint(repeat(base, next))).toBe(fingerprint(next));
  const patch = diff(base, next);
  if (patch !== undefined) expect(fingerprint(applyPatch(base, patch))).toBe(fingerprint(next));
  expect(fingerprint(base)).toBe(before);
}

type Pick = (min: number, max: number) => number;

/** A value made of another by random changes, so that the two have much in common. */
function changed(value: unknown, pick: Pick): unknown {
  const draft = openDraft({ value: copyValue(value, 'value') });
  for (let round = pick(1, 4); round > 0; round--) changePart(draft.state, pick);
  return draft.close().value;
}

function changePart(parent: object, pick: Pick): void {
  const part = pickPart(parent, pick);
  if (part !== undefined && pick(0, 2) > 0) changePart(part, pick);
  else if (Array.isArray(parent)) changeArray(parent, pick);
  else if (parent instanceof Map) changeMap(parent, pick);
  else if (parent instanceof Set) changeSet(parent, pick);
  else if (parent instanceof Uint8Array) parent[0] = pick(0, 255);
  else if (!(parent instanceof Date)) changeRecord(parent as Record<string, unknown>, pick);
}

function pickPart(parent: object, pick: Pick): object | undefined {
  const parts = parent instanceof Map ? [...parent.values()] : Object.values(parent);
  const objects = parts.filter(part => typeof part === 'object' && part !== null);
  return objects[pick(0, Math.max(objects.length - 1, 0))];
}

function changeArray(items: unknown[], pick: Pick): void {
  const at = pick(0, items.length);
  const acts = [
    () => items.push(pick(0, 9)),
    () => items.shift(),
    () => items.splice(at, 2, 'spliced', { at }),
    () => items.reverse(),
    () => items.splice(at),
    () => {
      items.shift();
      items.push({ last: at });
    },
    () => items.splice(Math.min(at, Math.max(items.length - 1, 0)), 1, 'set'),
  ];
  acts[pick(0, acts.length - 1)]?.();
}

function changeMap(map: Map<unknown, unknown>, pick: Pick): void {
  const key = [...map.keys()][pick(0, map.size)];
  if (pick(0, 1) === 0) map.delete(key);
  map.set(pick(0, 1) === 0 ? key : { key: map.size }, pick(0, 9));
}

function changeSet(set: Set<unknown>, pick: Pick): void {
  set.delete([...set][pick(0, set.size)]);
  set.add(pick(0, 99));
}

function changeRecord(record: Record<string, unknown>, pick: Pick): void {
  const keys = [...Object.keys(record), 'new', '7', 'zz'];
  const key = keys[pick(0, keys.length - 1)] as string;
  if (key !== 'value' && pick(0, 2) === 0) delete record[key];
  else record[key] = [undefined, pick(0, 99), { changed: true }][pick(0, 2)];
}

function bytesOf(value: unknown): number {
  return encodeValue(value).length;
}

describe('diff and applyPatch', () => {
  it('yield the next value, for any two values', () => {
    fc.assert(fc.property(plainValues, plainValues, checkLaw), { numRuns: 1_000 });
  });

  it('yield the next value, for any two objects', () => {
    fc.assert(fc.property(plainRecords, plainRecords, checkLaw), { numRuns: 1_000 });
  });

  it('yield the next value, for values that share most of what they hold', () => {
    fc.assert(
      fc.property(plainValues, fc.infiniteStream(fc.nat(1_000_000)), (base, numbers) => {
        const pick: Pick = (min, max) => min + ((numbers.next().value ?? 0) % (max - min + 1));
        checkLaw(base, changed(base, pick));
      }),
      { numRuns: 2_000 },
    );
  });

  it('find nothing between a value and itself or its copy', () => {
    fc.assert(
      fc.property(plainValues, value => {
        expect(diff(value, value)).toBeUndefined();
        expect(diff(value, copyValue(value, 'value'))).toBeUndefined();
      }),
    );
  });

  it('find something exactly when the values differ', () => {
    fc.assert(
      fc.property(plainValues, plainValues, (a, b) => {
        expect(diff(a, b) === undefined).toBe(fingerprint(a) === fingerprint(b));
        if (diff(a, b) === undefined) expect(equalValues(a, b)).toBe(true);
      }),
    );
  });

  it('are never much larger than the value', () => {
    fc.assert(
      fc.property(plainValues, plainValues, (base, next) => {
        const patch = diff(base, next);
        // What text beyond ASCII takes is guessed, so that a patch may lose by little.
        if (patch !== undefined) expect(bytesOf(patch)).toBeLessThan(bytesOf(next) * 1.7 + 12);
      }),
    );
  });

  it('keep unchanged parts identical', () => {
    const base = { a: { x: 1 }, b: { long: 'x'.repeat(100), y: 1 }, list: [{ z: 1 }, { z: 2 }] };
    const draft = openDraft(base);
    draft.state.b.y = 2;
    (draft.state.list[1] as { z: number }).z = 3;
    const patch = diff(base, draft.close()) as Patch;
    const next = applyPatch(base, patch) as typeof base;
    expect(next.a).toBe(base.a);
    expect(next.list[0]).toBe(base.list[0]);
  });
});

describe('a patch', () => {
  const filler = 'x'.repeat(200);

  it.each([
    ['a number', { filler, n: 1 }, { filler, n: 2 }, [1, ['n', 2]]],
    ['undefined', { filler, n: 1 }, { filler, n: undefined }, [1, ['n', undefined]]],
    ['a deletion', { filler, n: 1 }, { filler }, [1, [], [], ['n']]],
    ['a new key', { filler }, { filler, n: undefined }, [1, ['n', undefined]]],
    [
      'a nested key',
      { a: { filler, n: 1 } },
      { a: { filler, n: 2 } },
      [1, [], ['a', [1, ['n', 2]]]],
    ],
    ['an append', [filler, 1], [filler, 1, 2, 3], [2, [2, 0, [2, 3]]]],
    ['a truncation', [filler, 1, 2, 3], [filler, 1], [2, [2, 2, []]]],
    ['an insertion', [filler, 1, 3], [filler, 1, 2, 3], [2, [2, 0, [2]]]],
    ['an index', [filler, 1, 3], [filler, 2, 3], [2, [], [1, [0, 2]]]],
    [
      'a change and an append',
      [filler, { filler, n: 1 }, filler],
      [filler, { filler, n: 2 }, filler, 5],
      [2, [3, 0, [5]], [1, [1, ['n', 2]]]],
    ],
    [
      'a window that slides',
      [filler, `${filler}1`, `${filler}2`],
      [`${filler}1`, `${filler}2`, 3],
      [2, [0, 1, [], 2, 0, [3]]],
    ],
    [
      'a map',
      new Map([
        ['a', filler],
        ['b', 'c'],
      ]),
      new Map([
        ['a', filler],
        ['b', 'd'],
        ['e', 'f'],
      ]),
      [3, [1, 'd'], [], [], ['e', 'f']],
    ],
    [
      'a map that loses',
      new Map([
        ['a', filler],
        ['b', 'c'],
      ]),
      new Map([['a', filler]]),
      [3, [], [], [1]],
    ],
    ['a set', new Set([filler, 'a']), new Set([filler, 'b']), [4, [1], ['b']]],
    [
      'bytes',
      new Uint8Array(300),
      new Uint8Array(300).fill(1, 5, 7),
      [5, 5, 2, new Uint8Array([1, 1])],
    ],
    ['another kind', [filler], { filler }, [0, { filler }]],
    ['a date', new Date(1), new Date(2), [0, new Date(2)]],
    ['minus zero', 0, -0, [0, -0]],
    ['all of it', { a: 1 }, { b: 2 }, [0, { b: 2 }]],
    ['another order', { filler, a: 1, b: 2 }, { filler, b: 2, a: 1 }, [0, { filler, b: 2, a: 1 }]],
  ])('says compactly: %s', (_name, base, next, patch) => {
    expect(diff(base, next)).toStrictEqual(patch);
    checkLaw(base, next);
  });

  it('is small for a small change of a large state', () => {
    const base = {
      id: 'x',
      items: Array.from({ length: 40 }, (_, id) => ({ id, name: `some name ${id}`, price: 1.5 })),
    };
    const draft = openDraft(base);
    (draft.state.items[20] as { price: number }).price = 9.25;
    const patch = diff(base, draft.close());
    expect(bytesOf(patch)).toBeLessThan(40);
  });

  it('looks only at what is not shared', () => {
    let reads = 0;
    const watched = new Proxy([1, 2, 3], {
      get(target, key) {
        reads++;
        return Reflect.get(target, key);
      },
    });
    diff({ filler, a: watched, b: 1 }, { filler, a: watched, b: 2 });
    expect(reads).toBe(0);
  });

  it('takes long lists', () => {
    const base = [0];
    const next = Array.from({ length: 300_000 }, (_, index) => index);
    checkLaw(base, next);
    checkLaw(next, next.slice(0, 200_000));
  });

  it('is refused when it does not fit, and changes nothing', () => {
    const record = { a: { b: 1 } };
    const list = [1, 2, 3];
    const map = new Map([['a', 1]]);
    const cases: [unknown, unknown][] = [
      [record, 'text'],
      [record, [0]],
      [record, [9, []]],
      [record, [2, []]],
      [list, [1, []]],
      [record, [1, ['a']]],
      [record, [1, ['__proto__', { polluted: 1 }]]],
      [record, [1, [], [], ['__proto__']]],
      [record, [1, [1, 1]]],
      [record, [1, [], ['zz', [0, 1]]]],
      [record, [1, [], ['a', 5]]],
      [record, [1, [], ['a', [1, [], ['b', [1, ['x', 1]]]]]]],
      [record, [1, {}]],
      [list, [2, [4, 0, [1]]]],
      [list, [2, [0, 4, [1]]]],
      [list, [2, [0, 1, 5]]],
      [list, [2, [-1, 0, []]]],
      [list, [2, [0.5, 0, []]]],
      [list, [2, [], [3, [0, 1]]]],
      [map, [3, [1, 5]]],
      [map, [3, ['a', 5]]],
      [map, [3, [0, 5], [], [0]]],
      [map, [3, [], [0, [0, 1]], [0]]],
      [new Set([1]), [4, [1]]],
      [new Uint8Array(2), [5, 0, 3, new Uint8Array(0)]],
      [new Uint8Array(2), [5, 0, 1, 'x']],
      [1, [1, ['a', 1]]],
    ];
    for (const [base, patch] of cases) {
      const before = fingerprint(base);
      expect(() => applyPatch(base, patch as Patch)).toThrow('LOG_CORRUPT');
      expect(fingerprint(base)).toBe(before);
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
