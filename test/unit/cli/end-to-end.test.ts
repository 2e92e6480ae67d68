/**
 * A node in a process of its own, run by `troupe dev`, and every command against it: while it runs,
 * after it was killed in the middle of a step, and on its data when it is gone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CommandResult, command } from '../../helpers/pretended-terminal.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const entry = join(root, 'src/cli/main.ts');
const desks = join(root, 'test/helpers/desk.ts');

let folder = '';
let data = '';
let running: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-end-'));
  data = join(folder, 'data');
});
afterEach(async () => {
  for (const child of running) await endGroup(child);
  running = [];
  rmSync(folder, { recursive: true, force: true });
});

it('shows and drives a node', async () => {
  await startNode();
  expect((await troupe('agents', 'types')).output).toMatch(
    /^desk +strong +yes +add \(turn\), keep/m,
  );
  expect((await troupe('agents', 'call', 'desk/a', 'add', '2')).output).toBe('2\n');
  expect(await json('agents', 'call', 'desk/a', 'add', '3')).toMatchObject({
    value: 5,
    agent: 'desk/a',
    version: 2,
  });
  const kept = '{"at":{"$date":"2026-01-31T00:00:00.000Z"}}';
  expect(await json('agents', 'call', 'desk/a', 'keep', kept)).toMatchObject({
    value: { at: { $date: '2026-01-31T00:00:00.000Z' } },
  });
  expect((await troupe('agents', 'ls', '--type', 'desk')).output).toMatch(/^desk\/a +yes +-$/m);
  expect((await troupe('agents', 'get', 'desk/a')).output).toMatch(/^version +3$/m);
  expect(await json('agents', 'state', 'desk/a')).toMatchObject({ state: { count: 5 } });
  expect((await troupe('agents', 'at', 'desk/a', '--version', '1')).output).toContain('"count": 2');
  expect((await troupe('agents', 'events', 'desk/a')).output).toMatch(
    /^ +1 .* counted {2}\{"by":2\}\n +2 .* counted {2}\{"by":3\}\n$/,
  );
  expect(await troupe('agents', 'rm', 'desk/a')).toMatchObject({ exitCode: 0 });
  expect(await json('agents', 'state', 'desk/a')).toMatchObject({ state: { count: 0 } });
});

it('says what an agent says', async () => {
  await startNode();
  const rejected = await troupe('agents', 'call', 'desk/a', 'refuse');
  expect(rejected).toMatchObject({ exitCode: 1, output: '' });
  expect(rejected.errors).toMatch(/^REJECTED \(rolled-back\): [\s\S]*"closed"/);
  const unknown = await troupe('agents', 'call', 'desk/a', 'ad', '1');
  expect(unknown.errors).toMatch(/ACTION_NOT_DEFINED[\s\S]*did you mean "add"/);
  const misfit = await troupe('agents', 'call', 'desk/a', 'add', '"one"');
  expect(misfit).toMatchObject({ exitCode: 1, errors: expect.stringContaining('INVALID_INPUT') });
});

it('gives signals to runs, and ends them', async () => {
  await startNode();
  await troupe('agents', 'send', 'desk/a', 'wait');
  const [run] = await runs();
  expect((await troupe('runs', 'ls')).output).toContain('waiting');
  const signalled = await troupe('agents', 'signal', 'desk/a', 'go', '{"word":"yes"}');
  expect(signalled).toMatchObject({ exitCode: 0 });
  expect(await json('runs', 'get', run)).toMatchObject({ status: 'done', value: 'yes' });
  await troupe('agents', 'send', 'desk/b', 'wait');
  const [other] = await runs('--status', 'waiting');
  expect((await troupe('runs', 'cancel', other, '--reason', 'late')).output).toContain('cancelled');
  expect((await troupe('runs', 'get', other)).output).toMatch(/^error +CANCELLED: .*late/m);
});

it('sends dead letters again, and drops them', async () => {
  await startNode();
  await troupe('agents', 'send', 'desk/a', 'fail');
  const letters = async () => (await page('dead', 'ls')).map(({ id }) => id);
  const [first = ''] = await until(letters, ids => ids.length === 1);
  expect((await troupe('dead', 'ls')).output).toContain('the desk is on fire');
  expect(await troupe('dead', 'retry', first)).toMatchObject({ exitCode: 0 });
  const [second = ''] = await until(letters, ids => ids.length === 1 && ids[0] !== first);
  expect(await troupe('dead', 'drop', second)).toMatchObject({ exitCode: 0 });
  expect(await letters()).toEqual([]);
  expect(await troupe('dead', 'drop', second)).toMatchObject({ exitCode: 1 });
});

it('asks a person about a step that a kill cut off, and goes on with the answer', async () => {
  const node = await startNode();
  const bell = join(folder, 'bell');
  writeFileSync(bell, '');
  await troupe('agents', 'send', 'desk/a', 'ring', JSON.stringify(bell));
  await until(
    async () => readFileSync(bell, 'utf8'),
    text => text !== '',
  );
  await end(node, 'SIGKILL');
  expect(await troupe('runs', 'ls')).toMatchObject({ exitCode: 3 });
  await startNode();
  const [run = ''] = await until(
    () => runs('--status', 'asking'),
    ids => ids.length === 1,
  );
  expect((await troupe('runs', 'get', run)).output).toMatch(/^step +bell +1 +asking +1/m);
  const answer = ['runs', 'resolve', run, 'bell', '--value', '"by hand"'];
  expect(await troupe(...answer)).toMatchObject({ exitCode: 0, errors: '' });
  const done = await until(
    () => json('runs', 'get', run) as Promise<{ status: string; value?: unknown }>,
    ({ status }) => status === 'done',
  );
  expect(done.value).toBe('by hand');
  expect(readFileSync(bell, 'utf8')).toBe('ring\n');
  expect(await troupe(...answer)).toMatchObject({ exitCode: 1 });
});

it('copies the data of a node that runs, and makes a node of the copy', async () => {
  const node = await startNode();
  await troupe('agents', 'call', 'desk/a', 'add', '7');
  const backup = join(folder, 'backup');
  expect(await troupe('backup', backup)).toMatchObject({ exitCode: 0 });
  await troupe('agents', 'call', 'desk/a', 'add', '1');
  expect(await troupe('backup', backup)).toMatchObject({ exitCode: 1 });
  await end(node, 'SIGTERM');
  expect(await troupe('restore', backup)).toMatchObject({ exitCode: 1 });
  data = join(folder, 'restored');
  const restored = await troupe('restore', backup);
  expect(restored).toMatchObject({ exitCode: 0, output: expect.stringContaining('is lost here') });
  await startNode();
  expect(await json('agents', 'state', 'desk/a')).toMatchObject({ state: { count: 7 } });
});

it('copies the data of a node that is gone', async () => {
  const node = await startNode();
  await troupe('agents', 'call', 'desk/a', 'add', '7');
  // Its address stays, and leads nowhere.
  await end(node, 'SIGKILL');
  expect(await troupe('backup', join(folder, 'backup'))).toMatchObject({ exitCode: 0 });
  const none = await command(['backup', join(folder, 'other'), '--data', join(folder, 'none')]);
  expect(none).toMatchObject({ exitCode: 1, errors: expect.stringContaining('holds no data') });
});

it.each(['while the node runs', 'while none does'])('repairs a damaged log %s', async when => {
  const node = await startNode();
  for (const text of ['one', 'DAMAGE-HERE', 'three']) {
    await troupe('agents', 'call', 'desk/a', 'keep', JSON.stringify(text));
  }
  await troupe('agents', 'call', 'desk/b', 'add', '1');
  await end(node, 'SIGTERM');
  damage('DAMAGE-HERE');
  if (when === 'while the node runs') await startNode();
  const exported = join(folder, 'export.ndjson');
  const repair = ['agents', 'repair', 'desk/a', '--export', exported];
  const look = await troupe(...repair);
  expect(look).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('consent with --yes'),
  });
  expect(readFileSync(exported, 'utf8')).toContain('"one"');
  expect(await troupe(...repair, '--yes')).toMatchObject({
    exitCode: 1,
    errors: expect.stringContaining('nothing was given up'),
  });
  rmSync(exported);
  expect(await troupe(...repair, '--yes')).toMatchObject({
    exitCode: 0,
    output: expect.stringContaining('It is repaired.'),
  });
  if (when !== 'while the node runs') await startNode();
  expect(await json('agents', 'state', 'desk/a')).toMatchObject({ state: { kept: 'one' } });
  expect(await json('agents', 'state', 'desk/b')).toMatchObject({ state: { count: 1 } });
  expect(await troupe('agents', 'repair', 'desk/a')).toMatchObject({ exitCode: 0 });
});

it('repairs the log of an agent that is in memory', async () => {
  await startNode();
  for (const text of ['one', 'DAMAGE-HERE', 'three']) {
    await troupe('agents', 'call', 'desk/a', 'keep', JSON.stringify(text));
  }
  damage('DAMAGE-HERE');
  const exported = join(folder, 'export.ndjson');
  expect(await troupe('agents', 'repair', 'desk/a', '--yes', '--export', exported)).toMatchObject({
    exitCode: 0,
    output: expect.stringContaining('It is repaired.'),
  });
  expect(await json('agents', 'state', 'desk/a')).toMatchObject({ state: { kept: 'one' } });
  expect(await json('agents', 'call', 'desk/a', 'add', '1')).toMatchObject({
    value: 1,
    version: 2,
  });
});

it('examines the node, its data, and what is left of it', async () => {
  const nothing = await json('doctor');
  expect(checks(nothing)).toMatchObject({ runtime: 'ok', 'data format': 'warning' });
  const node = await startNode();
  const alive = await json('doctor');
  expect(checks(alive)).toMatchObject({
    node: 'ok',
    engine: 'ok',
    'disk flush': 'ok',
    recovery: 'ok',
  });
  await troupe('agents', 'call', 'desk/a', 'keep', '"DAMAGE-HERE"');
  await troupe('agents', 'call', 'desk/a', 'keep', '"three"');
  await end(node, 'SIGTERM');
  expect(checks(await json('doctor'))).toMatchObject({ lock: 'ok', recovery: 'ok' });
  damage('DAMAGE-HERE', 'desk/a');
  const damaged = await troupe('doctor');
  expect(damaged).toMatchObject({ exitCode: 1 });
  expect(damaged.output).toMatch(/^failed +recovery +1 damaged logs: desk\/a/m);
});

it('starts no second node on the same data, and none on a port that is taken', async () => {
  await startNode();
  const second = await devThatFails('--data', data);
  expect(second).toMatchObject({ code: 1, said: expect.stringContaining('DATA_LOCKED') });
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const third = await devThatFails('--data', join(folder, 'other'), '--port', String(port));
  expect(third).toMatchObject({ code: 1, said: expect.stringContaining('PORT_IN_USE') });
  await new Promise(resolve => server.close(resolve));
});

it('ends with its node, and leaves no address behind', async () => {
  const node = await startNode();
  expect(readdirSync(data)).toContain('admin.json');
  expect(await end(node, 'SIGTERM')).toEqual([0, null]);
  expect(readdirSync(data).filter(name => name.startsWith('admin'))).toEqual([]);
});

it('says what a module lacks', async () => {
  const file = join(folder, 'module.ts');
  writeFileSync(file, 'export const agent = 1;');
  expect(await devThatFails('--data', data, file)).toMatchObject({
    code: 1,
    said: expect.stringMatching(/exports agent; write `export const agents = /),
  });
});

it('starts the node anew when its module changes', async () => {
  const file = join(folder, 'desks.ts');
  const source = `export { agents } from ${JSON.stringify(desks)};\n`;
  writeFileSync(file, source);
  const node = start(['dev', file, '--data', data]);
  await saying(node, 'running desk on');
  await troupe('agents', 'call', 'desk/a', 'add', '4');
  const again = saying(node, 'running desk on');
  writeFileSync(file, `// another text\n${source}`);
  await again;
  expect(await json('agents', 'state', 'desk/a')).toMatchObject({ state: { count: 4 } });
  expect(await end(node, 'SIGTERM')).toEqual([0, null]);
  expect(readdirSync(data)).not.toContain('admin.json');
});

it('ends with the codes that scripts go by, as a process too', async () => {
  const ended = await Promise.all([
    exited(start(['explain', 'DISK_FULL'])),
    exited(start(['explain', 'DISC_FULL'])),
    exited(start(['agents', 'ls', '--data', data])),
    exited(start(['backup', join(folder, 'b'), '--data', data])),
  ]);
  expect(ended).toEqual([0, 2, 3, 1]);
});

function troupe(...typed: string[]): Promise<CommandResult> {
  return command(typed, { env: { TROUPE_DATA: data } });
}

async function json(...typed: string[]): Promise<unknown> {
  const { output, errors } = await troupe(...typed, '--json');
  expect(errors).toBe('');
  return JSON.parse(output);
}

async function page(...typed: string[]): Promise<{ id: string }[]> {
  return ((await json(...typed)) as { items: { id: string }[] }).items;
}

async function runs(...filter: string[]): Promise<[string, ...string[]]> {
  const ids = (await page('runs', 'ls', ...filter)).map(({ id }) => id);
  return ids as [string, ...string[]];
}

function checks(answer: unknown): Record<string, string> {
  const found = answer as { name: string; result: string }[];
  return Object.fromEntries(found.map(({ name, result }) => [name, result]));
}

/** Looks again until what is found is right; the time limit of the test is the bound. */
async function until<T>(look: () => Promise<T>, isRight: (found: T) => boolean): Promise<T> {
  while (true) {
    const found = await look();
    if (isRight(found)) return found;
    await new Promise(resolve => setImmediate(resolve));
  }
}

function start(typed: readonly string[]): ChildProcess {
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  // A group of its own, so that what it started can be ended with it.
  const child = spawn(process.execPath, [entry, ...typed], { stdio: [...stdio], detached: true });
  running.push(child);
  return child;
}

async function startNode(): Promise<ChildProcess> {
  const child = start(['dev', desks, '--no-watch', '--data', data]);
  await saying(child, 'running desk on');
  return child;
}

async function devThatFails(...options: string[]): Promise<{ code: unknown; said: string }> {
  const file = options.some(option => option.endsWith('.ts')) ? [] : [desks];
  const child = start(['dev', '--no-watch', ...file, ...options]);
  let said = '';
  child.stderr?.on('data', text => {
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

/** Waits until a process says something; fails when it ends without. */
async function saying(child: ChildProcess, words: string): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', text => {
      said += text;
      if (said.includes(words)) resolve();
    });
    child.once('close', code => reject(new Error(`it ended with ${code} and said: ${said}`)));
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<[unknown, unknown]> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
  return [child.exitCode, child.signalCode];
}

/** Ends a process, if it lives, and all that it started. */
async function endGroup(child: ChildProcess): Promise<void> {
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
  await end(child, 'SIGKILL');
}

async function exited(child: ChildProcess): Promise<unknown> {
  const [code] = (await once(child, 'exit')) as [number];
  return code;
}

/** Flips a bit of a text in the log, or of another one that stands before it. */
function damage(text: string, before?: string): void {
  for (const name of readdirSync(join(data, 'log'))) {
    const path = join(data, 'log', name);
    const bytes = readFileSync(path);
    const found = bytes.lastIndexOf(text);
    if (found < 0) continue;
    const place = before === undefined ? found : bytes.lastIndexOf(before, found);
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    return;
  }
  throw new Error(`${text} is in no segment`);
}
