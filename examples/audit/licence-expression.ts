/**
 * Whether a recognised licence text is another one than a package declares. Declarations are SPDX
 * expressions, or what people wrote before there were any; a text cannot tell "only" from "or
 * later".
 */

/**
 * Whether texts were recognised, and none of them belongs to a licence that is declared.
 *
 * @remarks For `MIT OR Apache-2.0` as for `MIT AND Apache-2.0` the text of either one is no other:
 * a package often brings only one of them. A declaration that only points to a file says nothing
 * that the text could contradict.
 */
export function isMismatch(declared: string | null, recognised: readonly string[]): boolean {
  if (declared === null || recognised.length === 0 || pointsToFile.test(declared)) return false;
  const identifiers = identifiersIn(declared);
  return !recognised.some(licence => identifiers.some(one => isSame(one, licence)));
}

/** The licences that an expression names, in one spelling. */
export function identifiersIn(expression: string): string[] {
  const alternatives = expression.split(/\s+(?:or|and)\s+|[(),]|\s*\/\s*|\s+with\s+\S+/i);
  return alternatives.flatMap(part => {
    const text = part.trim();
    return text === '' ? [] : [oneSpelling(text)];
  });
}

const pointsToFile = /^see licen[sc]e\b/i;

/** Spellings in use, matched against the text in lower case without "the", "license" and signs. */
const spellings: readonly (readonly [RegExp, string])[] = [
  [/^apache( software)?( v?2(\.0)?)?$/, 'apache-2.0'],
  [/^(mit|expat)( x11)?$/, 'mit'],
  [/^bsd$/, 'bsd'],
  [/^(new|modified|revised|3 clause) bsd$|^bsd 3( clause)?$/, 'bsd-3-clause'],
  [/^(simplified|freebsd|2 clause) bsd$|^bsd 2( clause)?$/, 'bsd-2-clause'],
  [/^mpl v?2(\.0)?$|^mozilla public v?2(\.0)?$/, 'mpl-2.0'],
  [/^cc0$|^cc0 1\.0( universal)?$/, 'cc0-1.0'],
  [/^cc by (3|4)\.0$/, 'cc-by-$1.0'],
  [/^(a|l|)gpl ?v?(2|3)(\.0)?$/, '$1gpl-$2.0'],
  [/^lgpl v?2\.1$/, 'lgpl-2.1'],
  [/^psf( 2(\.0)?)?$|^python$/, 'python-2.0'],
  [/^unlicense$|^public domain$/, 'unlicense'],
];

function oneSpelling(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/\+$|-only$|-or-later$/, '')
    .replace(/\b(the|licen[sc]e|version)\b/g, ' ')
    .replace(/[\s_,-]+/g, ' ')
    .trim();
  const match = spellings.find(([pattern]) => pattern.test(plain));
  return match === undefined ? plain.replaceAll(' ', '-') : plain.replace(match[0], match[1]);
}

function isSame(declared: string, recognised: string): boolean {
  const licence = recognised.toLowerCase();
  return declared === licence || (declared === 'bsd' && /^(0bsd|bsd-)/.test(licence));
}
