/**
 * The way of a node into its cluster: who it is, what the cluster is, a lease that says that it
 * lives, and the shards under an epoch of their own. Loaded only when a program names a cluster.
 */
import {
  type ClusterDocument,
  clusterDefaults,
  ensureClusterDocument,
} from '../cluster/cluster-document.ts';
import type { Lease } from '../cluster/lease.ts';
import { claimLease } from '../cluster/lease-claim.ts';
import { type Placement, takeShards } from '../cluster/placement.ts';
import { TroupeError } from '../core/errors.ts';
import { type NatsCluster, openNatsCluster } from '../engines/nats/cluster.ts';
import { type Flushing, flushingOf } from '../engines/nats/server-reports.ts';
import type { Bus } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import type { KeyValue } from '../ports/key-value.ts';
import type { Random } from '../ports/random.ts';
import type { Logger } from '../telemetry/logger.ts';
import { checkClock } from './clock-skew.ts';
import type { CheckedCluster } from './cluster-options.ts';
import { CopyableLog } from './copyable-log.ts';
import type { ClusterStanding } from './face.ts';
import { leasedLog } from './leased-log.ts';
import { type NodeIdentity, openNodeIdentity } from './node-identity.ts';
import { leaveSilentServers } from './silent-server.ts';

/** Who comes into which cluster. */
export interface OpenClusterOptions {
  readonly cluster: CheckedCluster;
  /** Where the node keeps who it is. */
  readonly directory: string | undefined;
  /** The id that the program asks for. */
  readonly name: string | undefined;
  /** The types that are hosted here and may not lose what was acknowledged. */
  readonly durableTypes: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How long a lease stands still before another may take it (default 16,000). */
  readonly leaseSpanMs?: number | undefined;
  /** An epoch that may have been in use, although this cluster does not know of it. */
  readonly epochAtLeast?: number | undefined;
  /** Whether the cluster is to be filled from a backup, or goes on being filled. */
  readonly isFilling?: true | undefined;
}

/** A node's place in its cluster. */
export interface OpenedCluster {
  readonly log: CopyableLog;
  /** Leases and documents. */
  readonly keyValue: KeyValue;
  readonly document: ClusterDocument;
  readonly bus: Bus;
  readonly lease: Lease;
  readonly epoch: number;
  readonly lineage: string;
  readonly incarnation: string;
  standing(): ClusterStanding;
  /** Gives the place back, so that a successor need not wait. */
  close(): Promise<void>;
}

/**
 * Opens the cluster, which is made when it is not there, and takes the shards.
 *
 * @throws `CONFIG_INVALID` while another process holds the node's lease or the shards;
 * `ENGINE_UNSUPPORTED` when the servers cannot keep what the hosted types promise; `DATA_LOCKED`,
 * `ENGINE_UNAVAILABLE`, `NO_QUORUM`, `UNAUTHORIZED`.
 */
export async function openCluster(options: OpenClusterOptions): Promise<OpenedCluster> {
  await using stack = new AsyncDisposableStack();
  const { clock, random, logger, directory, name, cluster } = options;
  const identity = await openNodeIdentity({ directory, name, clock, random });
  stack.defer(() => identity.release());
  const nats = await openNatsCluster({
    connection: { ...cluster, clientName: `troupe ${cluster.name} ${identity.id}` },
    ...{ name: cluster.name, replicas: cluster.replicas, clock, random },
    onTrouble: (what, cause) => logger.warn(what, { code: cause.code, detail: cause.detail }),
  });
  stack.defer(() => nats.close());
  const reports = await nats.reports();
  checkClock(reports, logger);
  const flushing = checkedFlushing(flushingOf(reports, nats.replicas), options);
  const joined = await join({ options, nats, identity, stack });
  const { shardCount, streamCount } = joined.document;
  const log = await nats.openLog({ shardCount, streamCount, isFlushed: flushing === 'flushed' });
  stack.defer(() => log.close());
  const { lease, placement } = joined;
  const { replicas, bus } = nats;
  const { epoch } = placement;
  const standing = (): ClusterStanding => {
    const { name: serverName, version } = nats.server;
    const server = { name: serverName, version };
    return { name: cluster.name, node: identity.id, epoch, replicas, flushing, server };
  };
  logger.info('the node has its place in the cluster', { ...standing() });
  const rest = stack.move();
  const leased = leasedLog(log, lease, `${identity.id} in the cluster ${cluster.name}`);
  return {
    log: new CopyableLog(leased),
    keyValue: nats.keyValue,
    document: joined.document,
    bus,
    lease,
    epoch,
    lineage: joined.document.lineage,
    incarnation: identity.holder,
    standing,
    close: () => rest.disposeAsync(),
  };
}

/** The servers elect a leader for up to 9 s; what they cannot do meanwhile is tried again. */
const patienceMs = 20_000;
const pauseMs = 250;
const lineageBytes = 8;

interface JoinParts {
  readonly options: OpenClusterOptions;
  readonly nats: NatsCluster;
  readonly identity: NodeIdentity;
  readonly stack: AsyncDisposableStack;
}

interface Joined {
  readonly lease: Lease;
  readonly document: ClusterDocument;
  readonly placement: Placement;
}

async function join({ options, nats, identity, stack }: JoinParts): Promise<Joined> {
  const { clock, random, epochAtLeast, isFilling } = options;
  const { keyValue } = nats;
  const proposed = { ...clusterDefaults, lineage: random.hex(lineageBytes), isFilling };
  const document = await patiently(clock, () =>
    ensureClusterDocument({ keyValue, clock, proposed }),
  );
  const { id: node, holder, incarnation, directoryMark } = identity;
  const lease = await claimLease({
    keyValue,
    clock,
    holder,
    incarnation,
    key: leaseKey(node),
    details: { directory: directoryMark },
    spanMs: options.leaseSpanMs,
    isProvenDead: previous => identity.isProvenDead(previous),
  });
  stack.defer(async () => void (await lease.release()));
  const leave = () => {
    options.logger.warn(
      'no renewal of the lease was accepted for some time: another server may do',
    );
    nats.leaveServer();
  };
  stack.defer(leaveSilentServers({ lease, clock, leave }));
  const ended = (other: string) => endLease(other, { options, nats, identity });
  const placement = await patiently(clock, () =>
    takeShards({ keyValue, clock, node, holder, ended, epochAtLeast }),
  );
  return { lease, document, placement };
}

function leaseKey(node: string): string {
  return `nodes/${node}`;
}

/**
 * Makes sure that another node does not serve any more: takes its lease, which works only when it
 * gave it back or let it run out, and ends it.
 */
async function endLease(
  other: string,
  { options, nats, identity }: Omit<JoinParts, 'stack'>,
): Promise<void> {
  const { clock, cluster, leaseSpanMs } = options;
  try {
    const lease = await claimLease({
      keyValue: nats.keyValue,
      clock,
      key: leaseKey(other),
      holder: `${identity.holder} for ${identity.id}`,
      incarnation: identity.incarnation,
      spanMs: leaseSpanMs,
    });
    await lease.release();
  } catch (error) {
    if (!TroupeError.is(error) || error.code !== 'CONFIG_INVALID') throw error;
    throw new TroupeError('CONFIG_INVALID', {
      detail: `the cluster ${cluster.name} is served by the node ${other}, which renews its lease, and by one node at a time; stop that one, or name another cluster (\`cluster.name\`)`,
      cause: error,
    });
  }
}

function checkedFlushing(flushing: Flushing, options: OpenClusterOptions): Flushing {
  const { cluster, durableTypes, logger } = options;
  if (flushing === 'flushed') return flushing;
  const why =
    flushing === 'unflushed'
      ? 'a NATS server acknowledges what is not on its disk yet'
      : 'the NATS servers do not say whether what they acknowledge is on their disks';
  if (cluster.unflushed) {
    logger.warn(`${why}: what was acknowledged may be lost when their power fails`, {
      cluster: cluster.name,
    });
    return flushing;
  }
  if (durableTypes.length === 0) return flushing;
  throw new TroupeError('ENGINE_UNSUPPORTED', {
    detail: `${why}, so ${durableTypes.join(', ')} cannot keep what was acknowledged; start servers with \`troupe engine up\` or the files of \`troupe engine config\`, or accept the loss with \`cluster: { unflushed: true }\``,
    outcome: 'not-executed',
  });
}

const passing: ReadonlySet<string> = new Set(['ENGINE_UNAVAILABLE', 'ENGINE_FAILED', 'NO_QUORUM']);

async function patiently<Value>(clock: Clock, attempt: () => Promise<Value>): Promise<Value> {
  const until = clock.monotonic() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const isPassing = TroupeError.is(error) && passing.has(error.code);
      if (!isPassing || clock.monotonic() >= until) throw error;
    }
    await new Promise<void>(resolve => {
      clock.setTimer(pauseMs, resolve);
    });
  }
}
