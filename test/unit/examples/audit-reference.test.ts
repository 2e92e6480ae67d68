/**
 * The plain audit as a program, and against another way of counting on what is really installed.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { installedPackages } from '../../../examples/audit/options.ts';
import { auditPlainly } from '../../../examples/audit/reference.ts';
import { folderOf } from '../../helpers/folder-of.ts';

const program = fileURLToPath(new URL('../../../examples/audit/reference.ts', import.meta.url));
const run = (...parameters: string[]) =>
  spawnSync(process.execPath, [program, ...parameters], { encoding: 'utf8' });

describe('the plain audit', () => {
  it('adds up the packages of a folder', async () => {
    using folder = folderOf({
      'node_modules/a/package.json': '{ "name": "a", "version": "1.0.0", "license": "MIT" }',
      'node_modules/a/LICENSE': 'Blue Oak Model License',
      'node_modules/a/node_modules/b/package.json':
        '{ "name": "b", "version": "2.0.0", "scripts": { "install": "node-gyp rebuild" } }',
      'node_modules/@c/b/package.json':
        '{ "name": "b", "version": "1.0.0", "licenses": [{ "type": "MIT" }, "ISC"] }',
      'node_modules/.cache/x': 'not of any package',
    });
    expect(await auditPlainly(folder.path)).toEqual({
      packages: 3,
      files: 4,
      bytes: 53 + 22 + 81 + 75,
      byLicence: new Map([
        ['MIT', 1],
        ['MIT OR ISC', 1],
      ]),
      undeclared: ['b@2.0.0'],
      mismatched: ['a@1.0.0'],
      installScripts: ['b@2.0.0'],
      duplicates: new Map([['b', ['1.0.0', '2.0.0']]]),
    });
  });

  it('counts on the installed packages what another way of counting finds', async () => {
    const { packages, files, bytes, byLicence } = await auditPlainly(installedPackages);
    expect({ packages, files, bytes }).toEqual(countedByPath(installedPackages));
    expect(packages).toBeGreaterThan(50);
    expect(byLicence.get('MIT')).toBeGreaterThan(20);
  });
});

describe('the program', () => {
  it('writes the report and prints a table', () => {
    using folder = folderOf({
      'node_modules/a/package.json': '{ "name": "a", "version": "1.0.0", "license": "MIT" }',
    });
    const report = join(folder.path, 'report.json');
    const { status, stdout } = run(folder.path, '--report', report);
    expect(status).toBe(0);
    expect(stdout).toContain('licence\n  MIT  1\n');
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ packages: 1, files: 1 });
    expect(run(folder.path, '--json').stdout).toBe(readFileSync(report, 'utf8'));
  });

  it('says what is wrong with what it is asked', () => {
    expect(run('no-such-folder')).toMatchObject({ status: 1, stdout: '' });
    expect(run('no-such-folder').stderr).toContain('no-such-folder is not a folder');
    expect(run('a', 'b')).toMatchObject({ status: 2, stdout: '' });
    expect(run('--reprot', 'x').stderr).toContain('usage:');
  });
});

/** Each file belongs to the package that its path names last. */
function countedByPath(modules: string): { packages: number; files: number; bytes: number } {
  const packages = new Map<string, boolean>();
  const counted = { packages: 0, files: 0, bytes: 0 };
  for (const path of readdirSync(modules, { recursive: true, encoding: 'utf8' })) {
    const [, modulesFolder = '', inside = ''] =
      /^((?:.*\/)?node_modules\/)(.*)$/.exec(`node_modules/${path}`) ?? [];
    const name = /^(@[^/]+\/)?[^/]+(?=\/)/.exec(inside)?.[0];
    const facts = lstatSync(join(modules, path));
    if (name === undefined || !facts.isFile()) continue;
    const folder = join(modules, '..', modulesFolder, name);
    const isPackage = packages.get(folder) ?? hasNameAndVersion(folder);
    packages.set(folder, isPackage);
    if (!isPackage) continue;
    counted.files += 1;
    counted.bytes += facts.size;
  }
  return { ...counted, packages: [...packages.values()].filter(Boolean).length };
}

function hasNameAndVersion(folder: string): boolean {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return Boolean(name && version);
  } catch {
    return false;
  }
}
