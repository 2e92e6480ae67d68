/** `troupe engine`: real servers, started and ended by the command. */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectNats } from '../../../src/engines/nats/connection.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import type { LocalEngine } from '../../../src/node/local-engine.ts';
import { folderOf, type TestFolder } from '../../helpers/folder-of.ts';
import { freePorts } from '../../helpers/free-ports.ts';
import { natsRelease } from '../../helpers/nats-release.ts';
import { command } from '../../helpers/pretended-terminal.ts';

let folder: TestFolder;
let env: Readonly<Record<string, string | undefined>>;
let port = 0;
beforeEach(async () => {
  folder = folderOf({});
  const { path } = await natsRelease('newest');
  env = { ...process.env, NATS_SERVER_BIN: path, TROUPE_DATA: folder.path };
  [port = 0] = await freePorts(1);
});
afterEach(async () => {
  await command(['engine', 'down'], { env });
  folder[Symbol.dispose]();
});

const filePath = () => join(folder.path, 'nats', 'servers.json');

/** Runs a sub-command; the answer in JSON. */
async function engine(...typed: readonly string[]) {
  const { exitCode, output, errors } = await command(['engine', ...typed, '--json'], { env });
  const answer = output === '' ? undefined : (JSON.parse(output) as LocalEngine);
  const error = errors === '' ? undefined : JSON.parse(errors).error;
  return { exitCode, answer, error, pids: answer?.servers?.map(({ pid }) => pid) ?? [] };
}

describe('one server', () => {
  it('is started, used, looked at and ended, and keeps its data', async () => {
    const up = await command(['engine', 'up', '--port', String(port)], { env });
    expect(up).toMatchObject({ exitCode: 0, errors: '' });
    expect(up.output).toMatch(/^SERVER +STATE +VERSION .*\ns1 +ready +2\./);
    const { answer } = await engine('status');
    const { address = '' } = answer ?? {};
    expect(up.output).toContain(`cluster  ${address}`);
    const create = '$JS.API.STREAM.CREATE.tp_x_log_0';
    const stream = JSON.stringify({ name: 'tp_x_log_0', subjects: ['tp.x.log.>'] });
    {
      await using client = await connectNats({ servers: address }, { clock: systemClock() });
      const reply = await client.request(create, new TextEncoder().encode(stream), {
        timeoutMs: 5_000,
      });
      expect(reply.status).toBe('answered');
    }
    expect(await command(['engine', 'down'], { env })).toMatchObject({
      exitCode: 0,
      output: 'ended 1 NATS server; the data stay\n',
    });
    const down = await engine('status');
    expect(down).toMatchObject({ exitCode: 1, answer: { servers: [{ isRunning: false }] } });
    const again = await engine('up');
    expect(again).toMatchObject({
      exitCode: 0,
      answer: { address, servers: [{ port, streamCount: 1 }] },
    });
  });

  it('is not started twice, and again when it was killed', async () => {
    const first = await engine('up', '--port', String(port));
    const second = await engine('up', '--servers', '1');
    expect(second.pids).toEqual(first.pids);
    process.kill(first.pids[0] ?? 0, 'SIGKILL');
    const third = await engine('up');
    expect(third).toMatchObject({ exitCode: 0, answer: { servers: [{ isRunning: true }] } });
    expect(third.pids).not.toEqual(first.pids);
  });

  it('keeps its secrets from other users of the machine', async () => {
    await engine('up', '--port', String(port));
    const modes = [filePath(), join(folder.path, 'nats/s1/nats-server.conf')].map(
      path => statSync(path).mode & 0o777,
    );
    expect(modes).toEqual([0o600, 0o600]);
  });

  it('is not taken for another process that got its number', async () => {
    await engine('up', '--port', String(port));
    await engine('down');
    const file = JSON.parse(readFileSync(filePath(), 'utf8'));
    file.servers[0].pid = process.pid;
    writeFileSync(filePath(), JSON.stringify(file));
    expect(await engine('status')).toMatchObject({ answer: { servers: [{ isRunning: false }] } });
    // Were it taken for the server, this would end the process of the test.
    expect(await engine('down')).toMatchObject({ exitCode: 0, answer: { stopped: 0 } });
  });
});

describe('three servers', () => {
  it('are a cluster with a leader, and heal when one was killed', async () => {
    const up = await engine('up', '--servers', '3', '--port', String(port));
    expect(up.exitCode).toBe(0);
    const leaders = up.answer?.servers.map(({ leader }) => leader) ?? [];
    expect(leaders[0]).toMatch(/^s[123]$/);
    process.kill(up.pids[1] ?? 0, 'SIGKILL');
    await expect
      .poll(() => engine('status'))
      .toMatchObject({ exitCode: 1, answer: { servers: [{}, { isRunning: false }, {}] } });
    expect(await engine('up')).toMatchObject({
      exitCode: 0,
      answer: { servers: [{ pid: up.pids[0] }, { isRunning: true }, { pid: up.pids[2] }] },
    });
    expect(await engine('down')).toMatchObject({ answer: { stopped: 3 } });
  });
});

describe('what cannot be', () => {
  it('is another number of servers, or another port, than there are', async () => {
    await engine('up', '--port', String(port));
    for (const typed of [
      ['--servers', '3'],
      ['--port', '1'],
    ]) {
      const { exitCode, error } = await engine('up', ...typed);
      expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'CONFIG_INVALID' });
      expect(error.detail).toContain(`1 NATS servers from port ${port}`);
    }
    expect(await engine('up', '--servers', '2')).toMatchObject({ exitCode: 2 });
  });

  it('is a port that is taken', async () => {
    const other = createServer();
    await new Promise<void>(resolve => other.listen(port, '127.0.0.1', resolve));
    const { exitCode, error } = await engine('up', '--port', String(port));
    other.close();
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'PORT_IN_USE' });
    expect(error.detail).toContain('--port');
  });

  it('is a server that ends at once: its last words are told', async () => {
    const program = join(folder.path, 'broken');
    const script = 'test "$1" = -v && echo "nats-server: v2.15.1" && exit; echo I give up; exit 1';
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o700);
    const typed = ['engine', 'up', '--port', String(port)];
    const failed = await command(typed, { env: { ...env, NATS_SERVER_BIN: program } });
    expect(failed.exitCode).toBe(1);
    expect(failed.errors).toContain('ENGINE_UNAVAILABLE');
    expect(failed.errors).toContain('I give up');
  });

  it('is a file of another version', async () => {
    await engine('up', '--port', String(port));
    await engine('down');
    for (const text of ['{', '{"format":2}']) {
      writeFileSync(filePath(), text);
      expect(await engine('status')).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
    }
  });

  it('is to look at what never was', async () => {
    expect(await engine('down')).toMatchObject({ exitCode: 0, answer: { stopped: 0 } });
    const status = await command(['engine', 'status'], { env });
    expect(status.exitCode).toBe(1);
    expect(status.output).toContain('troupe engine up');
  });
});
