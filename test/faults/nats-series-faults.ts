/**
 * What is done to a node and its three servers: killed, ended in peace, started again. Each is a
 * series of its own.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type NatsServer, type NatsServers, natsServers } from '../helpers/nats-servers.ts';
import { runSeries, type Scene, type SeriesOptions } from './nats-series.ts';
import { leadsOf } from './nats-series-leaders.ts';
import type { Fault } from './nats-series-measure.ts';
import type { SeriesResult } from './nats-series-report.ts';

/** The series. */
export type FaultSeries = 'node' | 'leader' | 'restart' | 'majority';

/** How one is run. */
export interface FaultOptions extends SeriesOptions {
  /** How long two of three servers stay down (default 20 s). */
  readonly downMs?: number | undefined;
}

interface FaultScene extends Scene {
  readonly servers: NatsServers;
  readonly downMs: number;
}

const acts: Readonly<Record<FaultSeries, (scene: FaultScene, round: number) => Promise<Fault>>> = {
  node: killNode,
  leader: killLeader,
  restart: restartServer,
  majority: killMajority,
};

/** Runs one series, on three servers of its own. */
export async function runFaultSeries(
  name: FaultSeries,
  { downMs = 20_000, ...options }: FaultOptions,
): Promise<SeriesResult> {
  await using servers = await natsServers({ count: 3, hasAccount: true });
  return await runSeries(servers, options, (scene, round) =>
    acts[name]({ ...scene, servers, downMs }, round),
  );
}

/** Kills the node's process group and starts it again at once, on the same directory. */
async function killNode({ node, random }: FaultScene): Promise<Fault> {
  await wait(random.next() * 2_000);
  const at = Date.now();
  await node.kill();
  // Sometimes again, before it takes calls.
  const isTwice = random.chance(0.25);
  let life = node.begin();
  if (isTwice) {
    await wait(random.next() * 1_500);
    await node.kill();
    life = node.begin();
  }
  await life.ready;
  const note = isTwice ? 'and once more while it started' : 'once';
  return { kind: 'node killed', note, at, healedAt: Date.now() };
}

/** Kills the server that leads most streams, and starts it again when others lead them. */
async function killLeader({ servers, random, node }: FaultScene): Promise<Fault> {
  const leads = await leadsOf(servers.servers);
  const victim = servers.servers.toSorted((a, b) => (leads[b.name] ?? 0) - (leads[a.name] ?? 0))[0];
  if (victim === undefined) throw new Error('there are no servers');
  const at = Date.now();
  await victim.kill();
  await node.serves(at);
  await wait(random.next() * 2_000);
  await victim.start();
  const note = `${victim.name} led ${leads[victim.name] ?? 0} streams`;
  const healedAt = Date.now();
  await whole([victim]);
  return { kind: 'leader of streams killed', note, at, healedAt };
}

/** Ends one server after the other in peace, and starts each again. */
async function restartServer({ servers }: FaultScene, round: number): Promise<Fault> {
  const server = servers.servers[round % servers.servers.length];
  if (server === undefined) throw new Error('there are no servers');
  const at = Date.now();
  await server.kill('SIGTERM');
  await server.start();
  const healedAt = Date.now();
  await whole([server]);
  return { kind: 'server restarted', note: server.name, at, healedAt };
}

/** Kills two of three servers, and starts them again after a while. */
async function killMajority({ servers, downMs }: FaultScene, round: number): Promise<Fault> {
  const victims = servers.servers.filter((_, index) => index !== round % 3);
  const at = Date.now();
  await Promise.all(victims.map(server => server.kill()));
  await wait(downMs);
  await Promise.all(victims.map(server => server.start()));
  const healedAt = Date.now();
  await whole(victims);
  const note = victims.map(({ name }) => name).join(' and ');
  return { kind: `two of three servers down for ${downMs / 1_000} s`, note, at, healedAt };
}

const [wholeLooksMax, wholeLookMs] = [600, 100];

/** Resolves when servers have caught up with the others. */
async function whole(servers: readonly NatsServer[]): Promise<void> {
  for (const { monitorUrl, name } of servers) {
    for (let look = 1; !(await isWhole(monitorUrl)); look += 1) {
      if (look === wholeLooksMax) throw new Error(`${name} does not catch up`);
      await wait(wholeLookMs);
    }
  }
}

async function isWhole(monitorUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${monitorUrl}/healthz`)).ok;
  } catch {
    // It takes no connections yet.
    return false;
  }
}
