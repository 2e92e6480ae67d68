/**
 * Finds the program of a NATS server: the one that is named, the one that is installed if it is new
 * enough, the one that was fetched before; if need be it fetches one.
 */
import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { TroupeError } from '../../core/errors.ts';
import { runProgram } from './child-program.ts';
import { cachedServerPath, fetchServer, type ServerSuite } from './fetch-server.ts';
import { isAtLeast, oldestClusterVersion, versionIn } from './server-version.ts';

/** A server that is there. */
export interface FoundServer {
  readonly path: string;
  /** For example `2.15.1`. */
  readonly version: string;
  readonly from: 'NATS_SERVER_BIN' | 'PATH' | 'cache';
}

/** What is looked for, and where. */
export interface FindOptions {
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Where fetched servers are kept; by default this user's cache. */
  readonly cacheDirectory?: string | undefined;
  /** Older ones of `PATH` are passed over, and one that is named is refused. */
  readonly versionMin?: string | undefined;
}

/** Servers answer at once; a machine under load may not. */
const versionTimeoutMs = 20_000;

/** Where this user's fetched servers are kept. */
export function serverCacheDirectory(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const base = env.XDG_CACHE_HOME;
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'troupe');
}

/**
 * The server that is there already; nothing when there is none.
 *
 * @throws `CONFIG_INVALID` when `NATS_SERVER_BIN` names no server, `ENGINE_UNSUPPORTED` when it
 * names one that is too old.
 */
export async function findServer(options: FindOptions = {}): Promise<FoundServer | undefined> {
  const { env = process.env, versionMin = oldestClusterVersion } = options;
  const named = env.NATS_SERVER_BIN;
  if (named !== undefined && named !== '') return namedServer(named, versionMin);
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'nats-server');
    const version = folder === '' ? undefined : await versionOf(path);
    if (version !== undefined && isAtLeast(version, versionMin)) {
      return { path, version, from: 'PATH' };
    }
  }
  const cached = await cachedServer('sid', options);
  return cached !== undefined && isAtLeast(cached.version, versionMin) ? cached : undefined;
}

/**
 * The server that is there already, or else the newest of Debian's, fetched now.
 *
 * @throws As {@link findServer}; `ENGINE_UNAVAILABLE` when none can be fetched.
 */
export async function ensureServer(options: FindOptions = {}): Promise<FoundServer> {
  return (await findServer(options)) ?? (await fetchedServer('sid', options));
}

/**
 * The server of one suite of Debian, whatever else is installed; fetched now if it never was.
 *
 * @throws `ENGINE_UNAVAILABLE` when it cannot be fetched.
 */
export async function ensureSuiteServer(
  suite: ServerSuite,
  options: FindOptions = {},
): Promise<FoundServer> {
  return (await cachedServer(suite, options)) ?? (await fetchedServer(suite, options));
}

async function namedServer(path: string, versionMin: string): Promise<FoundServer> {
  const version = await versionOf(path);
  if (version === undefined) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `NATS_SERVER_BIN names ${path}, which is no NATS server that runs here`,
    });
  }
  if (!isAtLeast(version, versionMin)) {
    throw new TroupeError('ENGINE_UNSUPPORTED', {
      detail: `NATS_SERVER_BIN names a server ${version}; at least ${versionMin} is needed`,
    });
  }
  return { path, version, from: 'NATS_SERVER_BIN' };
}

async function cachedServer(
  suite: ServerSuite,
  options: FindOptions,
): Promise<FoundServer | undefined> {
  const path = cachedServerPath({ suite, cacheDirectory: cacheOf(options) });
  const version = await versionOf(path);
  return version === undefined ? undefined : { path, version, from: 'cache' };
}

async function fetchedServer(suite: ServerSuite, options: FindOptions): Promise<FoundServer> {
  const { env } = options;
  const path = await fetchServer({ suite, cacheDirectory: cacheOf(options), env });
  const version = await versionOf(path);
  if (version !== undefined) return { path, version, from: 'cache' };
  throw new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `the NATS server of Debian ${suite} does not run on this machine: name another in NATS_SERVER_BIN`,
  });
}

function cacheOf({ cacheDirectory, env }: FindOptions): string {
  return cacheDirectory ?? serverCacheDirectory(env);
}

/** What the program says of itself; nothing when there is none or it is something else. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
  } catch {
    return undefined;
  }
  const { isOk, output } = await runProgram(path, ['-v'], { timeoutMs: versionTimeoutMs });
  return isOk && output.startsWith('nats-server:') ? versionIn(output) : undefined;
}
