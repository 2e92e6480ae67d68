/**
 * Real servers on this machine, for development: one, or three as a cluster, with the recommended
 * configuration. They outlive whoever started them, and lie with their data in one directory, in
 * which a small file says what they are.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { TroupeError } from '../../core/errors.ts';
import { isServerRunning } from './running-server.ts';
import { type ServerConfig, serverConfigText } from './server-config.ts';
import { serverReady, startServer } from './server-process.ts';
import { type PlannedServer, readServers, type ServersFile, writeServers } from './servers-file.ts';

/** Which servers to start. */
export interface StartLocalOptions {
  /** Where they and their data lie. */
  readonly directory: string;
  readonly program: { readonly path: string; readonly version: string };
  /** How many, when there are none yet; three form a cluster. */
  readonly count?: 1 | 3 | undefined;
  /** The first of their ports, when there are none yet (default 4222). */
  readonly port?: number | undefined;
  /** What clients say to come in, when there are none yet. */
  readonly newPassword: () => string;
}

/** The servers of a directory, as its file says. */
export interface LocalServers {
  readonly directory: string;
  /** What a client connects to, with the password: for this machine alone. */
  readonly address: string;
  readonly servers: readonly LocalServer[];
}

/** One of them. */
export interface LocalServer {
  readonly name: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly pid: number | undefined;
  readonly isRunning: boolean;
}

const defaultPort = 4222;
/** Beside the ports of clients, as far off as NATS has it by default: 6222 and 8222. */
const [clusterOffset, monitorOffset] = [2_000, 4_000];
const thisMachine = '127.0.0.1';
const userName = 'dev';
/** Three servers elect their first leader within some seconds. */
const readyTimeoutMs = 30_000;
/** A server that is told to end writes what it has; a disk may be slow. */
const endTimeoutMs = 15_000;
const lookMs = 20;

/**
 * Starts the servers of a directory that do not run; makes them when there are none.
 *
 * @throws `CONFIG_INVALID` when there are others than asked for, `PORT_IN_USE`, and
 * `ENGINE_UNAVAILABLE` when one does not get ready.
 */
export async function startLocalServers(options: StartLocalOptions): Promise<LocalServers> {
  const { directory } = options;
  const known = await readServers(directory);
  if (known !== undefined) checkSame(known, options);
  const file = known ?? planOf(options);
  if (known === undefined) await writeServers(directory, file);
  const standing = await localServersOf(directory, file);
  const ready: Promise<void>[] = [];
  const servers: PlannedServer[] = [];
  for (const [index, planned] of file.servers.entries()) {
    if (standing.servers[index]?.isRunning === true) {
      servers.push(planned);
      continue;
    }
    const started = await start(options, file, planned);
    servers.push({ ...planned, pid: started.pid });
    // One that runs must be found again, also when another one fails.
    await writeServers(directory, { ...file, servers: merged(file.servers, servers) });
    ready.push(started.ready);
  }
  const failed = (await Promise.allSettled(ready)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') {
    await stopLocalServers(directory);
    throw failed.reason;
  }
  return localServersOf(directory, { ...file, servers });
}

/**
 * The servers of a directory; nothing when there never were any.
 *
 * @throws `CONFIG_INVALID` when its file cannot be read.
 */
export async function localServers(directory: string): Promise<LocalServers | undefined> {
  const file = await readServers(directory);
  return file === undefined ? undefined : localServersOf(directory, file);
}

/**
 * Ends the servers of a directory that run; their data stay. Answers with how many there were.
 *
 * @throws `CONFIG_INVALID` when its file cannot be read.
 */
export async function stopLocalServers(directory: string): Promise<number> {
  const found = await localServers(directory);
  const running = found?.servers.filter(({ isRunning }) => isRunning) ?? [];
  await Promise.all(running.map(server => stop(directory, server)));
  return running.length;
}

async function start(options: StartLocalOptions, file: ServersFile, planned: PlannedServer) {
  const { directory, program } = options;
  const { name, port, monitorPort, clusterPort } = planned;
  for (const needed of [port, monitorPort, ...(file.servers.length > 1 ? [clusterPort] : [])]) {
    await checkFree(needed);
  }
  const home = join(directory, name);
  const [configPath, logPath] = [configPathOf(directory, name), join(home, 'log')];
  await mkdir(home, { recursive: true, mode: 0o700 });
  const text = serverConfigText(configOf(directory, program.version, { file, planned }));
  await writeFile(configPath, text, { mode: 0o600 });
  await rm(logPath, { force: true });
  const started = await startServer({
    program: [program.path],
    configPath,
    logPath,
    isDetached: true,
  });
  const isRunning = () => started.isRunning;
  const ready = serverReady({ monitorPort, logPath, timeoutMs: readyTimeoutMs, isRunning });
  // It is waited for when all have been started; until then a failure is nobody's.
  ready.catch(() => undefined);
  return { pid: started.pid, ready };
}

function configOf(
  directory: string,
  version: string,
  { file, planned }: { readonly file: ServersFile; readonly planned: PlannedServer },
): ServerConfig {
  const { name, port, monitorPort, clusterPort } = planned;
  const routes = file.servers.map(server => `${thisMachine}:${server.clusterPort}`);
  const secret = { user: 'route', password: file.password };
  return {
    name,
    version,
    port,
    monitorPort,
    storeDirectory: join(directory, name, 'store'),
    cluster: routes.length === 1 ? undefined : { name: 'local', port: clusterPort, routes, secret },
    access: {
      users: [
        { name: userName, role: 'operator', key: { user: userName, password: file.password } },
      ],
    },
  };
}

function planOf({ count = 1, port = defaultPort, newPassword }: StartLocalOptions): ServersFile {
  const servers = Array.from({ length: count }, (_, index) => ({
    name: `s${index + 1}`,
    port: port + index,
    monitorPort: port + index + monitorOffset,
    clusterPort: port + index + clusterOffset,
  }));
  return { format: 1, password: newPassword(), servers };
}

function checkSame({ servers }: ServersFile, { count, port, directory }: StartLocalOptions): void {
  const first = servers[0]?.port;
  const isSame = (count ?? servers.length) === servers.length && (port ?? first) === first;
  if (isSame) return;
  throw new TroupeError('CONFIG_INVALID', {
    detail:
      `${directory} holds ${servers.length} NATS servers from port ${first}, not ` +
      `${count ?? servers.length} from ${port ?? first}: ` +
      'start those, or name another directory with --data',
  });
}

async function checkFree(port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, thisMachine, resolve);
    });
  } catch (cause) {
    throw new TroupeError('PORT_IN_USE', {
      detail: `port ${port} of this machine is taken; choose others with --port`,
      cause,
    });
  } finally {
    server.close();
  }
}

async function stop(directory: string, { name, pid }: LocalServer): Promise<void> {
  if (pid === undefined) return;
  const isAlive = () => isServerRunning(pid, configPathOf(directory, name));
  const endsAt = performance.now() + endTimeoutMs;
  kill(pid, 'SIGTERM');
  while (await isAlive()) {
    if (performance.now() > endsAt) kill(pid, 'SIGKILL');
    await wait(lookMs);
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile, which is what was wanted.
  }
}

async function localServersOf(directory: string, file: ServersFile): Promise<LocalServers> {
  const servers = await Promise.all(
    file.servers.map(async ({ name, port, monitorPort, pid }) => {
      const config = configPathOf(directory, name);
      const isRunning = pid !== undefined && (await isServerRunning(pid, config));
      return { name, port, monitorPort, pid: isRunning ? pid : undefined, isRunning };
    }),
  );
  const hosts = servers.map(({ port }) => `${thisMachine}:${port}`);
  const [first, ...others] = hosts.map(host => `nats://${host}`);
  const own = first?.replace('//', `//${userName}:${file.password}@`) ?? '';
  return { directory, address: [own, ...others].join(','), servers };
}

function configPathOf(directory: string, name: string): string {
  return join(directory, name, 'nats-server.conf');
}

/** The plan, with what is known newly of the first of them. */
function merged(planned: readonly PlannedServer[], known: readonly PlannedServer[]) {
  return planned.map((server, index) => known[index] ?? server);
}
