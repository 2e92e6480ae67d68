/** The files by which a node is found: private, whole, and gone with it. */
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  adminFiles,
  newToken,
  readAdminAddress,
  readToken,
  removeAdminFiles,
  writeAdminFiles,
} from '../../../src/gateway/admin-files.ts';
import { refusal } from '../../helpers/refusal.ts';

const address = { formatVersion: 1, url: 'http://127.0.0.1:7000', pid: 1 } as const;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the admin files', () => {
  it('are read as they were written', () => {
    writeAdminFiles(folder, address, 'secret');
    expect(readAdminAddress(folder)).toEqual(address);
    expect(readToken(folder)).toBe('secret');
  });

  it('are for their owner alone, also where others left files or links before', () => {
    writeFileSync(join(folder, adminFiles.token), 'old', { mode: 0o644 });
    symlinkSync('/dev/null', join(folder, `${adminFiles.token}.new`));
    writeAdminFiles(folder, address, 'secret');
    expect(readToken(folder)).toBe('secret');
    for (const name of Object.values(adminFiles)) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
  });

  it('leave nothing beside them, and nothing behind', () => {
    writeAdminFiles(folder, address, 'secret');
    writeAdminFiles(folder, address, 'another');
    expect(readdirSync(folder).sort()).toEqual(['admin.json', 'admin.token']);
    removeAdminFiles(folder);
    removeAdminFiles(folder);
    expect(readdirSync(folder)).toEqual([]);
    expect([readAdminAddress(folder), readToken(folder)]).toEqual([undefined, undefined]);
  });

  it.each(['{', '{}', '{"formatVersion":2,"url":"http://127.0.0.1:1"}', '7'])(
    'that hold %s are refused, not guessed at',
    text => {
      writeFileSync(join(folder, adminFiles.address), text);
      expect(refusal(() => readAdminAddress(folder))).toMatch(/^ENGINE_UNSUPPORTED/);
    },
  );

  it('that cannot be written are told with their place', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(refusal(() => writeAdminFiles(file, address, 'x'))).toMatch(/^ENGINE_FAILED.*file/);
  });
});

describe('tokens', () => {
  it('are long and never the same', () => {
    const tokens = new Set(Array.from({ length: 100 }, newToken));
    expect(tokens.size).toBe(100);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{43}$/);
  });
});
