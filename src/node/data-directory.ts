/**
 * What an operator does with a data directory: look at it, copy it, bring it back, make damaged
 * logs whole. While a node runs, the node does it; while none does, the command line opens the
 * directory itself. Nothing here decides anything: it is the way to the engine for those who may
 * not see it.
 */
import { resolve } from 'node:path';
import { type CopyReport, restore } from '../engines/embedded/backup.ts';
import { openBackup } from '../engines/embedded/backup-reader.ts';
import { formatVersion } from '../engines/embedded/frame.ts';
import type { EmbeddedLog } from '../engines/embedded/log.ts';
import { metaPath, readMeta } from '../engines/embedded/meta.ts';
import { systemDisk } from '../engines/system/disk.ts';
import { systemRandom } from '../engines/system/random.ts';
import { type CensusReport, censusOf } from './log-census.ts';
import { openStorage } from './open-storage.ts';

export type { CopyReport } from '../engines/embedded/backup.ts';
export type { RecoveryReport } from '../engines/embedded/recovery.ts';
export type { LogSurvey } from '../engines/embedded/salvage.ts';

/** What an operator may ask of the engine of a data directory. */
export type Storage = Pick<
  EmbeddedLog,
  'epoch' | 'lineage' | 'recovery' | 'survey' | 'exportReadable' | 'repair' | 'backUp'
>;

/** A data directory as it lies on the disk, without opening it. */
export interface DataSummary {
  readonly formatVersion: number;
  readonly epoch: number;
  readonly lineage: string;
  readonly shardCount: number;
  readonly isBackup: boolean;
}

/** The version of the data format that this code writes, and the newest that it reads. */
export const dataFormatVersion: number = formatVersion;

/** A data directory that was opened without a node. */
export interface OpenedData extends Storage, AsyncDisposable {
  close(): Promise<void>;
}

/**
 * What lies in a directory; nothing when it holds no data.
 *
 * @throws `LOG_CORRUPT` when that cannot be read; `ENGINE_UNSUPPORTED` for a newer format.
 */
export async function summaryOf(directory: string): Promise<DataSummary | undefined> {
  const disk = systemDisk(resolve(directory));
  if (!(await disk.exists(metaPath))) return undefined;
  const found = await readMeta(disk);
  if (found === undefined) return undefined;
  const { epoch, lineage, shardCount, isBackup } = found.meta;
  return { formatVersion, epoch, lineage, shardCount, isBackup };
}

/**
 * Opens a data directory as a node would, but runs no agents. The caller closes it.
 *
 * @param options - `acceptLoss` opens although records of unknown agents are lost for good.
 * @throws `DATA_LOCKED` while a node runs on it; `ENGINE_UNSUPPORTED`, `LOG_CORRUPT`,
 * `LOG_REGRESSED`, `CONFIG_INVALID` (a backup), `DISK_FULL`, `ENGINE_FAILED`.
 */
export async function openData(
  directory: string,
  options: { readonly acceptLoss?: boolean | undefined } = {},
): Promise<OpenedData> {
  return openStorage({ directory: resolve(directory), ...options });
}

/** What is in a backup. */
export interface BackupCount extends CensusReport {
  /** Agents whose records are damaged, as they were in the data: they are not counted. */
  readonly damagedNames: readonly string[];
}

/**
 * Reads a backup where it lies, checks the chains of its records and counts them.
 *
 * @throws `CONFIG_INVALID` when it is no backup, or was not finished; `LOG_CORRUPT` when it is
 * damaged as a whole; `ENGINE_UNSUPPORTED`.
 */
export async function countBackup(directory: string): Promise<BackupCount> {
  await using backup = await openBackup(systemDisk(resolve(directory)), systemRandom());
  const damagedNames: string[] = [];
  const census = await censusOf(backup, name => damagedNames.push(name));
  return { ...census.report(), damagedNames };
}

/**
 * Makes a data directory from a backup.
 *
 * @throws `CONFIG_INVALID` when the source is no backup or the target holds data already;
 * `LOG_CORRUPT`, `ENGINE_UNSUPPORTED`, `DISK_FULL`.
 */
export async function restoreData(parts: {
  readonly backup: string;
  readonly directory: string;
  readonly epochAtLeast?: number | undefined;
}): Promise<CopyReport> {
  return restore({
    source: systemDisk(resolve(parts.backup)),
    target: systemDisk(resolve(parts.directory)),
    random: systemRandom(),
    epochAtLeast: parts.epochAtLeast,
  });
}
