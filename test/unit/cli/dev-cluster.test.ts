/**
 * `troupe dev --cluster`: agents on the servers of `troupe engine up`, killed and started again.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { LocalEngine } from '../../../src/node/local-engine.ts';
import { folderOf } from '../../helpers/folder-of.ts';
import { freePorts } from '../../helpers/free-ports.ts';
import { natsRelease } from '../../helpers/nats-release.ts';
import { command } from '../../helpers/pretended-terminal.ts';
import { runProgram } from '../../helpers/run-program.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const entry = join(root, 'src/cli/main.ts');
const desks = join(root, 'test/helpers/desk.ts');

it('runs agents on the servers, and goes on at once after a kill', async () => {
  using folder = folderOf({});
  const { path } = await natsRelease('newest');
  const env = { ...process.env, NATS_SERVER_BIN: path, TROUPE_DATA: folder.path };
  const [port = 0] = await freePorts(1);
  const up = await command(['engine', 'up', '--port', String(port), '--json'], { env });
  const { address } = JSON.parse(up.output) as LocalEngine;
  const start = () => {
    const typed = ['dev', desks, '--no-watch', '--data', folder.path, '--cluster', address];
    return runProgram([process.execPath, entry, ...typed], {});
  };
  const add = () => command(['agents', 'call', 'desk/a', 'add', '2'], { env });
  try {
    const first = start();
    await first.said(/running desk on the cluster/);
    expect((await add()).output).toBe('2\n');
    await first.kill();
    const second = start();
    await second.said(/running desk on the cluster/);
    expect((await add()).output).toBe('4\n');
    const backup = await command(['backup', join(folder.path, 'copy')], { env });
    expect(backup).toMatchObject({ output: expect.stringMatching(/agents +1\n/), errors: '' });
    await second.kill();
  } finally {
    await command(['engine', 'down'], { env });
  }
});
