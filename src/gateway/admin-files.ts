/**
 * The two files by which the command line finds a node: its address for everyone, and its token for
 * the user alone. They lie in the data directory, or, for a node in memory, in a folder made for
 * them. Each start draws a new token, so that an old one is worth nothing.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TroupeError, wrapError } from '../core/errors.ts';

/** Where a node's admin API is. */
export interface AdminAddress {
  /** The version of this file. */
  readonly formatVersion: 1;
  readonly url: string;
  /** The process of the node. */
  readonly pid: number;
}

/** The names of the files. */
export const adminFiles = { address: 'admin.json', token: 'admin.token' } as const;

/** A token that nobody can guess. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * Writes both files, each whole or not at all.
 *
 * @throws `ENGINE_FAILED` when the directory cannot be written.
 */
export function writeAdminFiles(directory: string, address: AdminAddress, token: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writePrivately(join(directory, adminFiles.token), `${token}\n`);
    writePrivately(join(directory, adminFiles.address), `${JSON.stringify(address)}\n`);
  } catch (error) {
    throw wrapError('ENGINE_FAILED', error, `the admin files in ${directory}`, 'not-executed');
  }
}

/** Removes both files; harmless when they are not there. */
export function removeAdminFiles(directory: string): void {
  for (const name of Object.values(adminFiles)) rmSync(join(directory, name), { force: true });
}

/**
 * The address of the node that uses a directory; nothing when none says that it does.
 *
 * @throws `ENGINE_UNSUPPORTED` when the file is of another version or damaged.
 */
export function readAdminAddress(directory: string): AdminAddress | undefined {
  const path = join(directory, adminFiles.address);
  const text = textIn(path);
  if (text === undefined) return undefined;
  const address = parsed(text);
  if (address?.formatVersion === 1 && typeof address.url === 'string') {
    // Version and address were looked at; the process is told to people only.
    return address as AdminAddress;
  }
  throw new TroupeError('ENGINE_UNSUPPORTED', {
    detail: `${path} is not what this version of troupe reads; use the version that runs the node`,
  });
}

/** The token of the node that uses a directory; nothing when there is none. */
export function readToken(directory: string): string | undefined {
  return textIn(join(directory, adminFiles.token))?.trim();
}

function writePrivately(path: string, text: string): void {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  // Made with its mode, and only if it is not there: nobody holds it open from before.
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw wrapError('ENGINE_FAILED', error, path, 'not-executed');
  }
}

function parsed(text: string): Partial<AdminAddress> | undefined {
  try {
    return JSON.parse(text) as Partial<AdminAddress>;
  } catch {
    // A file that is no JSON is of no version.
    return undefined;
  }
}
