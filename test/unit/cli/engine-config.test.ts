/** `troupe engine config`: the files for production, read by a real server. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runProgram } from '../../../src/engines/nats/child-program.ts';
import { certificateAuthority } from '../../helpers/certificates.ts';
import { folderOf } from '../../helpers/folder-of.ts';
import { natsRelease } from '../../helpers/nats-release.ts';
import { command } from '../../helpers/pretended-terminal.ts';

const threeServers = ['a', 'b', 'c'].flatMap(name => ['--server', `${name}=${name}.example`]);

/** The command, with files in a folder. */
function config(directory: string, ...typed: readonly string[]) {
  return command(['engine', 'config', 'shop', directory, ...typed]);
}

it('writes what the newest server and the oldest for three replicas can read', async () => {
  using folder = folderOf({ 'tls/': '' });
  const authority = certificateAuthority('an authority');
  const { cert, key } = authority.issue('a server');
  const certificates = join(folder.path, 'tls');
  for (const [name, text] of Object.entries({ cert, key, ca: authority.cert })) {
    writeFileSync(join(certificates, `${name}.pem`), text);
  }
  const out = join(folder.path, 'out');
  const typed = ['--node', 'n1', 'n2', '--certificates', certificates, '--store', '/var/lib/x'];
  const { exitCode, output, errors } = await config(out, ...threeServers, ...typed);
  expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
  expect(output).toContain('tls://a.example:4222,tls://b.example:4222,tls://c.example:4222');
  expect(output).toMatch(/^n1 +node +n1\.nk +_INBOX\.shop\.n1$/m);
  const { path } = await natsRelease('newest');
  for (const name of ['a', 'b', 'c']) {
    const file = join(out, `${name}.conf`);
    const test = await runProgram(path, ['-t', '-c', file], { timeoutMs: 20_000 });
    expect(test.output).toContain('is valid');
    expect(readFileSync(file, 'utf8')).toContain('store_dir: "/var/lib/x"');
  }
});

it('keeps keys, and adds those of a new node', async () => {
  using folder = folderOf({});
  const texts = () =>
    Object.fromEntries(
      readdirSync(folder.path).map(name => [name, readFileSync(join(folder.path, name), 'utf8')]),
    );
  await config(folder.path, ...threeServers, '--node', 'n1');
  const before = texts();
  expect(Object.keys(before)).toEqual([
    'a.conf',
    'b.conf',
    'c.conf',
    'n1.nk',
    'operator.nk',
    'route.secret',
  ]);
  await config(folder.path, ...threeServers, '--node', 'n1', '--node', 'n2');
  const { 'n2.nk': added, ...after } = texts();
  expect(added).toMatch(/^SU[A-Z2-7]{56}\n$/);
  for (const name of ['n1.nk', 'operator.nk', 'route.secret']) {
    expect(after[name]).toBe(before[name]);
  }
  expect(after['a.conf']).toContain('the node n2');
  expect(after['a.conf']).not.toContain(added?.trim());
  for (const name of readdirSync(folder.path)) {
    expect(statSync(join(folder.path, name)).mode & 0o777).toBe(0o600);
  }
});

it.each([
  ['two servers', 1, ['--server', 'a=x', '--server', 'b=y', '--node', 'n']],
  ['one server twice', 1, ['--server', 'a=x', 'a=y', 'c=z', '--node', 'n']],
  ['a host that is none', 1, ['--server', 'a=x y', '--node', 'n']],
  ['a node that is no word', 1, ['--server', 'a=x', '--node', 'n.1']],
  ['a node twice', 1, ['--server', 'a=x', '--node', 'n', 'n']],
  ['a server without a host', 2, ['--server', 'a', '--node', 'n']],
  ['no node', 2, ['--server', 'a=x']],
])('refuses %s, and writes nothing', async (_, status, typed) => {
  using folder = folderOf({});
  const { exitCode } = await config(folder.path, ...typed);
  expect(exitCode).toBe(status);
  expect(readdirSync(folder.path)).toEqual([]);
});

it('refuses a key that is none, and a directory that cannot be written', async () => {
  using folder = folderOf({ 'n.nk': 'nothing\n', file: '' });
  for (const directory of [folder.path, join(folder.path, 'file')]) {
    const { exitCode, errors } = await config(directory, '--server', 'a=x', '--node', 'n');
    expect(exitCode).toBe(1);
    expect(errors).toContain('CONFIG_INVALID');
  }
});
