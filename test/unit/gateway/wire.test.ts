/** Every plain value comes back from the wire as it went, and nothing else is taken for one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import { fromWire, type Json, toWire } from '../../../src/gateway/wire.ts';
import { plainValues } from '../../helpers/plain-values.ts';
import { fingerprint } from '../../helpers/same-value.ts';

const tags = ['$date', '$map', '$set', '$object', '$undefined', '$bigint', '$bytes', '$number'];

describe('values on the wire', () => {
  it('come back as they were, through JSON', () => {
    fc.assert(
      fc.property(plainValues, value => {
        expect(fingerprint(throughJson(value))).toBe(fingerprint(withoutAbsent(value)));
      }),
    );
  });

  it('come back as they were when they look like a tag', () => {
    const lookAlikes = fc.dictionary(fc.constantFrom(...tags, 'a'), plainValues, { maxKeys: 2 });
    fc.assert(
      fc.property(fc.oneof(lookAlikes, fc.array(lookAlikes)), value => {
        expect(fingerprint(throughJson(value))).toBe(fingerprint(withoutAbsent(value)));
      }),
    );
  });

  it('are plain JSON where JSON can say them', () => {
    const value = { name: 'Ada', list: [1, null, 'x'], nested: { yes: true } };
    expect(toWire(value)).toEqual(value);
  });

  it('are tagged where it cannot', () => {
    expect(toWire({ at: new Date(0), big: 1n, bytes: new Uint8Array([1, 2]) })).toEqual({
      at: { $date: '1970-01-01T00:00:00.000Z' },
      big: { $bigint: '1' },
      bytes: { $bytes: 'AQI=' },
    });
  });

  it.each([
    { $date: 'yesterday' },
    { $date: 7 },
    { $map: [['key']] },
    { $map: 'none' },
    { $set: {} },
    { $bigint: '1.5' },
    { $bytes: 'not base 64!' },
    { $number: 'one' },
    { $object: [1] },
  ])('refuse the tag %j', json => {
    expect(refusalOf(json)).toMatch(/cannot hold/);
  });

  it('refuse what is nested too deeply, instead of running out of stack', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(refusalOf(JSON.parse(deep) as Json)).toMatch(/nested too deeply/);
  });

  it('never reach a prototype', () => {
    const value = fromWire(JSON.parse('{"__proto__":{"isAdmin":true},"a":1}') as Json) as object;
    expect('isAdmin' in value).toBe(false);
    expect(Object.keys(value)).toEqual(['__proto__', 'a']);
  });
});

function refusalOf(json: Json): string {
  try {
    fromWire(json);
  } catch (error) {
    if (TroupeError.is(error) && error.code === 'INVALID_INPUT') return error.detail;
  }
  return 'it was accepted';
}

function throughJson(value: unknown): unknown {
  return fromWire(JSON.parse(JSON.stringify(toWire(value))) as Json);
}

/** What is `undefined` in an object is not there, as in JSON; objects become ordinary ones. */
function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent);
  if (value instanceof Set) return new Set([...value].map(withoutAbsent));
  if (value instanceof Map) {
    return new Map([...value].map(([name, item]) => [withoutAbsent(name), withoutAbsent(item)]));
  }
  const isLeaf = typeof value !== 'object' || value === null;
  if (isLeaf || value instanceof Date || value instanceof Uint8Array) return value;
  const present = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(present.map(([name, item]) => [name, withoutAbsent(item)]));
}
