/**
 * A look at a whole cluster, for operators: its servers, its streams, what a user may do, and what
 * the cluster's own documents and leases say. It reads, and tries what leaves nothing behind. What
 * cannot be asked is told as the error that it ended with, beside all that could.
 */
import {
  type ClusterDocument,
  clusterDefaults,
  readClusterDocument,
} from '../cluster/cluster-document.ts';
import { leaseTimes, pause } from '../cluster/lease-time.ts';
import { decodeLease, type LeaseState } from '../cluster/lease-value.ts';
import { type Placement, readPlacement } from '../cluster/placement.ts';
import { type ErrorValue, TroupeError } from '../core/errors.ts';
import {
  type InspectLayout,
  inspectNats,
  type NatsInspector,
  type StoreAccount,
} from '../engines/nats/inspect-cluster.ts';
import type { PermissionFinding as TriedPermission } from '../engines/nats/inspect-permissions.ts';
import type { FoundStream, StreamFinding as SeenStream } from '../engines/nats/inspect-streams.ts';
import type { ServerReport } from '../engines/nats/server-reports.ts';
import { systemClock } from '../engines/system/clock.ts';
import { systemRandom } from '../engines/system/random.ts';
import type { Clock } from '../ports/clock.ts';
import { type CheckedCluster, checkedCluster } from './cluster-options.ts';

export type { ServerReport };

/** Why something could not be found. What is found is plain data, so that it can be sent. */
export type Reason = Pick<ErrorValue, 'code' | 'detail'>;

/** What was found, or why it could not be. */
export type Found<Value> = { readonly value: Value } | { readonly failure: Reason };

/** One thing that a node does, and whether this user may. */
export interface PermissionFinding extends Omit<TriedPermission, 'cause'> {
  readonly cause?: Reason | undefined;
}

/** How one stream is. */
export type StreamFinding = { readonly name: string } & (
  | { readonly status: 'found'; readonly stream: FoundStream }
  | { readonly status: 'missing' }
  /** It did not answer, or was refused. */
  | { readonly status: 'silent'; readonly cause: Reason }
);

/** The lease of a node. */
export interface LeaseFinding {
  readonly node: string;
  readonly state: LeaseState;
  /** How often its node was started, as a number that rises. */
  readonly incarnation: number;
  /** Whether it was renewed while we looked. */
  readonly isRenewed: boolean;
}

/** What the cluster says of itself. */
export interface ClusterRecords {
  /** Nothing while no node was ever started. */
  readonly document: ClusterDocument | undefined;
  readonly placement: Placement | undefined;
  readonly leases: readonly LeaseFinding[];
}

/** A cluster as it was found. */
export interface ClusterInspection {
  readonly name: string;
  /** The server that let us in. */
  readonly server: NatsInspector['server'];
  /** What the servers say of themselves; none where they are not set up to say it. */
  readonly reports: readonly ServerReport[];
  readonly account: Found<StoreAccount>;
  /** On how many servers everything is kept, or would be. */
  readonly replicas: number;
  /** How many it was made with; nothing while it is not made. */
  readonly madeReplicas: number | undefined;
  /** What the program asks for, if it does. */
  readonly wantedReplicas: number | undefined;
  readonly isUnflushedTaken: boolean;
  /** None when JetStream does not answer. */
  readonly streams: readonly StreamFinding[];
  readonly permissions: readonly PermissionFinding[];
  readonly records: Found<ClusterRecords>;
}

/** Which cluster is looked at, and how patiently. */
export interface InspectClusterOptions {
  /** As the `cluster` of `createTroupe`. */
  readonly cluster: unknown;
  readonly clock?: Clock | undefined;
  /** How long a held lease is watched for a renewal (default: as long as one may take). */
  readonly watchMs?: number | undefined;
}

/** What a new cluster gets on servers that form one. */
const replicasTogether = 3;
const nodesMax = 1_000;

/**
 * Looks at a cluster, over a connection of its own.
 *
 * @throws `CONFIG_INVALID`, `UNAUTHORIZED` and `ENGINE_UNAVAILABLE` when no server lets us in.
 */
export async function inspectCluster(options: InspectClusterOptions): Promise<ClusterInspection> {
  const cluster = checkedCluster(options.cluster);
  const { clock = systemClock(), watchMs = 1.25 * leaseTimes().renewMs } = options;
  await using nats = await inspectNats({
    connection: { ...cluster, clientName: `troupe doctor ${cluster.name}` },
    name: cluster.name,
    clock,
    random: systemRandom(),
  });
  const reports = await nats.reports();
  const account = await foundBy(() => nats.account());
  const sight = { nats, cluster, reports, account };
  if ('failure' in account) return blindTo(sight, account.failure);
  return await lookedAt(sight, { clock, watchMs });
}

interface Sight {
  readonly nats: NatsInspector;
  readonly cluster: CheckedCluster;
  readonly reports: readonly ServerReport[];
  readonly account: Found<StoreAccount>;
}

function blindTo({ nats, cluster, ...sight }: Sight, failure: Reason): ClusterInspection {
  return {
    ...sight,
    name: cluster.name,
    server: nats.server,
    replicas: cluster.replicas ?? 1,
    madeReplicas: undefined,
    wantedReplicas: cluster.replicas,
    isUnflushedTaken: cluster.unflushed,
    streams: [],
    permissions: [],
    records: { failure },
  };
}

interface Watching {
  readonly clock: Clock;
  readonly watchMs: number;
}

async function lookedAt(
  { nats, cluster, ...sight }: Sight,
  watching: Watching,
): Promise<ClusterInspection> {
  const isMissing = (await nats.bucket()).status === 'missing';
  const records = isMissing
    ? { value: { document: undefined, placement: undefined, leases: [] } }
    : await foundBy(() => recordsOf(nats, watching));
  const document = 'value' in records ? records.value.document : undefined;
  const layout = document ?? clusterDefaults;
  const usual = nats.server.cluster === undefined ? 1 : replicasTogether;
  const { streams, madeReplicas } = await streamsOf({
    ...{ nats, layout, expected: cluster.replicas ?? usual },
    clock: watching.clock,
  });
  const isWhole = streams.every(({ status }) => status !== 'missing');
  const permissions = [
    ...(await nats.permissions(layout, streams)),
    ...(isWhole ? [] : [await nats.mayMake()]),
  ].map(({ cause, ...tried }) => ({ ...tried, cause: cause && reasonOf(cause) }));
  return {
    ...sight,
    name: cluster.name,
    server: nats.server,
    replicas: madeReplicas ?? cluster.replicas ?? usual,
    madeReplicas,
    wantedReplicas: cluster.replicas,
    isUnflushedTaken: cluster.unflushed,
    streams: streams.map(plainStream),
    permissions,
    records,
  };
}

/** A cluster that is there says itself how many copies its streams are to have. */
async function streamsOf({ nats, layout, expected, clock }: StreamsSight) {
  let streams = await nats.streams(layout, expected);
  const made = streams.find(finding => finding.status === 'found');
  const madeReplicas = made?.status === 'found' ? made.stream.replicas : undefined;
  if (madeReplicas === undefined) return { streams, madeReplicas };
  if (madeReplicas !== expected) streams = await nats.streams(layout, madeReplicas);
  // What was written a moment ago is still on its way to some copies.
  for (let look = 1; look < looksMax && streams.some(hasCopyBehind); look += 1) {
    await pause(clock, lookAgainMs);
    streams = await nats.streams(layout, madeReplicas);
  }
  return { streams, madeReplicas };
}

interface StreamsSight {
  readonly nats: NatsInspector;
  readonly layout: InspectLayout;
  readonly expected: number;
  readonly clock: Clock;
}

const looksMax = 4;
const lookAgainMs = 500;

function hasCopyBehind(finding: SeenStream): boolean {
  return finding.status === 'found' && finding.stream.peers.some(peer => peer.isBehind);
}

async function recordsOf(nats: NatsInspector, watching: Watching): Promise<ClusterRecords> {
  const { keyValue } = nats;
  const document = await readClusterDocument(keyValue);
  const placement = await readPlacement(keyValue);
  return { document, placement, leases: await leasesOf(keyValue, watching) };
}

/** Looked at twice: who lives has renewed in between. */
async function leasesOf(
  keyValue: NatsInspector['keyValue'],
  { clock, watchMs }: Watching,
): Promise<LeaseFinding[]> {
  const prefix = 'nodes/';
  const keys = (await keyValue.keys(prefix)).slice(0, nodesMax);
  const look = () => Promise.all(keys.map(key => keyValue.get(key)));
  const before = await look();
  const isAnyHeld = before.some(
    entry => entry && decodeLease(entry.key, entry.value).state === 'held',
  );
  if (isAnyHeld) await pause(clock, watchMs);
  const after = isAnyHeld ? await look() : before;
  return after.flatMap((entry, index) => {
    if (entry === undefined) return [];
    const { state, incarnation } = decodeLease(entry.key, entry.value);
    const isRenewed = entry.revision !== before[index]?.revision;
    return [{ node: entry.key.slice(prefix.length), state, incarnation, isRenewed }];
  });
}

function plainStream(seen: SeenStream): StreamFinding {
  return seen.status === 'silent' ? { ...seen, cause: reasonOf(seen.cause) } : seen;
}

function reasonOf({ code, detail }: TroupeError): Reason {
  return { code, detail };
}

async function foundBy<Value>(look: () => Promise<Value>): Promise<Found<Value>> {
  try {
    return { value: await look() };
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    return { failure: reasonOf(error) };
  }
}
