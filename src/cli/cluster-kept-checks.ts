/**
 * What `troupe doctor` says about what a cluster keeps on its servers: permissions to get at it, on
 * how many servers it lies, how each stream is, and who serves it.
 */
import type {
  ClusterInspection,
  ClusterRecords,
  PermissionFinding,
  StreamFinding,
} from '../node/cluster-inspection.ts';
import { type Check, failed, failedAs, ok, warning } from './check.ts';

/** The checks that need JetStream. */
export function keptChecks(found: ClusterInspection): readonly Check[] {
  return [
    permissionCheck(found),
    replicaCheck(found),
    streamCheck(found),
    clusterCheck(found),
    ...leaseCheck(found),
  ];
}

/** So many of a kind are named. */
const namedMax = 3;
/** Without these a node runs: logs grow, or what it needs to know is said to be unknown. */
const lesser: readonly string[] = ['trim logs', 'remove marks', 'ask the servers how they are'];
const making = 'make streams';

function permissionCheck({ permissions }: ClusterInspection): Check {
  const tried = permissions.filter(({ purpose }) => purpose !== making);
  const refused = tried.filter(({ status }) => status === 'refused');
  const serious = refused.filter(({ purpose }) => !lesser.includes(purpose));
  if (serious.length > 0) return failed('permissions', `UNAUTHORIZED: ${told(serious)}`);
  if (refused.length > 0) return warning('permissions', told(refused));
  const unanswered = tried.filter(({ status }) => status === 'unanswered');
  if (unanswered.length > 0) return warning('permissions', `not all tried: ${told(unanswered)}`);
  return ok('permissions', `this user may do all ${tried.length} things that a node does`);
}

function told(findings: readonly PermissionFinding[]): string {
  return some(findings.map(({ purpose, cause }) => `to ${purpose}: ${cause?.detail ?? 'refused'}`));
}

function replicaCheck(found: ClusterInspection): Check {
  const { replicas, madeReplicas, wantedReplicas = madeReplicas, name } = found;
  if (madeReplicas !== undefined && wantedReplicas !== madeReplicas) {
    return failed(
      'replicas',
      `CONFIG_INVALID: cluster.replicas is ${wantedReplicas}, and the cluster ${name} was made with ${madeReplicas}; leave it out, or change all streams of the cluster on the servers`,
    );
  }
  const copies = `${replicas} ${replicas === 1 ? 'copy' : 'copies'} of everything`;
  const count = serverCount(found);
  if (count === undefined) return ok('replicas', copies);
  if (count < replicas) return tooFewServers(found, copies, count);
  if (replicas > 1 || count === 1) return ok('replicas', copies);
  return warning('replicas', `${copies} on ${count} servers: what one of them loses is lost`);
}

/** How many servers there are to keep something on; nothing where they do not say. */
function serverCount({ server, reports }: ClusterInspection): number | undefined {
  if (server.cluster === undefined) return 1;
  if (reports.length === 0) return undefined;
  return reports.filter(({ store }) => store !== undefined).length;
}

function tooFewServers(found: ClusterInspection, copies: string, count: number): Check {
  const { replicas, madeReplicas } = found;
  const up = `${count} ${count === 1 ? 'server' : 'servers'} with JetStream up`;
  const remedy = 'start the others, or ask for fewer replicas (`cluster.replicas`)';
  const detail = `${copies}, and ${up}; ${remedy}`;
  const isServed = madeReplicas !== undefined && count > replicas / 2;
  return isServed ? warning('replicas', detail) : failed('replicas', `CONFIG_INVALID: ${detail}`);
}

function streamCheck({ streams, reports }: ClusterInspection): Check {
  const unfit = streams.flatMap(complaintsOf);
  if (unfit.length > 0) {
    const remedy = 'change it there, or name another cluster';
    return failed('streams', `CONFIG_INVALID: ${some(unfit)}; ${remedy}`);
  }
  const unserved = unservedCheck(streams);
  if (unserved !== undefined) return unserved;
  const behind = behindTexts(streams, reports);
  if (behind.length > 0) {
    return warning('streams', `${some(behind)}; start that server, or wait until it has caught up`);
  }
  const there = streams.flatMap(finding => (finding.status === 'found' ? [finding.stream] : []));
  const messages = there.reduce((sum, stream) => sum + stream.messages, 0);
  const bytes = there.reduce((sum, stream) => sum + stream.bytes, 0);
  const size = `${messages.toLocaleString('en-US')} messages, ${(bytes / 1_048_576).toFixed(1)} MB`;
  if (there.length === streams.length) {
    return ok('streams', `${there.length} as they must be, led and up to date; ${size}`);
  }
  if (there.length === 0) return warning('streams', `none of the ${streams.length} is there yet`);
  const missing = streams.filter(({ status }) => status === 'missing').map(({ name }) => name);
  return warning(
    'streams',
    `${missing.length} of ${streams.length} are not there: ${some(missing)}`,
  );
}

function complaintsOf(finding: StreamFinding): string[] {
  if (finding.status !== 'found' || finding.stream.complaint === undefined) return [];
  return [`the stream ${finding.name} cannot be used: ${finding.stream.complaint}`];
}

function unservedCheck(streams: readonly StreamFinding[]): Check | undefined {
  const refused = streams.find(finding => codeOf(finding) === 'UNAUTHORIZED');
  if (refused?.status === 'silent') return failedAs('streams', refused.cause);
  const texts = streams.flatMap(unservedText);
  const remedy = 'wait for an election of 4 to 9 s, or start the servers that are missing';
  return texts.length === 0 ? undefined : failed('streams', `NO_QUORUM: ${some(texts)}; ${remedy}`);
}

function codeOf(finding: StreamFinding): string | undefined {
  return finding.status === 'silent' ? finding.cause.code : undefined;
}

function unservedText(finding: StreamFinding): string[] {
  if (finding.status === 'silent') return [`the stream ${finding.name}: ${finding.cause.detail}`];
  if (finding.status === 'missing') return [];
  const { isClustered, leader } = finding.stream;
  return isClustered && leader === undefined ? [`the stream ${finding.name} has no leader`] : [];
}

/** What each server lacks that keeps copies. */
function behindTexts(
  streams: readonly StreamFinding[],
  reports: ClusterInspection['reports'],
): string[] {
  const up = new Set(reports.map(({ name }) => name));
  const copies = streams.flatMap(finding => {
    if (finding.status !== 'found') return [];
    return finding.stream.peers.map(peer => {
      // The servers themselves find out after a while only.
      const isAway = peer.isOffline || (up.size > 0 && !up.has(peer.name));
      return { stream: finding.name, peer, isAway };
    });
  });
  const servers = Map.groupBy(
    copies.filter(({ isAway, peer }) => isAway || peer.isBehind),
    ({ peer }) => peer.name,
  );
  return [...servers].map(([name, [first, ...rest]]) => {
    const count = countOf(rest.length + 1, 'stream');
    if (first?.isAway === true) return `${name} is away, with copies of ${count}`;
    return `${name} is behind in ${count}: ${first?.stream} by ${countOf(first?.peer.lag ?? 0, 'operation')}`;
  });
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function clusterCheck({ name, records, permissions }: ClusterInspection): Check {
  if ('failure' in records) return failedAs('cluster', records.failure);
  const { document, placement } = records.value;
  if (document === undefined) {
    const maker = permissions.find(({ purpose }) => purpose === making);
    const who =
      maker?.status === 'refused'
        ? "this user may not make it: let a node start once with the operator's key"
        : 'the first node that starts makes it';
    return warning('cluster', `there is no cluster ${name} here yet; ${who}`);
  }
  const { lineage, shardCount, streamCount } = document;
  const what = `${name}, lineage ${lineage}, ${shardCount} shards in ${streamCount} streams`;
  if (document.isFilling === true) {
    return failed(
      'cluster',
      `CONFIG_INVALID: ${what}, is being filled from a backup; let \`troupe restore\` come to its end`,
    );
  }
  const who =
    placement === undefined
      ? 'never served'
      : `last given to ${placement.node} in epoch ${placement.epoch}`;
  return ok('cluster', `${what}, ${who}`);
}

/** Nothing where no node ever was. */
function leaseCheck({ records }: ClusterInspection): Check[] {
  if ('failure' in records || records.value.document === undefined) return [];
  const { leases } = records.value;
  const owner = silentOwner(records.value);
  if (owner !== undefined) {
    return [
      warning(
        'leases',
        `${owner} has the shards and did not renew its lease while it was watched: it is dead, or cut off; another node takes its place when the lease has stood still for 16 s`,
      ),
    ];
  }
  const texts = leases.map(({ node, state, isRenewed }) => {
    return `${node} ${state === 'held' ? (isRenewed ? 'runs' : 'ended without giving back its lease') : 'does not run'}`;
  });
  return [ok('leases', texts.length === 0 ? 'there are none' : some(texts))];
}

function silentOwner({ placement, leases }: ClusterRecords): string | undefined {
  const lease = leases.find(({ node }) => node === placement?.node);
  return lease?.state === 'held' && !lease.isRenewed ? lease.node : undefined;
}

function some(texts: readonly string[]): string {
  const more = texts.length - namedMax;
  const named = texts.slice(0, namedMax).join('; ');
  return more > 0 ? `${named}; and ${more} more` : named;
}
