/**
 * The NATS servers that benchmarks speak to: one, or three as a cluster, with the recommended
 * configuration (an acknowledgement waits for the disk). A run starts them once, so that figures
 * and their baselines meet the same servers; a bench file that is run alone starts its own.
 */
import { natsServers } from '../test/helpers/nats-servers.ts';
import type { Measured } from './registry.ts';

/** How many servers, and so on how many of them each message is kept. */
export type ServerCount = 1 | 3;

/** Servers of a run. */
export interface BenchServers extends AsyncDisposable {
  /** Tells the processes of probes where they are. */
  readonly env: NodeJS.ProcessEnv;
  /** A line for people; nothing when there are none. */
  readonly about: string | undefined;
}

/**
 * Starts what the probes of a run need; they end with it, however it ends. Where none can be had,
 * the probes that need them fail, and tell why.
 */
export async function startServers(probes: readonly Measured[]): Promise<BenchServers> {
  const stack = new AsyncDisposableStack();
  const env: Record<string, string> = {};
  const about: string[] = [];
  for (const count of [1, 3] as const) {
    if (!probes.some(({ servers }) => servers === count)) continue;
    try {
      const servers = stack.use(await natsServers({ count, hasAccount: true }));
      env[variableOf(count)] = servers.urls.join(',');
      about.push(`${count === 1 ? 'one' : 'three as a cluster'} (${servers.version})`);
    } catch (error) {
      about.push(`no ${count}: ${error instanceof Error ? error.message : error}`);
    }
  }
  const intro = 'NATS servers on this machine, `sync_interval: always`: ';
  return {
    env,
    about: about.length === 0 ? undefined : intro + about.join('; '),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Hands over the addresses of the run's servers, or of some of its own. */
export async function withServers<T>(
  count: ServerCount,
  use: (urls: readonly string[]) => Promise<T>,
): Promise<T> {
  const given = process.env[variableOf(count)];
  if (given !== undefined) return use(given.split(','));
  await using servers = await natsServers({ count, hasAccount: true });
  return await use(servers.urls);
}

/** What the cluster of a figure, and the streams of its baseline, are called. */
export const clusterName = 'bench';

function variableOf(count: ServerCount): string {
  return `TROUPE_BENCH_NATS_R${count}`;
}
