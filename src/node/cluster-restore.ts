/**
 * The restore of a backup into an empty cluster. The backup is counted before anything is written.
 * From the first word on the cluster says that it is being filled, so that no node serves a part of
 * it; a restore that was cut off goes on where it was, when it is started again with the same
 * backup. At the end the cluster is read back and counted.
 */
import { resolve } from 'node:path';
import { type ClusterDocument, clusterKey } from '../cluster/cluster-document.ts';
import { encodeDocument } from '../cluster/document.ts';
import { TroupeError } from '../core/errors.ts';
import { type BackupReader, openBackup } from '../engines/embedded/backup-reader.ts';
import type { NatsCopies } from '../engines/nats/copy-cluster.ts';
import { systemDisk } from '../engines/system/disk.ts';
import type { KeyValue } from '../ports/key-value.ts';
import type { LogHead, NewRecord, Seq } from '../ports/log.ts';
import { chainHash } from '../state/hash.ts';
import {
  appendAll,
  type ClusterCopyOptions,
  copiesOf,
  copyNodeName,
  refuseBlobs,
  requireSame,
} from './cluster-backup.ts';
import { allHeads, type ClusterCopyReport, censusOf, LogCensus, slicesOf } from './log-census.ts';
import { type OpenedCluster, openCluster } from './open-cluster.ts';

/** What a restore is told. */
export interface RestoreClusterOptions extends ClusterCopyOptions {
  /** The highest epoch known to have been used, if it is higher than the backup's. */
  readonly epochAtLeast?: number | undefined;
}

/** So many logs are written at once. */
const logsAtOnce = 256;
/** What a record takes in a message beside its bytes, at most. */
const recordBytesMore = 8;
const recordsAtOnceMax = 1_000;
const lineageBytes = 8;
const documentAttemptsMax = 5;

/**
 * Fills an empty cluster from a backup: same records, a new lineage, a higher epoch.
 *
 * @throws `CONFIG_INVALID` when the directory is no finished backup, or the cluster has data that
 * are not of it, or a node serves it; `PAYLOAD_TOO_LARGE` when a record is larger than the servers
 * take; `LOG_CORRUPT`, `DISK_FULL`, and what the servers cannot do.
 */
export async function restoreCluster(options: RestoreClusterOptions): Promise<ClusterCopyReport> {
  const { cluster, directory, random, epochAtLeast = 0 } = options;
  await using backup = await openBackup(systemDisk(resolve(directory)), random);
  if (backup.blobCount > 0) throw hasBlobs(directory);
  const wanted = await censusOf(backup);
  const report = wanted.report();
  const opened = await openCluster({
    ...options,
    ...{ directory: undefined, name: copyNodeName, durableTypes: [] },
    epochAtLeast: Math.max(backup.epoch, epochAtLeast),
    isFilling: true,
  });
  try {
    await using copies = await copiesOf(options);
    await refuseBlobs(copies, cluster.name);
    const filling = { options, backup, opened, copies };
    const present = await presentIn(filling);
    refuseOthers(filling, wanted, present.census);
    refuseTooLarge(filling, wanted);
    const lineage = await markFilling(filling);
    // Snapshots name places of the store that they come from.
    await copies.beginBehind(opened.document, backup.end);
    await fill(filling, present);
    requireSame(wanted, (await presentIn(filling)).census);
    await markWhole(filling, lineage);
    return { ...report, epoch: opened.epoch, lineage };
  } catch (error) {
    throw partly(error, cluster.name);
  } finally {
    await opened.close();
  }
}

interface Filling {
  readonly options: RestoreClusterOptions;
  readonly backup: BackupReader;
  readonly opened: OpenedCluster;
  readonly copies: NatsCopies;
}

/** What is there. */
interface Present {
  readonly census: LogCensus;
  /** Where each log ends. */
  readonly tails: ReadonlyMap<string, Seq>;
}

async function presentIn({ copies, opened }: Filling): Promise<Present> {
  await using source = await copies.open(opened.document);
  const census = new LogCensus();
  const tails = new Map<string, Seq>();
  for await (const batch of source.batches()) {
    for (const { name, records, wakeAt, tail } of batch) {
      census.add(name, records, wakeAt);
      tails.set(name, tail);
    }
  }
  return { census, tails };
}

/** Refuses a cluster that has data of its own; those of an earlier attempt are gone on with. */
function refuseOthers({ options, opened }: Filling, wanted: LogCensus, present: LogCensus): void {
  const { name } = options.cluster;
  if (opened.document.isFilling !== true && present.size > 0) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `the cluster ${name} has data already; name another, or remove its streams from the servers if nobody needs them`,
    });
  }
  const stranger = present.names().find(log => wanted.get(log) === undefined);
  if (stranger !== undefined) throw otherBackup(name, stranger);
}

/** A cluster that was begun, and has no data yet, becomes one that is being filled. */
async function markFilling({ options, opened }: Filling): Promise<string> {
  const { document, keyValue } = opened;
  if (document.isFilling === true) return document.lineage;
  const lineage = options.random.hex(lineageBytes);
  await writeDocument(keyValue, { ...document, lineage, isFilling: true });
  return lineage;
}

async function markWhole({ opened }: Filling, lineage: string): Promise<void> {
  const { shardCount, streamCount } = opened.document;
  await writeDocument(opened.keyValue, { lineage, shardCount, streamCount });
}

/** Nobody else writes it while we have the place. */
async function writeDocument(keyValue: KeyValue, document: ClusterDocument): Promise<void> {
  const bytes = encodeDocument({ ...document });
  for (let attempt = 1; ; attempt += 1) {
    const found = await keyValue.get(clusterKey);
    if (found === undefined) throw withoutDocument();
    if (Buffer.compare(found.value, bytes) === 0) return;
    try {
      await keyValue.compareAndSet(clusterKey, bytes, found.revision);
    } catch (error) {
      // Whether it was stored, the next read tells.
      const isOpen = TroupeError.is(error) && error.outcome === 'unknown';
      if (!isOpen || attempt >= documentAttemptsMax) throw error;
    }
  }
}

/** Several logs at once; after the first failure no more are begun. */
async function fill(filling: Filling, present: Present): Promise<void> {
  const heads = allHeads(filling.backup);
  let failure: unknown;
  const work = async () => {
    while (failure === undefined) {
      const { value: head, done } = await heads.next();
      if (done === true) return;
      await fillLog(filling, present, head);
    }
  };
  await Promise.all(
    Array.from({ length: logsAtOnce }, () =>
      work().catch((error: unknown) => {
        failure ??= error;
      }),
    ),
  );
  if (failure !== undefined) throw failure;
}

/** Appends what is missing of one log. */
async function fillLog(filling: Filling, present: Present, head: LogHead): Promise<void> {
  const { backup, opened, options } = filling;
  const { name, wakeAt } = head;
  const there = present.census.get(name);
  let tail = present.tails.get(name) ?? 0;
  let skipped = there?.recordCount ?? 0;
  for await (const slice of slicesOf(backup, name)) {
    const known = slice.slice(0, skipped);
    skipped -= known.length;
    const last = known.at(-1);
    const isBranch = last !== undefined && skipped === 0 && chainHash(last.bytes) !== there?.chain;
    if (isBranch) throw otherBackup(options.cluster.name, name);
    const { recordBytesMax } = opened.log.capabilities;
    for (const records of partsOf(slice.slice(known.length), recordBytesMax)) {
      tail = await appendAll(opened.log, { name, records, wakeAt, tail });
    }
  }
  if (skipped > 0) throw otherBackup(options.cluster.name, name);
}

/** Records in appends of which each fits into a message; a snapshot begins one. */
function* partsOf(records: readonly NewRecord[], bytesMax: number): Generator<NewRecord[]> {
  let part: NewRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const more = record.bytes.length + recordBytesMore;
    const isFull = bytes + more > bytesMax || part.length >= recordsAtOnceMax;
    if (part.length > 0 && (isFull || record.isSnapshot === true)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += more;
  }
  if (part.length > 0) yield part;
}

function refuseTooLarge({ opened, options }: Filling, wanted: LogCensus): void {
  const { recordBytesMax } = opened.log.capabilities;
  const { name, bytes } = wanted.largest;
  if (bytes <= recordBytesMax) return;
  throw new TroupeError('PAYLOAD_TOO_LARGE', {
    detail: `a record of ${name} has ${bytes} bytes, and the servers of the cluster ${options.cluster.name} take ${recordBytesMax}; raise their \`max_payload\``,
    outcome: 'not-executed',
  });
}

function otherBackup(cluster: string, log: string): TroupeError {
  return new TroupeError('CONFIG_INVALID', {
    detail: `the cluster ${cluster} was begun to be filled from another backup, in which ${log} is otherwise; go on with that one, or name another cluster`,
  });
}

function hasBlobs(directory: string): TroupeError {
  return new TroupeError('ENGINE_UNSUPPORTED', {
    detail: `${directory} holds large values outside its logs, which cannot be restored into a cluster`,
    outcome: 'not-executed',
  });
}

function withoutDocument(): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: 'the document of the cluster is there and cannot be read: the servers do not agree',
    outcome: 'not-executed',
  });
}

/** Why it was cut off, and that it can be gone on with. */
function partly(error: unknown, cluster: string): unknown {
  if (!TroupeError.is(error) || error.code === 'CONFIG_INVALID') return error;
  return new TroupeError(error.code, {
    detail: `${error.detail}; the cluster ${cluster} is filled in part and is not served: the same restore, started again, goes on with it`,
    outcome: error.outcome,
    cause: error,
  });
}
