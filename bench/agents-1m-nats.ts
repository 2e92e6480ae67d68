/**
 * What do a million agents cost a NATS server, and how long does a node take among them until an
 * old agent answers? The server's directory is built once, on a server that does not flush, from
 * the records of one agent that a node wrote: all of them in one message for each agent. It is kept
 * by the code that wrote it. Each sample starts a server with the recommended configuration on it,
 * and a fresh process of a node. Memory is read when that has answered, and again after a thousand
 * more agents were called: the server reads blocks of some megabytes to find a message.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { createTroupe } from '../src/index.ts';
import { type NatsServers, natsServers } from '../test/helpers/nats-servers.ts';
import { account, accountAgent } from './agents.ts';
import { fillLogs } from './fill-logs.ts';
import { logTemplate } from './log-template.ts';
import { answerAsProbe, forEachItem, type Sample, samplePrefix } from './measure.ts';
import { clusterName } from './nats-servers.ts';
import { benchRoot } from './workspace.ts';

const agentCount = 1_000_000;
const callCount = 1_000;
const inFlight = 64;
/** The record of the owner, and that of the first turn. */
const recordCount = 2;
const restMs = 125_000;
const fillSecondsFile = 'fill-seconds';

/** Names the cache after the code that wrote it: another form of logs needs another one. */
function cacheFolder(): string {
  const hash = createHash('sha256').update(readFileSync(import.meta.filename));
  const root = join(import.meta.dirname, '..', 'src');
  for (const folder of ['engines/nats', 'state', 'cluster']) {
    const names = readdirSync(join(root, folder)).toSorted();
    const forms = names.filter(name => /record|frame|codec|image|subject|document/.test(name));
    for (const name of forms) hash.update(readFileSync(join(root, folder, name)));
  }
  return join(benchRoot, `agents-1m-${hash.digest('hex').slice(0, 12)}`);
}

async function builtFolder(): Promise<string> {
  const folder = cacheFolder();
  if (existsSync(folder)) return folder;
  mkdirSync(benchRoot, { recursive: true });
  const half = `${folder}.building`;
  rmSync(half, { recursive: true, force: true });
  const startedAt = performance.now();
  await using servers = await serverOn(join(half, 'store'), false);
  const template = { urls: servers.urls, servers: 1, key: 'template' } as const;
  const { records } = await logTemplate({ ...template, turnCount: 1, recordCount });
  await fillLogs({
    urls: servers.urls,
    count: agentCount,
    nameOf: item => `account/${item}`,
    messages: [records],
  });
  await servers.servers[0]?.kill('SIGTERM');
  // What the disk still has to write would be waited for by the first servers that start on it.
  execFileSync('sync', ['--file-system', half]);
  writeFileSync(join(half, fillSecondsFile), `${(performance.now() - startedAt) / 1_000}`);
  renameSync(half, folder);
  return folder;
}

function serverOn(storeDirectory: string, isFlushed: boolean): Promise<NatsServers> {
  return natsServers({
    hasAccount: true,
    configure: config => ({ ...config, storeDirectory, isFlushed }),
  });
}

async function million(): Promise<Sample> {
  const folder = await builtFolder();
  const ageMs = Date.now() - statSync(join(folder, fillSecondsFile)).mtimeMs;
  // For the ids of messages a server that starts reads all that came in the last two minutes.
  await wait(Math.max(0, restMs - ageMs));
  const startedAt = performance.now();
  await using servers = await serverOn(join(folder, 'store'), true);
  const restartMs = performance.now() - startedAt;
  const pid = servers.servers[0]?.pid ?? 0;
  const child = spawn(
    process.execPath,
    ['--no-warnings', import.meta.filename, '--answer', servers.urls.join(',')],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const elapsedMs = await sampleIn(lines);
  const residentMb = residentMbOf(pid);
  child.stdin.end();
  await sampleIn(lines);
  const busyMb = residentMbOf(pid);
  await once(child, 'close');
  // What it has not written yet it would have to look for at its next start.
  await servers.servers[0]?.kill('SIGTERM');
  return {
    'agents-1m-r1': residentMb,
    'agents-1m-r1-start': elapsedMs,
    'agents-1m-called': busyMb,
    'agents-1m-restart': restartMs,
    'agents-1m-fill': Number(readFileSync(join(folder, fillSecondsFile), 'utf8')),
  };
}

/** The number in the next line of that kind. */
async function sampleIn(lines: AsyncIterator<string>): Promise<number> {
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    if (next.value.startsWith(samplePrefix)) return Number(next.value.slice(samplePrefix.length));
  }
  throw new Error('the node ended without an answer');
}

function residentMbOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024) / 1e6;
}

/**
 * The time counts from the start of the process, so loading the code is part of it. Calls the
 * others when the input ends.
 */
async function answer(urls: readonly string[]): Promise<void> {
  const cluster = { servers: urls, name: clusterName };
  const troupe = createTroupe({ agents: [accountAgent], cluster, name: 'million' });
  await troupe.start();
  const balance = async (item: number): Promise<void> => {
    const found = await troupe.agents.get(account, `${item}`).execute('balance');
    if (found !== 1) throw new Error(`account/${item} holds ${found}`);
  };
  const any = () => Math.floor(Math.random() * agentCount);
  await balance(any());
  process.stdout.write(`${samplePrefix}${performance.now()}\n`);
  await once(process.stdin.resume(), 'end');
  await forEachItem(callCount, inFlight, () => balance(any()));
  process.stdout.write(`${samplePrefix}${callCount}\n`);
  await troupe.stop();
}

if (import.meta.main) {
  const [mode, urls] = process.argv.slice(2);
  if (mode === '--answer' && urls !== undefined) await answer(urls.split(','));
  else await answerAsProbe({ 'agents-1m-r1': million });
}
