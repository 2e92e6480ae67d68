/**
 * The backup of a cluster: its logs as they were at one moment, as a backup of an embedded data
 * directory. To have one moment, nothing may be appended while it is noted: the backup takes the
 * place of a node, or the node that has it holds still. What was written is read back and counted
 * before it is called a backup.
 */
import { resolve } from 'node:path';
import { TroupeError } from '../core/errors.ts';
import { writeBackup } from '../engines/embedded/backup-writer.ts';
import { type NatsCopies, openNatsCopies } from '../engines/nats/copy-cluster.ts';
import type { CopiedRecords } from '../engines/nats/copy-courses.ts';
import type { CopySource } from '../engines/nats/copy-source.ts';
import { systemDisk } from '../engines/system/disk.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, NewRecord, Seq } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { CheckedCluster } from './cluster-options.ts';
import { type ClusterCopyReport, censusOf, LogCensus } from './log-census.ts';
import { openCluster } from './open-cluster.ts';

/** Which cluster, and with what it is reached. */
export interface ClusterCopyOptions {
  readonly cluster: CheckedCluster;
  /** The directory of the backup. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How long a lease stands still before another may take it (default 16,000). */
  readonly leaseSpanMs?: number | undefined;
}

/** Under this id a copy takes the place of a node. */
export const copyNodeName = 'troupe-copy';

/**
 * Copies a cluster that no node serves to an empty directory.
 *
 * @throws `CONFIG_INVALID` when there is no such cluster, a node serves it, or the directory is not
 * empty; `ENGINE_UNSUPPORTED` when it keeps large values; `LOG_CORRUPT`, `DISK_FULL`, and what the
 * servers cannot do. Then the directory holds no backup.
 */
export async function backUpCluster(options: ClusterCopyOptions): Promise<ClusterCopyReport> {
  const { cluster } = options;
  await using copies = await copiesOf(options);
  if (!(await copies.exists())) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `the servers keep no cluster of the name ${cluster.name}; say which one you mean`,
    });
  }
  const opened = await openCluster({
    ...options,
    ...{ directory: undefined, name: copyNodeName, durableTypes: [] },
  });
  try {
    await refuseBlobs(copies, cluster.name);
    const { epoch, document } = opened;
    await using source = await copies.open(document);
    return await writeFrom(source, { ...options, ...document, epoch });
  } finally {
    await opened.close();
  }
}

/** Connects for copies. */
export function copiesOf({ cluster, clock, random }: ClusterCopyOptions): Promise<NatsCopies> {
  const connection = { ...cluster, clientName: `troupe ${cluster.name} ${copyNodeName}` };
  return openNatsCopies({ connection, name: cluster.name, clock, random });
}

/**
 * Refuses what a backup would not have.
 *
 * @throws `ENGINE_UNSUPPORTED`.
 */
export async function refuseBlobs(copies: NatsCopies, name: string): Promise<void> {
  if (!(await copies.hasBlobs())) return;
  throw new TroupeError('ENGINE_UNSUPPORTED', {
    detail: `the cluster ${name} keeps large values outside its logs, which a backup does not have`,
    outcome: 'not-executed',
  });
}

/** What a cluster is, for its backup. */
export interface BackupOf extends Pick<ClusterCopyOptions, 'directory' | 'random'> {
  readonly shardCount: number;
  readonly epoch: number;
  readonly lineage: string;
}

/**
 * Writes a backup of what a source holds.
 *
 * @throws as {@link backUpCluster}.
 */
export async function writeFrom(source: CopySource, of: BackupOf): Promise<ClusterCopyReport> {
  const { directory, epoch, lineage } = of;
  const disk = systemDisk(resolve(directory));
  const census = new LogCensus();
  await writeBackup({ disk, ...of, behind: source.end }, async log => {
    const tails = new Map<string, Seq>();
    for await (const batch of source.batches()) {
      for (const { name, records, wakeAt } of batch) census.add(name, records, wakeAt);
      await Promise.all(batch.map(part => appendPart(log, part, tails)));
    }
    // What is not as it should be is not called a backup.
    census.report();
    requireSame(census, await censusOf(log));
  });
  return { ...census.report(), epoch, lineage };
}

/**
 * Makes sure that a copy is what was copied.
 *
 * @throws `INVARIANT_BROKEN`.
 */
export function requireSame(source: LogCensus, target: LogCensus): void {
  const difference = source.differenceFrom(target);
  if (difference === undefined) return;
  throw new TroupeError('INVARIANT_BROKEN', {
    detail: `the copy is not what was copied, and must not be used: ${difference}`,
  });
}

async function appendPart(
  log: Log,
  { name, records, wakeAt }: CopiedRecords,
  tails: Map<string, Seq>,
): Promise<void> {
  const tail = await appendAll(log, { name, records, wakeAt, tail: tails.get(name) ?? 0 });
  tails.set(name, tail);
}

/** Records of one log, and what they are appended behind. */
export interface RecordsToAppend {
  readonly name: string;
  readonly records: readonly NewRecord[];
  readonly wakeAt: number;
  readonly tail: Seq;
}

/**
 * Appends records in one append, and returns the place of the last.
 *
 * @throws what became of it, when it was not accepted.
 */
export async function appendAll(log: Log, part: RecordsToAppend): Promise<Seq> {
  const { name, records, wakeAt, tail } = part;
  const result = await log.append(name, tail, records, { wakeAt });
  if (result.status === 'accepted') return result.seq;
  if (result.status !== 'conflict') throw result.cause;
  throw new TroupeError('VERSION_CONFLICT', {
    detail: `${name} is being written by somebody else while it is copied`,
    outcome: 'not-executed',
  });
}
