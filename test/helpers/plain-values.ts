/** Arbitrary plain data: every kind of value that may be stored, nested. */
import fc from 'fast-check';

const keys = fc
  .oneof(
    fc.constantFrom('', 'a', 'b', 'c', '1', '2', '10', 'length', 'toString', 'hasOwnProperty'),
    fc.string({ maxLength: 40 }),
  )
  .filter(key => !['__proto__', 'constructor', 'prototype'].includes(key));

const loneSurrogates = fc.constantFrom('\ud800', 'x\udc00y', '\udbff\ud800', '\ufeff', '\ufffd');

const leaves = fc.oneof(
  { weight: 4, arbitrary: fc.integer() },
  { weight: 2, arbitrary: fc.integer({ min: -40, max: 300 }) },
  { weight: 2, arbitrary: fc.double() },
  { weight: 4, arbitrary: fc.string({ maxLength: 80 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 1, arbitrary: loneSurrogates },
  { weight: 1, arbitrary: fc.constantFrom(-0, 0, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 31)) },
  { weight: 1, arbitrary: fc.bigInt() },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0n, -1n, 127n, 128n, -128n, -129n, 2n ** 64n, -(2n ** 70n)),
  },
  { weight: 2, arbitrary: fc.constantFrom(null, undefined, true, false) },
  { weight: 1, arbitrary: fc.date({ noInvalidDate: false }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map(bytes => new Uint8Array(bytes)) },
);

const { value } = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaves,
    fc.array(tie('value'), { maxLength: 8 }),
    fc.array(leaves, { maxLength: 24 }),
    records(tie('value')),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 5 }).map(list => new Map(list)),
    fc.array(tie('value'), { maxLength: 5 }).map(list => new Set(list)),
  ),
}));

function records(values: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  return fc.array(fc.tuple(keys, values), { maxLength: 8 }).map(list => Object.fromEntries(list));
}

/** Any plain data. */
export const plainValues: fc.Arbitrary<unknown> = value;

/** Any object of plain data. */
export const plainRecords: fc.Arbitrary<Record<string, unknown>> = records(value);
