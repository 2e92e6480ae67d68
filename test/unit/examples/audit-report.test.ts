/** Findings add up in any order, and equal reports have equal texts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addTallies,
  canonicalJson,
  combine,
  comparable,
  countSteps,
  emptyTally,
  type PackageResult,
  tallyOf,
} from '../../../examples/audit/report.ts';
import { reportTable } from '../../../examples/audit/table.ts';

const result = (name: string, version: string, rest: Partial<PackageResult['manifest']> = {}) => ({
  manifest: { name, version, licence: 'MIT', hasInstallScript: false, ...rest },
  measure: { files: 2, bytes: 1_000 },
  recognised: ['MIT'],
});

const results: PackageResult[] = [
  result('b', '1.0.0'),
  result('a', '2.0.0', { licence: null, hasInstallScript: true }),
  result('b', '1.0.0', { licence: 'ISC' }),
  result('b', '0.9.0', { licence: null }),
  result('constructor', '1.0.0', { licence: 'toString' }),
];

const anyResult: fc.Arbitrary<PackageResult> = fc.record({
  manifest: fc.record({
    name: fc.constantFrom('a', 'b', '__proto__', 'constructor'),
    version: fc.constantFrom('1.0.0', '2.0.0', '10.0.0'),
    licence: fc.constantFrom('MIT', 'ISC', '__proto__', null),
    hasInstallScript: fc.boolean(),
  }),
  measure: fc.record({ files: fc.nat(9), bytes: fc.nat(99) }),
  recognised: fc.subarray(['MIT', 'ISC']),
});
const anyTally = fc
  .array(anyResult, { maxLength: 5 })
  .map(found => found.map(tallyOf).reduce(addTallies, emptyTally));

describe('combine', () => {
  it('finds what is to be found', () => {
    expect(combine(results)).toEqual({
      packages: 5,
      files: 10,
      bytes: 5_000,
      byLicence: new Map([
        ['MIT', 1],
        ['ISC', 1],
        ['toString', 1],
      ]),
      undeclared: ['a@2.0.0', 'b@0.9.0'],
      mismatched: ['b@1.0.0', 'constructor@1.0.0'],
      installScripts: ['a@2.0.0'],
      duplicates: new Map([['b', ['0.9.0', '1.0.0']]]),
    });
  });

  it('finds nothing in nothing', () => {
    expect(combine([])).toEqual(comparable(combine([])));
    expect(combine([]).packages).toBe(0);
  });

  it('counts each package under its licence or among the undeclared', () => {
    fc.assert(
      fc.property(fc.array(anyResult), found => {
        const { packages, byLicence, undeclared } = combine(found);
        const declared = [...byLicence.values()].reduce((sum, count) => sum + count, 0);
        expect(declared + undeclared.length).toBe(packages);
      }),
    );
  });

  it('does not depend on the order', () => {
    fc.assert(
      fc.property(fc.array(anyResult), fc.infiniteStream(fc.nat()), (found, chance) => {
        const shuffled = found
          .map(one => ({ one, rank: chance.next().value }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ one }) => one);
        expect(canonicalJson(combine(shuffled))).toBe(canonicalJson(combine(found)));
      }),
    );
  });
});

describe('addTallies', () => {
  const text = (tally: unknown) => canonicalJson(tally);

  it('is associative and commutative, with an empty element', () => {
    fc.assert(
      fc.property(anyTally, anyTally, anyTally, (a, b, c) => {
        expect(text(addTallies(addTallies(a, b), c))).toBe(text(addTallies(a, addTallies(b, c))));
        expect(text(addTallies(a, b))).toBe(text(addTallies(b, a)));
        expect(text(addTallies(a, emptyTally))).toBe(text(a));
      }),
    );
  });

  it('keeps names that every object has', () => {
    const twice = [result('__proto__', '1.0.0'), result('__proto__', '2.0.0')];
    expect([...combine(twice).duplicates]).toEqual([['__proto__', ['1.0.0', '2.0.0']]]);
    expect(canonicalJson(combine(twice))).toContain('"__proto__": [');
  });
});

describe('countSteps', () => {
  it('counts the steps of each name, and what was begun more than once', () => {
    expect(countSteps([{ list: 2 }, { read: 1, measure: 3 }, { read: 1 }, {}])).toEqual({
      steps: { list: 1, read: 2, measure: 1 },
      repeated: 3,
    });
  });
});

describe('canonicalJson', () => {
  it('writes maps as objects', () => {
    expect(
      canonicalJson({
        a: new Map([
          ['c', 1],
          ['b', 2],
        ]),
      }),
    ).toBe(canonicalJson({ a: { b: 2, c: 1 } }));
  });

  it('sorts keys on every level and leaves lists alone', () => {
    expect(canonicalJson({ b: [2, 1], a: { d: 1, c: null } })).toBe(
      '{\n  "a": {\n    "c": null,\n    "d": 1\n  },\n  "b": [\n    2,\n    1\n  ]\n}\n',
    );
  });
});

describe('comparable', () => {
  it('leaves out how the work went', () => {
    const work = { turns: 5, steps: { measure: 5 }, resumed: 1, repeated: 0 };
    expect(comparable({ ...combine(results), ...work })).toEqual(combine(results));
  });
});

describe('reportTable', () => {
  it('shows all of it', () => {
    const work = { turns: 1_234, steps: { measure: 5, read: 6 }, resumed: 1, repeated: 0 };
    expect(reportTable({ ...combine(results), ...work })).toBe(`packages            5
files              10
bytes           5,000
turns           1,234
steps              11
steps resumed       1
steps repeated      0

licence
  ISC       1
  MIT       1
  toString  1

no licence declared
  a@2.0.0
  b@0.9.0

licence text of another licence
  b@1.0.0
  constructor@1.0.0

runs a script when installed
  a@2.0.0

in several versions
  b  0.9.0, 1.0.0
`);
  });

  it('leaves out what is empty', () => {
    expect(reportTable(combine([]))).toBe('packages  0\nfiles     0\nbytes     0\n');
  });
});
