/**
 * Real NATS servers for a test: one or three, on free ports, with the recommended configuration and
 * a directory of their own. A server that is missing is fetched; when that fails the test fails
 * with what to do about it. The servers die with the test's process, however that ends.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerConfig, serverConfigText } from '../../src/engines/nats/server-config.ts';
import {
  type ServerProcess,
  serverReady,
  startServer,
} from '../../src/engines/nats/server-process.ts';
import { freePorts } from './free-ports.ts';
import { lifeline } from './lifeline.ts';
import { type NatsRelease, natsRelease } from './nats-release.ts';

/** Which servers. */
export interface NatsServersOptions {
  readonly release?: NatsRelease | undefined;
  /** Three form a cluster. */
  readonly count?: 1 | 3 | undefined;
  /**
   * Whether they say how they are, as they do in production: then clients come into an account, in
   * which whoever names no user may do all.
   */
  readonly hasAccount?: boolean | undefined;
  /** Changes the configuration of each. */
  readonly configure?: ((config: ServerConfig) => ServerConfig) | undefined;
}

/** The servers of a test. */
export interface NatsServers extends AsyncDisposable {
  readonly version: string;
  /** Where clients connect, such as `nats://127.0.0.1:14222`. */
  readonly urls: readonly string[];
  readonly servers: readonly NatsServer[];
  /** Kills them all and removes their data. */
  close(): Promise<void>;
}

/** One of the servers. */
export interface NatsServer {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  /** Answers `/healthz`, `/jsz` and others. */
  readonly monitorUrl: string;
  readonly directory: string;
  readonly pid: number;
  /** Resolves when it is dead; other signals than these two do not end it, and resolve at once. */
  kill(signal?: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /**
   * Starts it again, with the same ports and data. Resolves when it takes clients, or with
   * `isWhole` when its streams are up to date too.
   */
  start(options?: { readonly isWhole?: boolean }): Promise<void>;
}

/** A cluster of three elects its first leader within some seconds. */
const readyTimeoutMs = 25_000;
const attemptsMax = 3;

/** Starts servers; resolves when all of them are ready. */
export async function natsServers(options: NatsServersOptions = {}): Promise<NatsServers> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await openServers(options);
    } catch (error) {
      // Another test may have taken a port between our look and the server's start.
      const isTaken = String(error).includes('address already in use');
      if (!isTaken || attempt === attemptsMax) throw error;
    }
  }
}

async function openServers(options: NatsServersOptions): Promise<NatsServers> {
  const { release = 'newest', count = 1, hasAccount, configure = config => config } = options;
  const { path, version } = await natsRelease(release);
  const root = await mkdtemp(join(tmpdir(), 'troupe-nats-'));
  const ports = await freePorts(count * 3);
  const numbers = Array.from({ length: count }, (_, index) => index);
  const portOf = (index: number, which: 0 | 1 | 2) => ports[index * 3 + which] ?? 0;
  const routes = numbers.map(index => `127.0.0.1:${portOf(index, 2)}`);
  const servers = numbers.map(index => {
    const name = `s${index + 1}`;
    const directory = join(root, name);
    const config: ServerConfig = {
      name,
      version,
      port: portOf(index, 0),
      monitorPort: portOf(index, 1),
      storeDirectory: join(directory, 'store'),
      access: hasAccount === true ? { users: [], isOpen: true } : undefined,
      cluster: count === 1 ? undefined : { name: 'test', port: portOf(index, 2), routes },
    };
    return serverOf(path, directory, configure(config));
  });
  const close = async () => {
    await Promise.all(servers.map(server => server.kill()));
    await rm(root, { recursive: true, force: true });
  };
  try {
    await Promise.all(servers.map(server => server.start({ isWhole: true })));
  } catch (error) {
    await close();
    throw error;
  }
  const urls = servers.map(({ url }) => url);
  return { version, urls, servers, close, [Symbol.asyncDispose]: close };
}

function serverOf(path: string, directory: string, config: ServerConfig): NatsServer {
  const { name, port, monitorPort = 0 } = config;
  const logPath = join(directory, 'log');
  const configPath = join(directory, 'conf');
  let running: ServerProcess | undefined;
  return {
    name,
    port,
    url: `nats://127.0.0.1:${port}`,
    monitorUrl: `http://127.0.0.1:${monitorPort}`,
    directory,
    get pid() {
      return running?.pid ?? 0;
    },
    async kill(signal = 'SIGKILL') {
      if (running?.isRunning !== true) return;
      process.kill(running.pid, signal);
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await running.ended;
    },
    async start({ isWhole = false } = {}) {
      await mkdir(directory, { recursive: true });
      await writeFile(configPath, serverConfigText(config));
      const program = [...lifeline(), path];
      const started = await startServer({ program, configPath, logPath, isDetached: false });
      running = started;
      const isRunning = () => started.isRunning;
      await serverReady({ monitorPort, logPath, timeoutMs: readyTimeoutMs, isRunning, isWhole });
    },
  };
}
