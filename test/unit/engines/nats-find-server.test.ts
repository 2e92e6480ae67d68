/** Where the program of a server comes from, with programs of our own in place of the real ones. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ensureServer,
  ensureSuiteServer,
  findServer,
  serverCacheDirectory,
} from '../../../src/engines/nats/find-server.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { folderOf, type TestFolder } from '../../helpers/folder-of.ts';

const systemPath = '/usr/bin:/bin';

/** A machine with programs of ours, each the text of a shell script. */
function machine(programs: Readonly<Record<string, string>>) {
  const folder: TestFolder = folderOf({ 'bin/': '', 'cache/': '' });
  for (const [name, script] of Object.entries(programs)) put(folder, `bin/${name}`, script);
  const at = (path: string) => join(folder.path, path);
  const env = { PATH: `${at('bin')}:${systemPath}`, HOME: folder.path, NATS_SERVER_BIN: '' };
  return { folder, at, env, cacheDirectory: at('cache'), [Symbol.dispose]: folder[Symbol.dispose] };
}

function put(folder: TestFolder, path: string, script: string): void {
  const place = join(folder.path, path);
  writeFileSync(place, `#!/bin/sh\n${script}\n`);
  chmodSync(place, 0o700);
}

const server = (version: string) => `echo "nats-server: v${version}"`;

/** An apt whose mirror has only bookworm; what it was told lies in the file `told`. */
const apt = (archives: readonly string[]) => `
  told="$(dirname "$0")/../told"
  case "$*" in
    *--print-uris*)
      echo "'http://security.example/debian-security/dists/bookworm-security/InRelease' x 0"
      echo "'http://mirror.example/debian/dists/bookworm/InRelease' x 0" ;;
    *update)
      cat debian.sources >> "$told"
      for archive in ${archives.join(' ')}; do
        grep -q "URIs: $archive$" debian.sources && exit 0
      done
      echo "E: there is no such suite"
      exit 100 ;;
    *download*) echo "$*" >> "$told"; touch nats-server_1_all.deb ;;
  esac`;
const unpack = `
  test "$1 $2 $3" = "-x nats-server_1_all.deb ." || exit 1
  mkdir -p usr/sbin
  printf '#!/bin/sh\\necho "nats-server: v2.15.9"\\n' > usr/sbin/nats-server`;

describe('a server that is there', () => {
  it('is the one that is named, whatever else there is', async () => {
    using here = machine({ 'nats-server': server('2.12.0'), mine: server('2.14.2') });
    const env = { ...here.env, NATS_SERVER_BIN: here.at('bin/mine') };
    expect(await findServer({ ...here, env })).toEqual({
      path: here.at('bin/mine'),
      version: '2.14.2',
      from: 'NATS_SERVER_BIN',
    });
  });

  it.each([
    ['is not there', 'nothing', 'CONFIG_INVALID'],
    ['is something else', 'other', 'CONFIG_INVALID'],
    ['does not run', 'broken', 'CONFIG_INVALID'],
    ['is too old', 'old', 'ENGINE_UNSUPPORTED'],
  ])('is refused when the named one %s', async (_, name, code) => {
    const programs = { other: 'echo v2.15.0', broken: 'exit 1', old: server('2.9.10') };
    using here = machine({ ...programs, 'nats-server': server('2.15.0') });
    const env = { ...here.env, NATS_SERVER_BIN: here.at(`bin/${name}`) };
    const refused = await failureOf(ensureServer({ ...here, env }));
    expect(refused.code).toBe(code);
    expect(refused.detail).toContain('NATS_SERVER_BIN');
  });

  it('is the one that is installed, if it is new enough', async () => {
    using here = machine({ 'nats-server': server('2.11.0') });
    expect(await findServer(here)).toMatchObject({ version: '2.11.0', from: 'PATH' });
    expect(await findServer({ ...here, versionMin: '2.12.0' })).toBe(undefined);
  });

  it('is the one that was fetched before', async () => {
    using here = machine({ 'nats-server': server('2.9.10') });
    expect(await findServer(here)).toBe(undefined);
    const fetched = await ensureServer({
      ...here,
      env: machineEnv(here, {
        'apt-get': apt(['http://mirror.example/debian']),
        'dpkg-deb': unpack,
      }),
    });
    expect(fetched).toMatchObject({ version: '2.15.9', from: 'cache' });
    // Nothing is fetched again: apt is gone.
    put(here.folder, 'bin/apt-get', 'exit 1');
    expect(await ensureServer(here)).toEqual(fetched);
    expect(await ensureSuiteServer('sid', here)).toEqual(fetched);
  });
});

describe('a server that is fetched', () => {
  const mirror = 'http://mirror.example/debian';
  const archive = 'http://deb.debian.org/debian';

  it('comes from where the machine gets its own packages', async () => {
    using here = machine({ 'apt-get': apt([mirror]), 'dpkg-deb': unpack });
    const found = await ensureSuiteServer('sid', here);
    expect(found).toMatchObject({ version: '2.15.9', from: 'cache' });
    expect(found.path.startsWith(here.cacheDirectory)).toBe(true);
    const told = readFileSync(here.at('told'), 'utf8');
    expect(told).toContain(`URIs: ${mirror}\nSuites: sid\nComponents: main\n`);
    expect(told).toContain('download nats-server/sid');
    // The workshop is cleared away.
    expect(readdirSync(here.at('cache/nats-server'))).toEqual(['sid']);
  });

  it('comes from the public archive where the mirror lacks the suite', async () => {
    using here = machine({ 'apt-get': apt([archive]), 'dpkg-deb': unpack });
    expect((await ensureSuiteServer('sid', here)).version).toBe('2.15.9');
    const told = readFileSync(here.at('told'), 'utf8');
    expect(told.match(/URIs: .*/g)).toEqual([`URIs: ${mirror}`, `URIs: ${archive}`]);
  });

  it.each([
    ['no apt', { PATH: '/nowhere' }, 'there is no apt-get'],
    ['no such suite', {}, 'E: there is no such suite'],
  ])('fails with %s, and says what to do', async (_, env, reason) => {
    using here = machine({ 'apt-get': apt([]), 'dpkg-deb': unpack });
    const failed = await failureOf(ensureServer({ ...here, env: { ...here.env, ...env } }));
    expect(failed.code).toBe('ENGINE_UNAVAILABLE');
    expect(failed.detail).toContain(reason);
    expect(failed.detail).toContain('install nats-server, or name one in NATS_SERVER_BIN');
    expect(readdirSync(here.at('cache/nats-server'))).toEqual([]);
  });

  it('fails when the package holds no server, or one that does not run here', async () => {
    using empty = machine({ 'apt-get': apt([mirror]), 'dpkg-deb': 'exit 0' });
    expect((await failureOf(ensureServer(empty))).code).toBe('ENGINE_UNAVAILABLE');
    const alien = 'mkdir -p usr/sbin; echo alien > usr/sbin/nats-server';
    using other = machine({ 'apt-get': apt([mirror]), 'dpkg-deb': alien });
    const failed = await failureOf(ensureServer(other));
    expect(failed.detail).toContain('does not run on this machine');
    expect(existsSync(other.at('cache/nats-server/sid/nats-server'))).toBe(true);
  });
});

describe('the cache', () => {
  it('is the user’s', () => {
    expect(serverCacheDirectory({ XDG_CACHE_HOME: '/x' })).toBe('/x/troupe');
    expect(serverCacheDirectory({ XDG_CACHE_HOME: '' })).toMatch(/\/\.cache\/troupe$/);
  });
});

/** The environment of a machine that gets further programs. */
function machineEnv(
  here: { readonly folder: TestFolder; readonly env: Readonly<Record<string, string>> },
  programs: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  for (const [name, script] of Object.entries(programs)) put(here.folder, `bin/${name}`, script);
  return here.env;
}
