/** The small file that says which servers were made in a directory, and where they were started. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TroupeError, wrapError } from '../../core/errors.ts';

/** What the file says. */
export interface ServersFile {
  readonly format: 1;
  /** What lets clients in, and the servers know each other by. */
  readonly password: string;
  readonly servers: readonly PlannedServer[];
}

/** One of the servers. */
export interface PlannedServer {
  readonly name: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly clusterPort: number;
  /** Of the process that was started last; it may be long dead. */
  readonly pid?: number | undefined;
}

const fileName = 'servers.json';

/** Makes the directory, for this user alone. */
export async function makeServersDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw wrapError('CONFIG_INVALID', error, `${directory} cannot be made`);
  }
}

/**
 * What the file of a directory says; nothing when there is none.
 *
 * @throws `CONFIG_INVALID` when it cannot be read.
 */
export async function readServers(directory: string): Promise<ServersFile | undefined> {
  const path = join(directory, fileName);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw wrapError('CONFIG_INVALID', error, `${path} cannot be read`);
  }
  try {
    // Nobody else writes this file, and its form has a number.
    const value = JSON.parse(text) as ServersFile;
    if (value.format === 1 && Array.isArray(value.servers)) return value;
  } catch {
    // It is as unreadable as one of another form.
  }
  throw new TroupeError('CONFIG_INVALID', {
    detail: `${path} was not written by this version of troupe: name another directory`,
  });
}

/** Writes the file, whole or not at all. */
export async function writeServers(directory: string, file: ServersFile): Promise<void> {
  const path = join(directory, fileName);
  await writeFile(`${path}.new`, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
