/**
 * Copies a store to another disk while appends go on, and back. A backup is one commit point: the
 * segments as far as they were flushed at one moment. It is not opened in place, because two stores
 * of one lineage could give the same numbers to different things; a restore begins a new lineage.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Random } from '../../ports/random.ts';
import { blobFolder } from './blob.ts';
import { CommitBuilder } from './commit-builder.ts';
import { type Meta, metaPath, readMeta, writeMeta } from './meta.ts';
import { segmentBases, segmentFolder, segmentPath } from './segment.ts';
import type { StoreState } from './state.ts';

/** What a backup or a restore copied. */
export interface CopyReport {
  /** The place of the log up to which everything is in the copy. */
  readonly end: number;
  readonly segmentCount: number;
  readonly blobCount: number;
  readonly bytes: number;
  readonly epoch: number;
  readonly lineage: string;
}

const pieceBytes = 1 << 20;

interface Part {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Writes a backup to an empty disk. Compaction must not run meanwhile.
 *
 * @throws `CONFIG_INVALID` when the target is not empty; `DISK_FULL`.
 */
export async function backUp(state: StoreState, target: Disk): Promise<CopyReport> {
  const { segments, meta, context } = state;
  const { end, active } = segments;
  // All of this is read in one go, so it is one moment of the log.
  const parts: Part[] = segments.list.map(({ path, size, header }) => ({
    path,
    bytes: header.isCompacted ? header.tableOffset + header.tableCount * 16 : size,
  }));
  await requireEmpty(target);
  const copier = new Copier(context.disk, target, context.breathe);
  for (const part of parts) await copier.copy(part);
  const builder = new CommitBuilder(meta.salt);
  builder.start(end, 0);
  // The backup ends with a mark, so that nothing in it may fail unnoticed.
  if (!active.header.isCompacted) await copier.append(active.path, builder.finish(end));
  return finish(copier, { ...meta, isBackup: true }, end);
}

/**
 * Makes a store on an empty disk from a backup: same shards, a new lineage, a higher epoch.
 *
 * @throws `CONFIG_INVALID` when the source is no backup or the target is not empty; `LOG_CORRUPT`,
 * `ENGINE_UNSUPPORTED`, `DISK_FULL`.
 */
export async function restore(parts: {
  readonly source: Disk;
  readonly target: Disk;
  readonly random: Random;
  /** The highest epoch known to have been used, if it is higher than the backup's. */
  readonly epochAtLeast?: number | undefined;
}): Promise<CopyReport> {
  const { source, target, random, epochAtLeast = 0 } = parts;
  const found = await readMeta(source);
  if (found?.meta.isBackup !== true) throw unfit('the source is not a finished backup');
  await requireEmpty(target);
  const copier = new Copier(source, target, async () => undefined);
  let end = 0;
  for (const base of await segmentBases(source)) {
    const bytes = await copier.copy({ path: segmentPath(base), bytes: Number.POSITIVE_INFINITY });
    end = base + bytes;
  }
  const epoch = Math.max(found.meta.epoch, epochAtLeast) + 1;
  const meta = { ...found.meta, epoch, lineage: random.hex(16), isBackup: false };
  return finish(copier, meta, end);
}

/** Blobs come after the records that name them, and the meta file, without which it is no store. */
async function finish(copier: Copier, meta: Meta, end: number): Promise<CopyReport> {
  const segmentCount = copier.fileCount;
  await copier.flushFolder(segmentFolder);
  for (const name of await copier.source.list(blobFolder)) {
    await copier.copy({ path: `${blobFolder}/${name}`, bytes: Number.POSITIVE_INFINITY });
  }
  await copier.flushFolder(blobFolder);
  await copier.flushFolder('');
  await writeMeta(copier.target, meta);
  const { byteCount: bytes, fileCount } = copier;
  const { epoch, lineage } = meta;
  return { end, segmentCount, blobCount: fileCount - segmentCount, bytes, epoch, lineage };
}

class Copier {
  readonly source: Disk;
  readonly target: Disk;
  readonly #breathe: () => Promise<void>;
  fileCount = 0;
  byteCount = 0;

  constructor(source: Disk, target: Disk, breathe: () => Promise<void>) {
    this.source = source;
    this.target = target;
    this.#breathe = breathe;
  }

  /** Copies a file up to a length, flushed, and returns how many bytes that were. */
  async copy({ path, bytes }: Part): Promise<number> {
    const from = await this.source.open(path, 'read');
    const to = await this.target.open(path, 'create');
    let done = 0;
    try {
      while (done < bytes) {
        const piece = await from.read(done, Math.min(pieceBytes, bytes - done));
        if (piece.length === 0) break;
        await to.write(done, piece);
        done += piece.length;
        await this.#breathe();
      }
      await to.flush();
    } finally {
      await from.close();
      await to.close();
    }
    this.fileCount += 1;
    this.byteCount += done;
    return done;
  }

  async append(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.target.open(path, 'write');
    try {
      await file.write(await file.size(), bytes);
      await file.flush();
    } finally {
      await file.close();
    }
  }

  async flushFolder(path: string): Promise<void> {
    if (await this.target.exists(path)) await this.target.flushDirectory(path);
  }
}

/** Makes sure that a disk holds no store, and makes its folders. */
export async function requireEmpty(target: Disk): Promise<void> {
  await target.makeDirectory('');
  const isUsed = (await target.exists(metaPath)) || (await segmentBases(target)).length > 0;
  if (isUsed) throw unfit('the target directory already holds a store or a part of one');
  await target.makeDirectory(segmentFolder);
  await target.makeDirectory(blobFolder);
}

function unfit(detail: string): TroupeError {
  return new TroupeError('CONFIG_INVALID', { detail });
}
