/**
 * What `troupe doctor` looks at. While a node runs, it tells of itself; while none does, the data
 * are opened as a node would open them, which shows what recovery finds. An empty directory stays
 * empty.
 */
import { closeSync, fdatasyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorValue, TroupeError, textOf } from '../core/errors.ts';
import { adminFiles } from '../gateway/admin-files.ts';
import { fromWire } from '../gateway/wire.ts';
import type { ClusterInspection } from '../node/cluster-inspection.ts';
import {
  dataFormatVersion,
  openData,
  type RecoveryReport,
  summaryOf,
} from '../node/data-directory.ts';
import type { ClusterStanding } from '../node/face.ts';
import { type Check, failed, failedBy, ok, warning } from './check.ts';
import { clusterChecks } from './cluster-checks.ts';
import { isUnreachable } from './exit-codes.ts';
import { dataDirectoryOf } from './locate-node.ts';
import type { Session } from './session.ts';

/** How a node tells of itself. */
interface NodeAnswer {
  readonly version: string;
  readonly pid: number;
  readonly standing: string;
  readonly failure?: ErrorValue;
  readonly data?: { readonly directory: string; readonly recovery: RecoveryReport };
  readonly cluster?: ClusterStanding;
}

/** Above this a flush of the disk is worth a word, in milliseconds: turns wait for it. */
const slowFlushMs = 10;
const flushCount = 21;
const oldestNode = 24;

/** Does all checks, in order. */
export async function checksOf(session: Session): Promise<readonly Check[]> {
  const directory = dataDirectoryOf(session.options, session.terminal.env);
  const node = await nodeOf(session);
  const format = await guarded('data format', () => formatCheck(directory));
  const local = [
    runtimeCheck(),
    await guarded('data directory', async () => directoryCheck(directory)),
    await guarded('disk flush', async () => flushCheck(directory)),
    format,
    tokenCheck(directory),
  ];
  if (node !== undefined) {
    const { cluster, standing } = node;
    const rest = cluster === undefined ? [] : await nodeClusterChecks(session, cluster, standing);
    return [...local, ...nodeChecks(node), ...rest];
  }
  const recovery = format.result === 'ok' ? await recoveryCheck(directory) : [];
  return [...local, ...recovery, ok('node', `none answers for ${directory}`)];
}

async function nodeOf(session: Session): Promise<NodeAnswer | undefined> {
  try {
    return fromWire(await session.ask({ method: 'GET', path: ['node'] })) as NodeAnswer;
  } catch (error) {
    if (session.options.url === undefined && isUnreachable(error)) return undefined;
    throw error;
  }
}

/** Whether this Node is new enough. */
export function runtimeCheck(): Check {
  const found = process.versions.node;
  const isFit = Number.parseInt(found, 10) >= oldestNode;
  return isFit
    ? ok('runtime', `Node ${found}`)
    : failed('runtime', `Node ${found}; troupe needs ${oldestNode} or newer`);
}

function directoryCheck(directory: string): Check {
  if (!isThere(directory)) {
    return warning('data directory', `${directory} does not exist yet; a node will make it`);
  }
  const probe = join(directory, '.doctor');
  closeSync(openSync(probe, 'w', 0o600));
  rmSync(probe);
  return ok('data directory', `${directory} can be written`);
}

/** The median of some small flushes: what one durable turn waits for. */
function flushCheck(directory: string): Check {
  if (!isThere(directory)) return warning('disk flush', 'not measured without a directory');
  const probe = join(directory, '.doctor');
  const file = openSync(probe, 'w', 0o600);
  try {
    const times = Array.from({ length: flushCount }, (_, index) => {
      const startedAt = performance.now();
      writeSync(file, Buffer.alloc(512, 1), 0, 512, index * 512);
      fdatasyncSync(file);
      return performance.now() - startedAt;
    });
    const median = times.toSorted((one, other) => one - other)[flushCount >> 1] ?? 0;
    const detail = `fdatasync takes ${median.toFixed(2)} ms (median of ${flushCount})`;
    return median > slowFlushMs ? warning('disk flush', detail) : ok('disk flush', detail);
  } finally {
    closeSync(file);
    rmSync(probe, { force: true });
  }
}

async function formatCheck(directory: string): Promise<Check> {
  const summary = await summaryOf(directory);
  if (summary === undefined) {
    if (isThere(join(directory, 'node.json'))) {
      return ok('data format', 'who the node is; its data are on the servers of its cluster');
    }
    return warning('data format', `${directory} holds no data yet`);
  }
  const { isBackup, epoch, shardCount } = summary;
  if (isBackup) {
    return failed('data format', `${directory} is a backup; \`troupe restore\` makes data of it`);
  }
  const detail = `version ${dataFormatVersion}, epoch ${epoch}, ${shardCount} shards`;
  return ok('data format', detail);
}

function tokenCheck(directory: string): Check {
  const path = join(directory, adminFiles.token);
  if (!isThere(path)) return ok('admin token', 'there is none');
  const others = statSync(path).mode & 0o077;
  return others === 0
    ? ok('admin token', 'only its owner can read it')
    : failed('admin token', `others than its owner can read ${path}; run chmod 600 on it`);
}

async function recoveryCheck(directory: string): Promise<Check[]> {
  try {
    await using data = await openData(directory);
    return [ok('lock', 'no process holds it'), recoveryOf(data.recovery)];
  } catch (error) {
    if (TroupeError.is(error) && error.code === 'DATA_LOCKED') {
      return [warning('lock', 'a process without an admin API uses the directory')];
    }
    return [failed('recovery', textOf(error))];
  }
}

function recoveryOf({ cut, repairs, losses, damagedNames }: RecoveryReport): Check {
  const found = [
    ...(cut === undefined ? [] : [`${cut.bytes} unproven bytes cut off ${cut.path}`]),
    ...repairs,
    ...losses.map(({ path, recordCount }) => `${recordCount} records lost in ${path}`),
  ];
  if (damagedNames.length > 0) {
    const names = damagedNames.slice(0, 3).join(', ');
    return failed('recovery', `${damagedNames.length} damaged logs: ${names}; see agents repair`);
  }
  return found.length === 0
    ? ok('recovery', 'nothing was damaged')
    : warning('recovery', found.join('; '));
}

function nodeChecks({ version, pid, standing, failure, data, cluster }: NodeAnswer): Check[] {
  const detail = `process ${pid}, version ${version}, ${standing}`;
  const node = standing === 'failed' ? failed('node', detail) : ok('node', detail);
  const place = cluster === undefined ? 'in memory' : 'on NATS servers';
  const engine =
    failure === undefined
      ? ok('engine', data === undefined ? place : 'takes writes')
      : failed('engine', `${failure.code}: ${failure.detail}`);
  return data === undefined ? [node, engine] : [recoveryOf(data.recovery), node, engine];
}

/** What the node finds when it looks at its cluster, and how it has its place there. */
async function nodeClusterChecks(session: Session, cluster: ClusterStanding, standing: string) {
  const { name, node, epoch, server } = cluster;
  const place =
    standing === 'suspended'
      ? failed('place', `NO_QUORUM: ${node} has no lease in ${name} and cannot reach the servers`)
      : ok('place', `${node} in ${name}, epoch ${epoch}, by way of ${server.name}`);
  try {
    const found = fromWire(await session.ask({ method: 'GET', path: ['cluster'] }));
    // The node answers this route with what it found.
    return [place, ...clusterChecks(found as ClusterInspection)];
  } catch (error) {
    return [place, failedBy('servers', error)];
  }
}

async function guarded(name: string, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch (error) {
    return failed(name, textOf(error));
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
