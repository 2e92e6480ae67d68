/**
 * What an operator does with NATS servers: start them on this machine, look at them, end them,
 * write the files for those of other machines. The way to the engine for those who may not see it.
 */
import { join, resolve } from 'node:path';
import { ensureServer, findServer } from '../engines/nats/find-server.ts';
import {
  localServers,
  startLocalServers,
  stopLocalServers,
} from '../engines/nats/local-servers.ts';
import {
  type ProductionFiles,
  type ProductionFilesOptions,
  writeProductionFiles,
} from '../engines/nats/production-files.ts';
import { type ServerStatus, serverStatus } from '../engines/nats/server-status.ts';
import { makeServersDirectory } from '../engines/nats/servers-file.ts';
import { takeLock } from '../engines/system/lock.ts';
import { systemRandom } from '../engines/system/random.ts';

/** The servers of a directory. */
export interface LocalEngine {
  readonly directory: string;
  /** What a node is told to connect to: its `cluster`. */
  readonly address: string;
  readonly servers: readonly LocalEngineServer[];
}

/** One server, and how it is; one that does not answer says nothing. */
export interface LocalEngineServer extends Partial<ServerStatus> {
  readonly name: string;
  readonly port: number;
  readonly pid: number | undefined;
  readonly isRunning: boolean;
}

/** Which servers to start. */
export interface StartEngineOptions {
  /** The data directory; the servers lie in its folder `nats`. */
  readonly directory: string;
  /** Where the program of the server is looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly count?: 1 | 3 | undefined;
  readonly port?: number | undefined;
  /** Told when there is no such program and one is fetched, which takes some seconds. */
  readonly onFetch?: (() => void) | undefined;
}

const passwordBytes = 16;
const secretBytes = 24;

/**
 * Starts the servers of a directory that do not run, and makes them when there are none.
 *
 * @throws `CONFIG_INVALID`, `ENGINE_UNSUPPORTED`, `ENGINE_UNAVAILABLE`, `PORT_IN_USE`, and
 * `DATA_LOCKED` while another command does the same.
 */
export async function startEngine(options: StartEngineOptions): Promise<LocalEngine> {
  const directory = folderOf(options.directory);
  const { env } = options;
  const found = await findServer({ env });
  if (found === undefined) options.onFetch?.();
  const program = found ?? (await ensureServer({ env }));
  await locked(directory, () =>
    startLocalServers({
      directory,
      program,
      count: options.count,
      port: options.port,
      newPassword: () => systemRandom().hex(passwordBytes),
    }),
  );
  const started = await engineStatus(options.directory);
  return started ?? { directory, address: '', servers: [] };
}

/** The servers of a directory and how they are; nothing when there never were any. */
export async function engineStatus(directory: string): Promise<LocalEngine | undefined> {
  const found = await localServers(folderOf(directory));
  if (found === undefined) return undefined;
  const servers = await Promise.all(
    found.servers.map(async ({ name, port, monitorPort, pid, isRunning }) => {
      const status = isRunning ? await serverStatus(monitorPort) : undefined;
      return { name, port, pid, isRunning, ...status };
    }),
  );
  return { directory: found.directory, address: found.address, servers };
}

/**
 * Ends the servers of a directory that run, and says how many; their data stay.
 *
 * @throws `DATA_LOCKED` while another command starts or ends them.
 */
export async function stopEngine(directory: string): Promise<number> {
  const folder = folderOf(directory);
  if ((await localServers(folder)) === undefined) return 0;
  return locked(folder, () => stopLocalServers(folder));
}

/** What `writeEngineFiles` is told and tells. */
export type EngineFilesOptions = Omit<ProductionFilesOptions, 'newSecret'>;
export type { ProductionFiles } from '../engines/nats/production-files.ts';

/**
 * Writes the files for servers in production, readable for this user alone; keys that are there are
 * kept.
 *
 * @throws `CONFIG_INVALID`.
 */
export function writeEngineFiles(options: EngineFilesOptions): Promise<ProductionFiles> {
  return writeProductionFiles({ ...options, newSecret: () => systemRandom().hex(secretBytes) });
}

async function locked<Value>(directory: string, act: () => Promise<Value>): Promise<Value> {
  await makeServersDirectory(directory);
  const lock = takeLock(join(directory, 'lock'));
  try {
    return await act();
  } finally {
    await lock.release();
  }
}

function folderOf(directory: string): string {
  return join(resolve(directory), 'nats');
}
