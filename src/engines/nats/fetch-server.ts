/**
 * Gets a NATS server from Debian's packages without installing it and without root: apt runs with
 * directories and sources of its own, checks signatures and hashes as ever, and the package is
 * unpacked into a cache. Mirror, proxy and credentials are those of the machine's own apt.
 */
import { access, chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TroupeError, wrapError } from '../../core/errors.ts';
import { type ProgramResult, runProgram } from './child-program.ts';

/** The suites of Debian that a server is taken from: the newest, or Debian 12's own. */
export type ServerSuite = 'sid' | 'bookworm';

/** What to get, and where to keep it. */
export interface FetchOptions {
  readonly suite: ServerSuite;
  /** A directory of this user's own. */
  readonly cacheDirectory: string;
  /** Where programs are found, and what they are told; by default as in this process. */
  readonly env?: ProgramEnv | undefined;
}

type ProgramEnv = Readonly<Record<string, string | undefined>>;

const publicArchive = 'http://deb.debian.org/debian';
const archiveKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const packageName = 'nats-server';
const programInPackage = `usr/sbin/${packageName}`;
/** An index of a suite has 11 MB: a slow line is given its time. */
const fetchTimeoutMs = 240_000;
const suites = /^(stable|oldstable|testing|unstable|sid|bullseye|bookworm|trixie|forky|duke)$/;

/** Where the cache keeps the server of a suite. */
export function cachedServerPath({
  suite,
  cacheDirectory,
}: Pick<FetchOptions, 'suite' | 'cacheDirectory'>): string {
  return join(cacheDirectory, packageName, suite, packageName);
}

/**
 * Fetches a server into the cache, also when one is there; returns its path.
 *
 * @remarks Several processes may fetch at the same time: each works apart, and the last one stays.
 * @throws `ENGINE_UNAVAILABLE` when there is no apt, no network or no such package.
 */
export async function fetchServer(options: FetchOptions): Promise<string> {
  const home = join(options.cacheDirectory, packageName);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const workshop = await mkdtemp(join(home, 'fetch-'));
  try {
    const fetched = await fetchInto(workshop, options);
    const path = cachedServerPath(options);
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
    await rename(fetched, path);
    return path;
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function fetchInto(workshop: string, { suite, env }: FetchOptions): Promise<string> {
  const mirror = await machineArchive(workshop, env);
  const first = await download({ workshop, suite, env, archive: mirror ?? publicArchive });
  if (!first.isOk && mirror !== undefined && mirror !== publicArchive) {
    // A mirror of one's own may lack the suite; the archive that it mirrors has it.
    const second = await download({ workshop, suite, env, archive: publicArchive });
    if (!second.isOk) throw refusal(suite, second);
  } else if (!first.isOk) throw refusal(suite, first);
  const unpacked = join(workshop, programInPackage);
  try {
    await chmod(unpacked, 0o700);
  } catch (error) {
    throw wrapError('ENGINE_UNAVAILABLE', error, `the package of ${suite} holds no server`);
  }
  return unpacked;
}

interface DownloadOptions {
  readonly workshop: string;
  readonly suite: ServerSuite;
  readonly archive: string;
  readonly env: ProgramEnv | undefined;
}

/** The archive that the machine's own apt takes Debian from; it need not have read it yet. */
async function machineArchive(
  workshop: string,
  env: ProgramEnv | undefined,
): Promise<string | undefined> {
  await layOut(workshop, {});
  const own = ['-c', join(workshop, 'lists.conf'), 'update', '--print-uris'];
  const { output } = await runProgram('apt-get', own, { timeoutMs: fetchTimeoutMs, env });
  for (const [, archive, suite = ''] of output.matchAll(
    /^'(\S+?)\/+dists\/([^/\s]+)\/InRelease'/gm,
  )) {
    if (suites.test(suite)) return archive;
  }
  return undefined;
}

async function download(options: DownloadOptions): Promise<ProgramResult> {
  const { workshop, suite, archive, env } = options;
  await layOut(workshop, { sources: await sourcesText(archive, suite) });
  const configuration = ['-q', '-c', join(workshop, 'fetch.conf')];
  const how = { timeoutMs: fetchTimeoutMs, directory: workshop, env };
  const updated = await runProgram('apt-get', [...configuration, 'update'], how);
  if (!updated.isOk) return updated;
  const wanted = `${packageName}/${suite}`;
  const got = await runProgram('apt-get', [...configuration, 'download', wanted], how);
  if (!got.isOk) return got;
  const script = `exec dpkg-deb -x ${packageName}_*.deb .`;
  return runProgram('sh', ['-c', script], how);
}

async function sourcesText(archive: string, suite: ServerSuite): Promise<string> {
  const lines = ['Types: deb', `URIs: ${archive}`, `Suites: ${suite}`, 'Components: main'];
  const isThere = await access(archiveKeyring).then(
    () => true,
    () => false,
  );
  // Without that file apt looks among the keys that it trusts anyway.
  if (isThere) lines.push(`Signed-By: ${archiveKeyring}`);
  return `${lines.join('\n')}\n`;
}

/**
 * Writes the configurations of apt: `lists.conf` reads the machine's own sources, `fetch.conf` only
 * those given here. Both keep all state in the workshop, and read what else the machine says.
 */
async function layOut(workshop: string, { sources = '' }: { sources?: string }): Promise<void> {
  const inside = (...parts: readonly string[]) => JSON.stringify(join(workshop, ...parts));
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'parts']) {
    await mkdir(join(workshop, folder), { recursive: true });
  }
  const apart = [
    // What others hang on apt is for the machine's own packages.
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    `Dir::State ${inside('state')};`,
    `Dir::State::status ${inside('state', 'status')};`,
    `Dir::Cache ${inside('cache')};`,
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    'Acquire::http::Timeout "20";',
    'Acquire::https::Timeout "20";',
  ];
  const ownSources = [
    `Dir::Etc::SourceList ${inside('debian.sources')};`,
    `Dir::Etc::SourceParts ${inside('parts')};`,
    `Dir::Etc::Preferences ${inside('parts', 'none')};`,
    `Dir::Etc::PreferencesParts ${inside('parts')};`,
  ];
  await writeFile(join(workshop, 'state', 'status'), '');
  await writeFile(join(workshop, 'debian.sources'), sources);
  await writeFile(join(workshop, 'lists.conf'), `${apart.join('\n')}\n`);
  await writeFile(join(workshop, 'fetch.conf'), `${[...apart, ...ownSources].join('\n')}\n`);
}

function refusal(suite: ServerSuite, { isMissing, output }: ProgramResult): TroupeError {
  const remedy = 'install nats-server, or name one in NATS_SERVER_BIN';
  const why = isMissing
    ? 'there is no apt-get here'
    : (output.split('\n').findLast(line => /^[EW]:/.test(line)) ?? output.slice(-300));
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `no NATS server could be fetched from Debian ${suite} (${why}): ${remedy}`,
  });
}
