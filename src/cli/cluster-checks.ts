/**
 * What `troupe doctor` says about a cluster: each fact that was found is judged here, with the code
 * that a node would end with, the place, and what to do about it. The servers come first, then what
 * is kept on them.
 */
import { apartMs, clockLimits, clockRemedy, skewText } from '../node/clock-skew.ts';
import type { ClusterInspection } from '../node/cluster-inspection.ts';
import { carriedBy } from '../node/server-carries.ts';
import { type Check, failed, failedAs, ok, warning } from './check.ts';
import { keptChecks } from './cluster-kept-checks.ts';

/** All checks of a cluster, in order. */
export function clusterChecks(found: ClusterInspection): readonly Check[] {
  const servers = [serversCheck(found), versionCheck(found), jetStreamCheck(found)];
  const rest = [storageCheck(found), messageCheck(found), clockCheck(found), promiseCheck(found)];
  return 'failure' in found.account
    ? [...servers, clockCheck(found)]
    : [...servers, ...rest, ...keptChecks(found)];
}

const recommended = 'docs/guides/nats.md says which lines of their configuration let nodes ask';

function serversCheck({ server, reports }: ClusterInspection): Check {
  const within = server.cluster === undefined ? 'on its own' : `of the cluster ${server.cluster}`;
  const entered = `${server.name}, ${within}, lets us in`;
  if (reports.length === 0) {
    return warning('servers', `${entered}; how they are the servers do not say: ${recommended}`);
  }
  return ok(
    'servers',
    `${entered}; asked how they are: ${reports.map(({ name }) => name).join(', ')}`,
  );
}

/** The oldest of them decides. */
function versionCheck({ server, reports, replicas }: ClusterInspection): Check {
  const known = reports.length === 0 ? [server] : reports;
  const copies = replicas === 1 ? 'one copy' : `${replicas} copies`;
  const old = known.find(({ version }) => !carriedBy(version, replicas).isFit);
  if (old !== undefined) {
    const why =
      replicas > 1
        ? `with ${copies} two writers can both be told that they came first; upgrade it, or ask for one replica (\`cluster.replicas\`)`
        : 'it was never tested; upgrade it';
    const { floor } = carriedBy(old.version, replicas);
    const detail = `ENGINE_UNSUPPORTED: the NATS server ${old.name} is ${old.version}, and before ${floor} ${why}`;
    return failed('version', detail);
  }
  const told = known.map(({ name, version }) => `${name} ${version}`).join(', ');
  const dated = known.find(({ version }) => !carriedBy(version, replicas).isRecommended);
  if (dated === undefined) return ok('version', `${told}: good for ${copies}`);
  const { canFlush } = carriedBy(dated.version, replicas);
  const why = canFlush
    ? 'faults of replicated streams were mended later'
    : 'it cannot flush what it acknowledges';
  return warning('version', `${told}: good for ${copies}, but ${why}; upgrade ${dated.name}`);
}

function jetStreamCheck({ account }: ClusterInspection): Check {
  if ('failure' in account) return failedAs('jetstream', account.failure);
  return ok('jetstream', 'it is on');
}

/** Above these shares of the room for streams. */
const usedShares = { warning: 0.8, failed: 0.95 } as const;

function storageCheck({ reports, account }: ClusterInspection): Check {
  const rooms = reports.flatMap(({ name, store }) => {
    return store === undefined ? [] : [{ where: `the NATS server ${name}`, ...store }];
  });
  if ('value' in account && account.value.bytesMax !== undefined) {
    const { bytesUsed, bytesMax } = account.value;
    rooms.push({ where: 'the account', bytesUsed, bytesMax });
  }
  const share = (room: { readonly bytesUsed: number; readonly bytesMax: number }) =>
    room.bytesUsed / Math.max(room.bytesMax, 1);
  const fullest = rooms.toSorted((one, other) => share(other) - share(one))[0];
  if (fullest === undefined) {
    return warning('storage', `the servers do not say what room they have left: ${recommended}`);
  }
  const { where, bytesUsed, bytesMax } = fullest;
  const left = `${where} has ${megabytes(bytesMax - bytesUsed)} of ${megabytes(bytesMax)} left for streams`;
  const remedy = 'make room on its disk, or raise `max_file_store`';
  if (share(fullest) >= usedShares.failed)
    return failed('storage', `DISK_FULL: ${left}; ${remedy}`);
  if (share(fullest) >= usedShares.warning) return warning('storage', `${left}; ${remedy}`);
  return ok('storage', left);
}

/** What `troupe engine config` writes. */
const messageBytesUsual = 1_048_576;

function messageCheck({ server }: ClusterInspection): Check {
  const { name, payloadBytesMax: bytes } = server;
  if (bytes >= messageBytesUsual) return ok('message size', `up to ${countText(bytes)} bytes`);
  return warning(
    'message size',
    `the NATS server ${name} takes messages of ${countText(bytes)} bytes: turns that record more end with PAYLOAD_TOO_LARGE; raise its \`max_payload\` to ${countText(messageBytesUsual)}`,
  );
}

function clockCheck({ reports }: ClusterInspection): Check {
  const furthest = reports.toSorted((one, other) => apartMs(other) - apartMs(one))[0];
  if (furthest === undefined) {
    return warning('clocks', `the servers do not say what time it is: ${recommended}`);
  }
  const { refusalMs, warningMs } = clockLimits;
  const apart = apartMs(furthest);
  const told = `${skewText(furthest)}, and ${apart > refusalMs ? refusalMs / 1_000 : warningMs / 1_000} s are the limit; ${clockRemedy}`;
  if (apart > refusalMs) return failed('clocks', `CONFIG_INVALID: ${told}`);
  if (apart > warningMs) return warning('clocks', told);
  return ok(
    'clocks',
    `those of ${reports.map(({ name }) => name).join(', ')} agree with this machine's`,
  );
}

/** Which promises the servers can carry. */
function promiseCheck(found: ClusterInspection): Check {
  const gap = flushingGap(found);
  if (gap === undefined) {
    return ok('promises', '`strong`: what the servers acknowledge is on their disks');
  }
  if (found.isUnflushedTaken) {
    const detail = `\`strong\` only because of \`unflushed\`: ${gap.why}, so what was acknowledged may be lost when power fails`;
    return warning('promises', detail);
  }
  const accepting = 'or accept the loss with `cluster: { unflushed: true }`';
  return failed(
    'promises',
    `ENGINE_UNSUPPORTED: \`strong\` is refused: ${gap.why}; ${gap.remedy}, ${accepting}`,
  );
}

interface Gap {
  readonly why: string;
  readonly remedy: string;
}

function flushingGap({ reports, replicas }: ClusterInspection): Gap | undefined {
  const early = reports.filter(({ isFlushed }) => !isFlushed);
  if (early.length > 0) {
    const verb = early.length === 1 ? 'acknowledges' : 'acknowledge';
    const why = `${early.map(({ name }) => name).join(', ')} ${verb} what is not on the disk yet`;
    const isOld = early.some(({ version }) => !carriedBy(version, replicas).canFlush);
    return { why, remedy: `${isOld ? 'upgrade, and ' : ''}set \`sync_interval: "always"\`` };
  }
  if (reports.length > replicas / 2) return undefined;
  const why = `the servers do not say whether they flush what they acknowledge (${reports.length} said so, for ${replicas} ${replicas === 1 ? 'copy' : 'copies'})`;
  return { why, remedy: 'start those that are down, or configure them as `troupe engine config`' };
}

function megabytes(bytes: number): string {
  return `${countText(Math.round(bytes / 104_857.6) / 10)} MB`;
}

function countText(count: number): string {
  return count.toLocaleString('en-US');
}
