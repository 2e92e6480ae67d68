/**
 * Makes a backup out of records that come from elsewhere: a store like any other, without the file
 * that would make it one until all of it is there.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Log, Seq } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import { requireEmpty } from './backup.ts';
import { aligned } from './frame.ts';
import { openEmbeddedLog } from './log.ts';
import { metaPath, newMeta, readMeta, writeMeta } from './meta.ts';
import { createSegment } from './segment.ts';
import { plainHeader } from './segment-header.ts';

/** What the backup is of. */
export interface WriteBackupOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly shardCount: number;
  /** The highest epoch in use when it was made. */
  readonly epoch: number;
  /** The history that the records belong to. */
  readonly lineage: string;
  /**
   * All places in the backup lie behind this one. Snapshots name places of snapshots before them;
   * where those lie before all that is there, nobody takes them for places of something else.
   */
  readonly behind: Seq;
}

/** Under this name the file is kept until the backup is whole. */
const unfinishedMetaPath = `${metaPath}.unfinished`;
const lineageDigits = 32;

/**
 * Writes a backup to an empty disk: `fill` appends what is to be in it.
 *
 * @throws `CONFIG_INVALID` when the disk is not empty; `DISK_FULL`, `ENGINE_FAILED`; what `fill`
 * throws. The disk then holds no backup, and no store.
 */
export async function writeBackup(
  options: WriteBackupOptions,
  fill: (log: Log) => Promise<void>,
): Promise<void> {
  const { disk, random, shardCount, epoch, lineage, behind } = options;
  if (await disk.exists(unfinishedMetaPath)) throw leftover();
  await requireEmpty(disk);
  const withheld = withheldMeta(disk);
  const meta = newMeta(random, shardCount);
  await writeMeta(withheld, meta);
  const first = plainHeader(aligned(behind + 1), -1, 0);
  await (await createSegment(disk, first, meta.salt)).retire();
  const log = await openEmbeddedLog({ disk: withheld, random });
  try {
    await fill(log);
  } catch (error) {
    // Why it could not be filled tells more than that it cannot be closed.
    await log.close().catch(() => undefined);
    throw error;
  }
  await log.close();
  const found = await readMeta(withheld);
  if (found === undefined) throw leftover();
  const whole = { epoch, lineage: lineage.padEnd(lineageDigits, '0'), isBackup: true };
  await writeMeta(disk, { ...found.meta, ...whole });
  await disk.remove(unfinishedMetaPath);
  await disk.flushDirectory('');
}

/** A disk on which the file that makes a store of it has another name. */
function withheldMeta(disk: Disk): Disk {
  const at = (path: string) => (path === metaPath ? unfinishedMetaPath : path);
  return {
    open: (path, mode) => disk.open(at(path), mode),
    exists: path => disk.exists(at(path)),
    list: path => disk.list(path),
    makeDirectory: path => disk.makeDirectory(path),
    rename: (source, target) => disk.rename(source, at(target)),
    remove: path => disk.remove(at(path)),
    flushDirectory: path => disk.flushDirectory(path),
    lock: path => disk.lock(path),
  };
}

function leftover(): TroupeError {
  return new TroupeError('CONFIG_INVALID', {
    detail:
      'the target directory holds a backup that was cut off; remove it, or name an empty directory',
  });
}
