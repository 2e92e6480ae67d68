/**
 * How long does a node with a million agents of 10 records each need after kill −9 until an old
 * agent answers, and how much memory does it hold then? The data directory is built once, by a
 * process that kills itself after its last acknowledged turn, and kept; each sample opens a fresh
 * copy.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createTroupe } from '../src/index.ts';
import { account, accountAgent } from './agents.ts';
import { answerAsProbe, forEachItem, type Sample, samplePrefix } from './measure.ts';
import { benchRoot, withFolder } from './workspace.ts';

const agentCount = 1_000_000;
const turnCount = 10;
const inFlight = 1_024;

/** Names the cache after the code that wrote it: another storage format needs another one. */
function cacheFolder(): string {
  const hash = createHash('sha256');
  const root = join(import.meta.dirname, '..', 'src');
  const files = execFileSync(
    'find',
    [`${root}/engines/embedded`, `${root}/state`, '-name', '*.ts'],
    {
      encoding: 'utf8',
    },
  );
  for (const file of files.trim().split('\n').toSorted()) hash.update(readFileSync(file));
  return join(benchRoot, `open-${agentCount}-${hash.digest('hex').slice(0, 12)}`);
}

function builtFolder(): string {
  const folder = cacheFolder();
  if (existsSync(folder)) return folder;
  mkdirSync(benchRoot, { recursive: true });
  const half = `${folder}.building`;
  rmSync(half, { recursive: true, force: true });
  const { signal, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', import.meta.filename, '--build', half],
    { encoding: 'utf8', maxBuffer: 2 ** 24 },
  );
  if (signal !== 'SIGKILL') throw new Error(`building ${half} failed: ${stderr}`);
  renameSync(half, folder);
  return folder;
}

async function build(data: string): Promise<never> {
  const troupe = createTroupe({ agents: [accountAgent], data });
  await troupe.start();
  await forEachItem(agentCount, inFlight, async item => {
    const ref = troupe.agents.get(account, `${item}`);
    for (let turn = 0; turn < turnCount; turn++) await ref.execute('move', { amount: item });
  });
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

/** The time counts from the start of the process, so loading the code is part of it. */
async function answer(data: string): Promise<never> {
  const troupe = createTroupe({ agents: [accountAgent], data });
  await troupe.start();
  const item = Math.floor(Math.random() * agentCount);
  const balance = await troupe.agents.get(account, `${item}`).execute('balance');
  const elapsedMs = performance.now();
  const residentMb = process.memoryUsage.rss() / 1e6;
  if (balance !== item * turnCount) throw new Error(`account/${item} holds ${balance}`);
  process.stdout.write(
    `${samplePrefix}${JSON.stringify({ 'open-1m': elapsedMs, 'open-1m-rss': residentMb })}\n`,
    () => process.kill(process.pid, 'SIGKILL'),
  );
  return new Promise(() => {});
}

async function openAfterKill(): Promise<Sample> {
  const built = builtFolder();
  return withFolder(async folder => {
    const data = join(folder, 'data');
    cpSync(built, data, { recursive: true });
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--no-warnings', import.meta.filename, '--answer', data],
      { encoding: 'utf8', maxBuffer: 2 ** 24 },
    );
    const line = stdout.split('\n').find(text => text.startsWith(samplePrefix));
    if (line === undefined) throw new Error(`no answer from ${data}: ${stderr}`);
    return JSON.parse(line.slice(samplePrefix.length));
  });
}

async function readFiles(): Promise<Sample> {
  const built = builtFolder();
  const buffer = Buffer.allocUnsafe(4 * 1024 * 1024);
  const startedAt = performance.now();
  for (const entry of await readdir(built, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = await open(join(entry.parentPath, entry.name));
    for (let count = -1; count !== 0; ) count = (await file.read(buffer)).bytesRead;
    await file.close();
  }
  return { 'read-files': performance.now() - startedAt };
}

if (import.meta.main) {
  const [mode, folder] = process.argv.slice(2);
  if (mode === '--build' && folder !== undefined) await build(folder);
  else if (mode === '--answer' && folder !== undefined) await answer(folder);
  else await answerAsProbe({ 'open-1m': openAfterKill, 'read-files': readFiles });
}
