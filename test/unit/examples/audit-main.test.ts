/** The audit by agents as a program: its report is that of the plain one, again and again. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { installedPackages } from '../../../examples/audit/options.ts';
import { auditPlainly } from '../../../examples/audit/reference.ts';
import { canonicalJson, comparable } from '../../../examples/audit/report.ts';
import { folderOf } from '../../helpers/folder-of.ts';

const program = fileURLToPath(new URL('../../../examples/audit/main.ts', import.meta.url));
const run = (...parameters: string[]) =>
  spawnSync(process.execPath, [program, ...parameters], { encoding: 'utf8', timeout: 60_000 });

const strange = (name: string, version: string, license: unknown) =>
  JSON.stringify({ name, version, license });

describe('the audit by agents', () => {
  it('comes to what the plain audit of the installed packages comes to', async () => {
    using folder = folderOf({});
    const report = join(folder.path, 'report.json');
    const { status, stdout, stderr } = run('--report', report, '--data', join(folder.path, 'data'));
    expect(stderr).toMatch(/^auditing .*\n0 of \d+ packages\n(.*\n)*(\d+) of \2 packages.*\n$/);
    expect(status).toBe(0);
    const found = JSON.parse(readFileSync(report, 'utf8'));
    const { packages } = await auditPlainly(installedPackages);
    expect(stdout).toMatch(new RegExp(`^packages +${packages.toLocaleString('en-US')}\n`));
    expect(canonicalJson(comparable(found))).toBe(
      canonicalJson(await auditPlainly(installedPackages)),
    );
    expect(found).toMatchObject({
      steps: { list: 1, read: packages, measure: packages, recognise: packages },
      resumed: 0,
      repeated: 0,
    });
    expect(found.turns).toBeGreaterThan(2 * packages);
  });

  it('begins anew when it was delivered, and sees what has changed', async () => {
    using folder = folderOf({
      'node_modules/a/package.json': strange('__proto__', '1.0.0', 'constructor'),
      'node_modules/b/package.json': strange('__proto__', '2.0.0', 'prototype'),
      'node_modules/@c/d/package.json': strange('toString', '1.0.0', ['MIT', { type: 'ISC' }]),
      'later/node_modules/e/package.json': strange('e', '1.0.0', undefined),
      'none/': '',
    });
    const data = join(folder.path, 'data');
    for (const inside of ['node_modules', '.', 'node_modules', 'none']) {
      const place = join(folder.path, inside);
      const { stdout } = run(place, '--data', data, '--json');
      expect(canonicalJson(comparable(JSON.parse(stdout)))).toBe(
        canonicalJson(await auditPlainly(place)),
      );
    }
  });

  it('keeps the report of an audit that could not be handed over', () => {
    using folder = folderOf({ 'node_modules/a/package.json': strange('a', '1.0.0', 'MIT') });
    const data = join(folder.path, 'data');
    const report = join(folder.path, 'missing', 'report.json');
    const failed = run(folder.path, '--data', data, '--report', report);
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    expect(failed.stderr).toContain('ENOENT');
    const { stdout } = run(folder.path, '--data', data, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ packages: 1, resumed: 4 });
  });

  it('says what is wrong with what it is asked', () => {
    expect(run('no-such-folder')).toMatchObject({ status: 1, stdout: '' });
    expect(run('no-such-folder').stderr).toMatch(/^cannot audit no-such-folder: ENOENT.*\n$/);
    expect(run(program).stderr).toBe(`cannot audit ${program}: it is not a folder\n`);
    expect(run('a', 'b')).toMatchObject({ status: 2, stdout: '' });
    expect(run('--reprot', 'x').stderr).toContain('usage: npm start');
  });
});
