/** What makes a package, what it declares, and whether it runs a script. */
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../examples/audit/manifest.ts';

const manifest = (fields: object) =>
  parseManifest(JSON.stringify({ name: 'a', version: '1.0.0', ...fields }));

describe('a package', () => {
  it('has a name and a version', () => {
    expect(manifest({})).toEqual({
      name: 'a',
      version: '1.0.0',
      licence: null,
      hasInstallScript: false,
    });
  });

  it.each([
    ['no name', '{ "version": "1.0.0" }'],
    ['no version', '{ "name": "a" }'],
    ['an empty name', '{ "name": " ", "version": "1.0.0" }'],
    ['a number for a version', '{ "name": "a", "version": 1 }'],
    ['a list', '["a", "1.0.0"]'],
    ['null', 'null'],
    ['no JSON', '{ "name": "a", "version": "1.0.0"'],
    ['nothing', ''],
  ])('is not made by %s', (_, text) => {
    expect(parseManifest(text)).toBeUndefined();
  });
});

describe('the declared licence', () => {
  it.each([
    [{ license: 'MIT' }, 'MIT'],
    [{ license: ' MIT ' }, 'MIT'],
    [{ license: { type: 'MIT', url: 'https://example.com' } }, 'MIT'],
    [{ license: ['MIT', { type: 'ISC' }] }, 'MIT OR ISC'],
    [{ licenses: [{ type: 'MIT' }, { type: 'Apache-2.0' }] }, 'MIT OR Apache-2.0'],
    [{ licenses: 'MIT' }, 'MIT'],
    [{ licenses: { type: 'MIT' } }, 'MIT'],
    [{ license: 'ISC', licenses: ['MIT'] }, 'ISC'],
    [{ license: '', licenses: ['MIT'] }, 'MIT'],
    [{ license: ['MIT', 5, {}, ''] }, 'MIT'],
    [{ license: '(MIT OR GPL-2.0)' }, '(MIT OR GPL-2.0)'],
    [{ license: {} }, null],
    [{ license: [] }, null],
    [{ license: false }, null],
    [{ license: { type: 5 } }, null],
    [{}, null],
  ])('of %j is %j', (fields, licence) => {
    expect(manifest(fields)?.licence).toBe(licence);
  });
});

describe('an install script', () => {
  it.each(['preinstall', 'install', 'postinstall'])('is %s', name => {
    expect(manifest({ scripts: { [name]: 'node x.js' } })?.hasInstallScript).toBe(true);
  });

  it.each([
    { scripts: { test: 'x' } },
    { scripts: null },
    { scripts: 'install' },
    { install: 'x' },
    {},
  ])('is not in %j', fields => {
    expect(manifest(fields)?.hasInstallScript).toBe(false);
  });
});
