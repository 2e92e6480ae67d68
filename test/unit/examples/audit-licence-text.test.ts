/**
 * Licence texts are recognised however they are set, and told apart from their nearest relatives.
 */
import { describe, expect, it } from 'vitest';
import { decodeText, recogniseLicences } from '../../../examples/audit/licence-text.ts';

const mitStart =
  'Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use.';
const mit = `${mitStart} The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.`;
const zeroBsd =
  'Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted. THE SOFTWARE IS PROVIDED "AS IS"';
const isc = zeroBsd.replace(
  'granted.',
  'granted, provided that the above copyright notice and this permission notice appear in all copies.',
);
const bsd2 =
  'Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following conditions are met: 1. Redistributions of source code must retain the above copyright notice. 2. Redistributions in binary form must reproduce the above copyright notice.';
const bsd3 = `${bsd2} 3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote products derived from this software.`;
const bsd4 = `${bsd3} All advertising materials mentioning features or use of this software must display`;
const clear = `${bsd3} NO EXPRESS OR IMPLIED LICENSES TO ANY PARTY'S PATENT RIGHTS ARE GRANTED`;
const zlib =
  "This software is provided 'as-is'. In no event will the authors be held liable for any damages arising from the use of this software. 2. Altered source versions must be plainly marked as such";

const texts: Record<string, string> = {
  MIT: mit,
  'MIT-0': mitStart,
  JSON: `${mit} The Software shall be used for Good, not Evil.`,
  ISC: isc,
  '0BSD': zeroBsd,
  'BSD-2-Clause': bsd2,
  'BSD-3-Clause': bsd3,
  'BSD-4-Clause': bsd4,
  'BSD-3-Clause-Clear': clear,
  Zlib: zlib,
  'Apache-2.0': 'Apache License\n   Version 2.0, January 2004\n http://www.apache.org/licenses/',
  'MPL-1.1': 'MOZILLA PUBLIC LICENSE\nVersion 1.1',
  'MPL-2.0': 'Mozilla Public License Version 2.0\n==================',
  Unlicense: 'This is free and unencumbered software released into the public domain.',
  'CC0-1.0': 'Creative Commons Legal Code\n\nCC0 1.0 Universal',
  'CC-BY-3.0': 'Creative Commons Legal Code\n\nAttribution 3.0 Unported',
  'CC-BY-4.0': 'Attribution 4.0 International',
  'CC-BY-SA-4.0': 'Attribution-ShareAlike 4.0 International',
  'BlueOak-1.0.0': '# Blue Oak Model License\n\nVersion 1.0.0',
  'Python-2.0': 'PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2',
  WTFPL: 'DO WHAT THE FUCK YOU WANT TO PUBLIC LICENSE\nVersion 2, December 2004',
  'Artistic-1.0': 'The "Artistic License"\n\nPreamble',
  'Artistic-2.0': 'The Artistic License 2.0',
  'BSL-1.0': 'Boost Software License - Version 1.0 - August 17th, 2003',
  'EPL-1.0': 'Eclipse Public License -v 1.0',
  'EPL-2.0': 'Eclipse Public License - v 2.0',
  'GPL-2.0': 'GNU GENERAL PUBLIC LICENSE\n  Version 2, June 1991',
  'GPL-3.0': 'GNU GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007',
  'LGPL-2.1': 'GNU LESSER GENERAL PUBLIC LICENSE\n  Version 2.1, February 1999',
  'LGPL-3.0': 'GNU LESSER GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007',
  'AGPL-3.0': 'GNU AFFERO GENERAL PUBLIC LICENSE\n  Version 3, 19 November 2007',
};

const quoted = (text: string) =>
  text
    .split(/ /)
    .map(word => `> * ${word}\r\n`)
    .join('');

describe('recogniseLicences', () => {
  it.each(Object.entries(texts))('knows %s alone', (licence, text) => {
    expect(recogniseLicences(`Copyright (c) 2020 Somebody\n\n${text}`)).toEqual([licence]);
  });

  it.each(Object.entries(texts))(
    'knows %s in capitals, in quotes, one word a line',
    (name, text) => {
      expect(recogniseLicences(quoted(text.toUpperCase()))).toEqual([name]);
    },
  );

  it('finds each of several texts in one file, once', () => {
    const file = [mit, 'Bundled:', bsd2, isc, texts['Apache-2.0'], mit].join('\n\n');
    expect(recogniseLicences(file)).toEqual(['MIT', 'BSD-2-Clause', 'ISC', 'Apache-2.0']);
  });

  it.each([
    '',
    'MIT',
    'Copyright (c) 2020. All rights reserved.',
    'SEE LICENSE IN EULA.txt',
    'Redistribution and use in source and binary forms, with or without modification, are permitted.',
    'In no event will the authors be held liable for any damages arising from the use of this software.',
    'Permission is hereby granted, free of charge, to any person obtaining a copy of the font.',
  ])('knows nothing in %j', text => {
    expect(recogniseLicences(text)).toEqual([]);
  });

  it('is fast on a long text that never quite begins', () => {
    const text = 'permission is hereby granted free of charge to any person '.repeat(20_000);
    expect(recogniseLicences(text)).toEqual([]);
  });
});

describe('decodeText', () => {
  it.each(['utf16le', 'utf8', 'latin1'] as const)('reads %s', encoding => {
    const mark = encoding === 'utf16le' ? '\uFEFF' : '';
    const bytes = Buffer.from(`${mark}Copyright \xA9 J\xF6rg\n${isc}`, encoding);
    expect(recogniseLicences(decodeText(bytes))).toEqual(['ISC']);
  });

  it('reads UTF-16 of the other order', () => {
    expect(decodeText(Buffer.from(`\uFEFF${isc}`, 'utf16le').swap16())).toBe(isc);
  });
});
