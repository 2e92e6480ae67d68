/**
 * Cuts in the network between a node and its three servers, and between the servers: each is a
 * series of its own, on a network of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openNetwork } from './nats-cut-network.ts';
import { openCutServers, serverHosts } from './nats-cut-servers.ts';
import { runSeries, type SeriesOptions } from './nats-series.ts';
import type { Fault } from './nats-series-measure.ts';
import type { SeriesResult } from './nats-series-report.ts';

/** What is cut off: the node from the servers, one server from the others, each from each. */
export type CutSeries = 'node' | 'one' | 'each';

/** How a series is run. */
export interface CutOptions extends SeriesOptions {
  /** How long the network stays cut. */
  readonly cutMs: number;
}

type Pair = readonly [string, string];

const [first, second, third] = serverHosts;
const betweenServers: readonly Pair[] = [
  [first, second],
  [first, third],
  [second, third],
];

/** Runs one series. */
export async function runCutSeries(
  name: CutSeries,
  { cutMs, ...options }: CutOptions,
): Promise<SeriesResult> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'troupe-cut-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const network = stack.use(openNetwork([...serverHosts, 'node']));
  const servers = stack.use(await openCutServers(network, directory));
  const { version, urls } = servers;
  return await runSeries(
    { version, urls, wrapper: network.enter('node') },
    options,
    async (_, round): Promise<Fault> => {
      const [leads, ofNode = first] = [await servers.leads(), await servers.ofNode()];
      const others = serverHosts.filter(host => host !== ofNode);
      // In turn the one that the node is connected to, and one that it is not.
      const victim = round % 2 === 0 ? ofNode : (others[(round >> 1) % 2] ?? first);
      const { kind, pairs } = cutOf(name, victim, ofNode);
      network.cut(pairs);
      const at = Date.now();
      await wait(cutMs);
      network.heal();
      const healedAt = Date.now();
      const led = `${victim} led ${leads[victim] ?? 0} streams`;
      const note = name === 'one' ? led : `the node was at ${ofNode}`;
      return { kind: `${kind} for ${cutMs / 1_000} s`, note, at, healedAt };
    },
  );
}

function cutOf(name: CutSeries, victim: string, ofNode: string) {
  if (name === 'node') {
    const pairs = serverHosts.map((host): Pair => ['node', host]);
    return { kind: 'node cut off from all servers', pairs };
  }
  if (name === 'each') return { kind: 'servers cut off from each other', pairs: betweenServers };
  const pairs = betweenServers.filter(pair => pair.includes(victim));
  const kind = `${victim === ofNode ? 'the node’s own' : 'another'} server cut off from the others`;
  return { kind, pairs };
}
