/**
 * Recognises the texts of common licences by phrases that survive reformatting: words only, in
 * lower case. One file may hold several texts (its own, then those of what it bundles), so it is
 * cut where a text begins, and each piece is judged alone. The phrases are from the texts at
 * spdx.org.
 */

/** The SPDX identifiers of the licences in a text, in order of their first appearance. */
export function recogniseLicences(text: string): string[] {
  const words = normalise(text);
  const starts = beginningsIn(words);
  const found = new Set<string>();
  starts.forEach(({ index, family }, place) => {
    const piece = words.slice(index, starts[place + 1]?.index);
    const licence = family.judge(piece);
    if (licence !== undefined) found.add(licence);
  });
  return [...found];
}

/** The text in bytes: UTF-8, or UTF-16 with a mark; what is neither becomes replacement signs. */
export function decodeText(bytes: Uint8Array): string {
  const encoding = encodings.find(({ mark }) => mark.every((byte, index) => bytes[index] === byte));
  return new TextDecoder(encoding?.name ?? 'utf-8').decode(bytes);
}

const encodings = [
  { name: 'utf-16le', mark: [0xff, 0xfe] },
  { name: 'utf-16be', mark: [0xfe, 0xff] },
];

interface Family {
  /** How a text begins, as words in lower case. */
  readonly start: RegExp;
  judge(piece: string): string | undefined;
}

const families: readonly Family[] = [
  {
    start: phrase('permission is hereby granted free of charge to any person obtaining a copy of'),
    judge: judgeMit,
  },
  {
    start: phrase(
      'permission to use copy modify and (or )?distribute this software (and its documentation )?for any purpose with or without fee is hereby granted',
    ),
    judge: judgeIsc,
  },
  {
    start: phrase(
      'redistribution and use in source and binary forms with or without modification are permitted',
    ),
    judge: judgeBsd,
  },
  {
    start: phrase(
      'in no event will the authors? be held liable for any damages arising from the use of this software',
    ),
    judge: piece =>
      piece.includes('altered source versions must be plainly marked') ? 'Zlib' : undefined,
  },
  ...titled({
    'Apache-2.0': ['apache license version 2 0'],
    'MPL-1.1': ['mozilla public license version 1 1'],
    'MPL-2.0': ['mozilla public license version 2 0'],
    Unlicense: ['this is free and unencumbered software released into the public domain'],
    'CC0-1.0': ['cc0 1 0 universal'],
    'CC-BY-3.0': [
      'creative commons attribution 3 0',
      'creative commons legal code attribution 3 0',
    ],
    'CC-BY-4.0': ['attribution 4 0 international'],
    'CC-BY-SA-4.0': ['attribution sharealike 4 0 international'],
    'BlueOak-1.0.0': ['blue oak model license'],
    'Python-2.0': ['python software foundation license version 2'],
    WTFPL: ['do what the fuck you want to public license'],
    'Artistic-1.0': ['the artistic license preamble'],
    'Artistic-2.0': ['artistic license 2 0'],
    'BSL-1.0': ['boost software license version 1 0'],
    'EPL-1.0': ['eclipse public license v 1 0'],
    'EPL-2.0': ['eclipse public license v 2 0'],
    'GPL-2.0': ['gnu general public license version 2 june 1991'],
    'GPL-3.0': ['gnu general public license version 3 29 june 2007'],
    'LGPL-2.1': ['gnu lesser general public license version 2 1 february 1999'],
    'LGPL-3.0': ['gnu lesser general public license version 3 29 june 2007'],
    'AGPL-3.0': ['gnu affero general public license version 3 19 november 2007'],
  }),
];

/** Whole words, as a pattern of words in lower case. */
function phrase(pattern: string): RegExp {
  return new RegExp(`\\b(?:${pattern})\\b`, 'g');
}

/** Licences whose title, or first sentence, is enough. */
function titled(titles: Readonly<Record<string, readonly string[]>>): Family[] {
  return Object.entries(titles).map(([licence, phrases]) => ({
    start: phrase(phrases.join('|')),
    judge: () => licence,
  }));
}

function judgeMit(piece: string): string | undefined {
  if (!/\bto deal in the (software|materials)\b/.test(piece)) return undefined;
  if (piece.includes('shall be used for good not evil')) return 'JSON';
  return /permission notice [a-z ]{0,40}shall be included/.test(piece) ? 'MIT' : 'MIT-0';
}

function judgeIsc(piece: string): string {
  return /copyright notice and this permission notice appear in all copies/.test(piece)
    ? 'ISC'
    : '0BSD';
}

function judgeBsd(piece: string): string | undefined {
  if (!piece.includes('redistributions in binary form must reproduce')) return undefined;
  if (piece.includes('all advertising materials mentioning')) return 'BSD-4-Clause';
  if (piece.includes('no express or implied licenses to any party')) return 'BSD-3-Clause-Clear';
  return /used to endorse or promote products/.test(piece) ? 'BSD-3-Clause' : 'BSD-2-Clause';
}

interface Beginning {
  readonly index: number;
  readonly family: Family;
}

function beginningsIn(words: string): Beginning[] {
  return families
    .flatMap(family => [...words.matchAll(family.start)].map(({ index }) => ({ index, family })))
    .sort((one, other) => one.index - other.index);
}

/** Lower-case words and numbers, with one space between. */
function normalise(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
}
