/** Which folders are packages, which files are theirs, and which licences their texts are. */
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  licenceBytesMax,
  listPackages,
  manifestBytesMax,
  measureFiles,
  readManifest,
  recogniseLicence,
} from '../../../examples/audit/packages.ts';
import { folderOf } from '../../helpers/folder-of.ts';

const manifest = (name: string, version = '1.0.0') => JSON.stringify({ name, version });
const isc =
  'Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice and this permission notice appear in all copies.';

describe('listPackages', () => {
  it('finds packages, scoped ones and nested ones, and nothing else', async () => {
    using folder = folderOf({
      'package.json': manifest('root'),
      'packages/own/package.json': manifest('own'),
      'node_modules/a/package.json': manifest('a'),
      'node_modules/a/lib/package.json': manifest('inner'),
      'node_modules/a/node_modules/b/package.json': manifest('b'),
      'node_modules/a/test/fixtures/node_modules/c/package.json': manifest('c'),
      'node_modules/@scope/d/package.json': manifest('@scope/d'),
      'node_modules/@scope/d/node_modules/@other/e/package.json': manifest('@other/e'),
      'node_modules/.store/f@1/node_modules/f/package.json': manifest('f'),
      'node_modules/plain/deep/package.json': manifest('too-deep'),
      'node_modules/empty/': '',
      'packages/own/node_modules/g/package.json': manifest('g'),
    });
    expect(await listPackages(folder.path)).toEqual([
      'node_modules/.store/f@1/node_modules/f',
      'node_modules/@scope/d',
      'node_modules/@scope/d/node_modules/@other/e',
      'node_modules/a',
      'node_modules/a/node_modules/b',
      'node_modules/a/test/fixtures/node_modules/c',
      'packages/own/node_modules/g',
    ]);
  });

  it('takes a node_modules itself', async () => {
    using folder = folderOf({ 'node_modules/a/package.json': manifest('a') });
    expect(await listPackages(join(folder.path, 'node_modules'))).toEqual(['a']);
    expect(await listPackages(`${join(folder.path, 'node_modules')}/`)).toEqual(['a']);
    expect(await listPackages(join(folder.path, 'node_modules/a'))).toEqual([]);
  });

  it('leaves out what has no manifest that can be read', async () => {
    using folder = folderOf({
      'node_modules/none/index.js': '',
      'node_modules/nameless/package.json': '{ "version": "1.0.0" }',
      'node_modules/broken/package.json': '{ "name": ',
      'node_modules/folder/package.json/index.js': '',
      'node_modules/utf16/package.json': Buffer.from(`\uFEFF${manifest('utf16')}`, 'utf16le'),
      'node_modules/marked/package.json': `\uFEFF${manifest('marked')}`,
      'node_modules/latin/package.json': Buffer.from(
        '{ "name": "latin", "version": "1.0.0", "author": "J\xF6rg" }',
        'latin1',
      ),
    });
    expect(await listPackages(folder.path)).toEqual([
      'node_modules/latin',
      'node_modules/marked',
      'node_modules/utf16',
    ]);
  });

  it('does not follow links', async () => {
    using folder = folderOf({
      'node_modules/a/package.json': manifest('a'),
      'elsewhere/package.json': manifest('b'),
      'node_modules/c/index.js': '',
    });
    const modules = join(folder.path, 'node_modules');
    symlinkSync(join(folder.path, 'elsewhere'), join(modules, 'b'));
    symlinkSync(join(folder.path, 'elsewhere/package.json'), join(modules, 'c/package.json'));
    symlinkSync(folder.path, join(modules, 'a/circle'));
    expect(await listPackages(folder.path)).toEqual(['node_modules/a']);
  });

  it('goes into a folder that is given as a link', async () => {
    using folder = folderOf({ 'real/node_modules/a/package.json': manifest('a') });
    symlinkSync(join(folder.path, 'real/node_modules'), join(folder.path, 'link'));
    expect(await listPackages(join(folder.path, 'link'))).toEqual(['a']);
  });

  it('says which folder is not there, and which has a name it cannot name', async () => {
    using folder = folderOf({ 'a/b.txt': '' });
    await expect(listPackages(join(folder.path, 'missing'))).rejects.toThrow('missing');
    const odd = Buffer.concat([Buffer.from(`${folder.path}/a/`), Buffer.from([0xff, 0xfe])]);
    mkdirSync(odd);
    await expect(listPackages(folder.path)).rejects.toThrow('not UTF-8');
  });
});

describe('readManifest', () => {
  it('takes a manifest that is too large for damage', async () => {
    using folder = folderOf({ 'a/package.json': manifest('a') });
    expect(await readManifest(join(folder.path, 'a'))).toMatchObject({ name: 'a' });
    truncateSync(join(folder.path, 'a/package.json'), manifestBytesMax + 1);
    expect(await readManifest(join(folder.path, 'a'))).toBeUndefined();
    expect(await readManifest(join(folder.path, 'missing'))).toBeUndefined();
  });
});

describe('measureFiles', () => {
  it('counts regular files below, but not below a further node_modules', async () => {
    using folder = folderOf({
      'a/package.json': '12345',
      'a/lib/deep/x.js': '123',
      'a/lib/empty.js': '',
      'a/none/': '',
      'a/node_modules/b/index.js': '1234567',
      'a/lib/node_modules/c/index.js': '1234567',
      'a/lib/node_modules.js': '1',
    });
    symlinkSync(join(folder.path, 'a/package.json'), join(folder.path, 'a/link.json'));
    symlinkSync(join(folder.path, 'a'), join(folder.path, 'a/circle'));
    expect(await measureFiles(join(folder.path, 'a'))).toEqual({ files: 4, bytes: 9 });
  });

  it('counts files with names that are not UTF-8, and huge ones without reading them', async () => {
    using folder = folderOf({ 'a/package.json': '{}' });
    writeFileSync(
      Buffer.concat([Buffer.from(`${folder.path}/a/`), Buffer.from([0xe9, 0x2e, 0x6a])]),
      '123',
    );
    writeFileSync(join(folder.path, 'a/huge.bin'), '');
    truncateSync(join(folder.path, 'a/huge.bin'), 2 ** 40);
    expect(await measureFiles(join(folder.path, 'a'))).toEqual({ files: 3, bytes: 2 ** 40 + 5 });
  });

  it('finds nothing in a folder that is gone', async () => {
    using folder = folderOf({});
    expect(await measureFiles(join(folder.path, 'gone'))).toEqual({ files: 0, bytes: 0 });
  });
});

describe('recogniseLicence', () => {
  it('reads licence files of any spelling, at the top of the package only', async () => {
    using folder = folderOf({
      'a/License.md': isc,
      'a/lib/LICENSE': 'Apache License Version 2.0',
      'b/LICENCE-APACHE': 'Apache License, Version 2.0',
      'b/COPYING': isc,
      'b/README.md': 'Blue Oak Model License',
      'c/LICENSE/text': isc,
      'd/licence.txt': 'All rights reserved.',
    });
    const recognised = (name: string) => recogniseLicence(join(folder.path, name));
    expect(await recognised('a')).toEqual(['ISC']);
    expect(await recognised('b')).toEqual(['Apache-2.0', 'ISC']);
    expect(await recognised('c')).toEqual([]);
    expect(await recognised('d')).toEqual([]);
    expect(await recognised('missing')).toEqual([]);
  });

  it('does not follow a link, and looks at the beginning of a huge file', async () => {
    using folder = folderOf({
      'text.txt': isc,
      'a/package.json': '{}',
      'b/LICENSE': `${isc}${' '.repeat(licenceBytesMax)}Apache License, Version 2.0`,
    });
    symlinkSync(join(folder.path, 'text.txt'), join(folder.path, 'a/LICENSE'));
    expect(await recogniseLicence(join(folder.path, 'a'))).toEqual([]);
    expect(await recogniseLicence(join(folder.path, 'b'))).toEqual(['ISC']);
  });
});
