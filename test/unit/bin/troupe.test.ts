/** The launcher tells whoever has an old Node what is missing, in one line. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const launcher = fileURLToPath(new URL('../../../bin/troupe.js', import.meta.url));

const pretending = (version: string) => [
  '--import',
  `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`,
];

it.each(['20.19.2', '8.17.0', '23.11.0'])('refuses Node %s in one line', version => {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [...pretending(version), launcher, 'agents', 'ls'],
    { encoding: 'utf8' },
  );
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(
    /^troupe needs Node 24 or newer and this is Node [\d.]+: .*npm install.*\n$/,
  );
  expect(stderr).toContain(version);
});

it('goes on to the command line under Node 24', () => {
  const { stderr } = spawnSync(process.execPath, [...pretending('24.0.0'), launcher, '--version'], {
    encoding: 'utf8',
  });
  expect(stderr).not.toContain('troupe needs Node');
});
