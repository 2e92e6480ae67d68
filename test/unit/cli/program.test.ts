/** How commands are read, and how they end, where no node is needed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorCodes } from '../../../src/core/error-codes.ts';
import { writeAdminFiles } from '../../../src/gateway/admin-files.ts';
import { command } from '../../helpers/pretended-terminal.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a command that makes no sense', () => {
  it.each([
    [[], /Usage: troupe/],
    [['agents'], /Usage: troupe agents/],
    [['agnets', 'ls'], /unknown command 'agnets'[\s\S]*Did you mean agents/],
    [['agents', 'lss'], /unknown command 'lss'[\s\S]*Did you mean ls/],
    [['agents', 'ls', '--tpye', 'x'], /unknown option '--tpye'[\s\S]*Did you mean --type/],
    [['agents', 'get'], /missing required argument 'address'/],
    [['agents', 'call', 'desk/a', 'add', '{1'], /the input is not JSON/],
    [['agents', 'call', 'desk/a', 'add', '1', '--priority', 'now'], /Allowed choices are high/],
    [['agents', 'at', 'desk/a'], /--version or --time/],
    [['agents', 'at', 'desk/a', '--version', '1', '--time', 'x'], /--version or --time/],
    [['agents', 'at', 'desk/a', '--version', 'one'], /not a whole number/],
    [['runs', 'ls', '--status', 'asleep'], /Allowed choices are running/],
    [['runs', 'resolve', 'desk/a#1', 'bell'], /one of --value JSON, --retry and --fail/],
    [['runs', 'resolve', 'r', 's', '--retry', '--fail'], /one of --value JSON, --retry and --fail/],
    [['runs', 'resolve', 'r', 's', '--value', 'x'], /--value is not JSON/],
    [['explain', 'MAILBOX_FUL'], /did you mean "MAILBOX_FULL"/],
    [['agents', 'ls', '--url', 'ftp://x', '--token', 't'], /not an address like http/],
    [['agents', 'ls', '--url', 'http://127.0.0.1:1'], /--url needs --token/],
  ])('%j ends with 2 and says so', async (typed, complaint) => {
    const { exitCode, output, errors } = await command([...typed], {
      env: { TROUPE_DATA: folder },
    });
    expect(errors).toMatch(complaint);
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' });
  });
});

describe('help and version', () => {
  it.each([[['--help']], [['agents', '--help']], [['agents', 'call', '-h']], [['--version']]])(
    '%j end with 0',
    async typed => {
      const { exitCode, output, errors } = await command(typed);
      expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
      expect(output).not.toBe('');
    },
  );

  it('say that every command takes --json', async () => {
    for (const typed of [['doctor'], ['agents', 'ls'], ['runs', 'resolve'], ['restore']]) {
      expect((await command([...typed, '--help'])).output).toContain('--json');
    }
  });
});

describe('explain', () => {
  it.each(Object.entries(errorCodes))('knows %s', async (code, { meaning, remedy, outcome }) => {
    const { exitCode, output } = await command(['explain', code]);
    expect(exitCode).toBe(0);
    for (const text of [code, meaning, remedy, outcome]) expect(output).toContain(text);
  });

  it('takes codes as people type them, and prints JSON', async () => {
    const { output } = await command(['explain', 'disk_full', '--json']);
    expect(JSON.parse(output)).toEqual({ code: 'DISK_FULL', ...errorCodes.DISK_FULL });
    const all = JSON.parse((await command(['--json', 'explain'])).output) as { code: string }[];
    expect(all.map(({ code }) => code)).toEqual(Object.keys(errorCodes));
  });
});

describe('a node that is not there', () => {
  const asked = [
    ['agents', 'ls'],
    ['runs', 'ls'],
    ['dead', 'ls'],
    ['agents', 'get', 'desk/a'],
  ];

  it.each(asked.map(typed => [typed]))('ends %j with 3', async typed => {
    const { exitCode, errors, output } = await command(typed, { env: { TROUPE_DATA: folder } });
    expect(errors).toMatch(/^NODE_UNREACHABLE \(not-executed\): no node with an admin API uses .*/);
    expect(errors).toContain('troupe dev');
    expect({ exitCode, output }).toEqual({ exitCode: 3, output: '' });
  });

  it('is told as JSON where JSON is asked for', async () => {
    const { errors } = await command(['agents', 'ls', '--json', '--data', folder]);
    expect(JSON.parse(errors)).toMatchObject({
      error: { code: 'NODE_UNREACHABLE', outcome: 'not-executed', remedy: expect.any(String) },
    });
  });

  it('is told when its address is an old one', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    writeAdminFiles(folder, { formatVersion: 1, url, pid: 1 }, 'token');
    const { exitCode, errors } = await command(['agents', 'ls', '--data', folder]);
    expect(exitCode).toBe(3);
    expect(errors).toContain(`no node answers at ${url}`);
  });

  it('is told when something else answers', async () => {
    await using other = await serverThat(response => response.end('<html>'));
    const { exitCode, errors } = await command(['agents', 'ls', ...other.options]);
    expect(exitCode).toBe(3);
    expect(errors).toContain('is no troupe node');
  });

  it('leaves open what became of a call when it goes away in the middle', async () => {
    await using other = await serverThat(response => response.destroy());
    const { exitCode, errors } = await command([
      'agents',
      'call',
      'desk/a',
      'add',
      ...other.options,
    ]);
    expect(exitCode).toBe(3);
    expect(errors).toMatch(/^NODE_UNREACHABLE \(unknown\)/);
  });

  it('leaves open what became of it when the answer is cut off', async () => {
    await using other = await serverThat(response => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"value":', () => response.destroy());
    });
    const { errors } = await command(['agents', 'call', 'desk/a', 'add', ...other.options]);
    expect(errors).toMatch(/^NODE_UNREACHABLE \(unknown\)/);
  });
});

describe('a newer node', () => {
  it('may answer with a code that this version does not know', async () => {
    await using other = await serverThat(response => {
      response.end('{"error":{"code":"NEW_CODE","outcome":"executed","detail":"news"}}');
    });
    const { exitCode, errors } = await command(['agents', 'ls', ...other.options]);
    expect({ exitCode, errors }).toEqual({ exitCode: 1, errors: 'NEW_CODE (executed): news\n' });
  });

  it('may have left files that this version does not read', async () => {
    writeFileSync(join(folder, 'admin.json'), '{"formatVersion":2}');
    const { exitCode, errors } = await command(['agents', 'ls', '--data', folder]);
    expect(exitCode).toBe(1);
    expect(errors).toContain('ENGINE_UNSUPPORTED');
  });
});

interface Other extends AsyncDisposable {
  readonly options: readonly string[];
}

type Answering = (response: import('node:http').ServerResponse) => void;

async function serverThat(answer: Answering): Promise<Other> {
  const server = createServer((_request, response) => answer(response));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    options: ['--url', `http://127.0.0.1:${port}`, '--token', 't'],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
