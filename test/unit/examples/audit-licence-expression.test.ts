/** A text mismatches only when it is surely another licence than any that is declared. */
import { describe, expect, it } from 'vitest';
import { identifiersIn, isMismatch } from '../../../examples/audit/licence-expression.ts';

describe('isMismatch', () => {
  it.each([
    ['MIT', ['ISC']],
    ['ISC', ['MIT']],
    ['Apache-2.0', ['MIT', 'BSD-3-Clause']],
    ['BSD-2-Clause', ['BSD-3-Clause']],
    ['(MIT OR Apache-2.0)', ['ISC']],
    ['MIT AND ISC', ['Apache-2.0']],
    ['UNLICENSED', ['MIT']],
    ['GPL-2.0-only', ['GPL-3.0']],
    ['MIT-0', ['MIT']],
    ['something of our own', ['MIT']],
    ['BSD', ['MIT']],
  ])('sees that %s is not %j', (declared, recognised) => {
    expect(isMismatch(declared, recognised)).toBe(true);
  });

  it.each([
    ['MIT', ['MIT']],
    ['mit', ['MIT']],
    ['MIT', ['MIT', 'BSD-3-Clause', 'ISC']],
    ['(MIT OR Apache-2.0)', ['Apache-2.0']],
    ['MIT OR (ISC AND Apache-2.0)', ['ISC']],
    ['MIT AND ISC', ['MIT']],
    ['MIT, ISC', ['ISC']],
    ['MIT/Apache-2.0', ['Apache-2.0']],
    ['Apache-2.0 WITH LLVM-exception', ['Apache-2.0']],
    ['Apache 2.0', ['Apache-2.0']],
    ['Apache License, Version 2.0', ['Apache-2.0']],
    ['The MIT License', ['MIT']],
    ['MIT/X11', ['MIT']],
    ['BSD', ['BSD-2-Clause']],
    ['BSD', ['BSD-3-Clause']],
    ['New BSD', ['BSD-3-Clause']],
    ['Simplified BSD License', ['BSD-2-Clause']],
    ['BSD 3-Clause', ['BSD-3-Clause']],
    ['GPL-2.0-or-later', ['GPL-2.0']],
    ['GPL-3.0+', ['GPL-3.0']],
    ['GPLv3', ['GPL-3.0']],
    ['LGPL-2.1-only', ['LGPL-2.1']],
    ['AGPL-3.0-only', ['AGPL-3.0']],
    ['CC-BY-4.0', ['CC-BY-4.0']],
    ['CC0', ['CC0-1.0']],
    ['PSF-2.0', ['Python-2.0']],
    ['Unlicense', ['Unlicense']],
    ['Public Domain', ['Unlicense']],
    ['MPL 2.0', ['MPL-2.0']],
    ['BlueOak-1.0.0', ['BlueOak-1.0.0']],
    ['0BSD', ['0BSD']],
    ['WTFPL', ['WTFPL']],
    ['Artistic-2.0', ['Artistic-2.0']],
    ['Zlib', ['Zlib']],
  ])('sees that %s may be %j', (declared, recognised) => {
    expect(isMismatch(declared, recognised)).toBe(false);
  });

  it('says nothing where nothing is declared, recognised, or said', () => {
    expect(isMismatch(null, ['MIT'])).toBe(false);
    expect(isMismatch('MIT', [])).toBe(false);
    expect(isMismatch('SEE LICENSE IN LICENSE.txt', ['MIT'])).toBe(false);
  });
});

describe('identifiersIn', () => {
  it('takes an expression apart', () => {
    expect(identifiersIn('(MIT OR (Apache-2.0 WITH LLVM-exception AND BSD-3-Clause))')).toEqual([
      'mit',
      'apache-2.0',
      'bsd-3-clause',
    ]);
  });
});
