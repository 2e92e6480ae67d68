/**
 * Reads a backup where it lies. Nothing is written to it: it stays what it was, and it may be
 * where nothing can be written. What recovery would have to change shows that it is not whole.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Disk, DiskFile } from '../../ports/disk.ts';
import type { Heads, HeadsOptions, LogSlice, ReadOptions, Seq } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import { blobFolder } from './blob.ts';
import { ChainReader } from './chain-reader.ts';
import { listHeads } from './heads.ts';
import { spanOf } from './index-table.ts';
import { readMeta } from './meta.ts';
import { contextOf } from './options.ts';
import { recover } from './recovery.ts';

/** A backup that is open. Reads are those of a log. */
export interface BackupReader extends AsyncDisposable {
  readonly epoch: number;
  readonly lineage: string;
  readonly shardCount: number;
  /** Behind all places in it. */
  readonly end: Seq;
  /** How many large values it holds. */
  readonly blobCount: number;
  heads(options: HeadsOptions): Promise<Heads>;
  read(name: string, options: ReadOptions): Promise<LogSlice>;
}

const recordsMaxDefault = 1_000;
const encoder = new TextEncoder();

/**
 * Opens a backup for reading.
 *
 * @throws `CONFIG_INVALID` when it is none, or was not finished; `LOG_CORRUPT`, `LOG_REGRESSED`,
 * `ENGINE_UNSUPPORTED`, `ENGINE_FAILED`.
 */
export async function openBackup(disk: Disk, random: Random): Promise<BackupReader> {
  const found = await readMeta(disk);
  if (found?.meta.isBackup !== true) throw unfinished();
  const { meta } = found;
  const context = contextOf({ disk: readOnly(disk), random });
  const { index, segments, damaged } = await recover(context, meta);
  const chains = new ChainReader({ context, meta, index, segments, damaged });
  const { epoch, lineage, shardCount } = meta;
  return {
    ...{ epoch, lineage, shardCount, end: segments.end },
    blobCount: (await disk.list(blobFolder)).length,
    async heads({ prefix = '', ...rest }) {
      return listHeads(index, { ...rest, prefix: encoder.encode(prefix) });
    },
    async read(name, { after, recordsMax = recordsMaxDefault }) {
      const row = index.find(spanOf(encoder.encode(name)));
      const damage = damaged.get(row);
      if (damage !== undefined) throw damage;
      if (row < 0) return { records: [], tail: 0, isComplete: true, isStale: false };
      return chains.readAfter(row, after, recordsMax);
    },
    [Symbol.asyncDispose]: () => segments.close(),
  };
}

/** What is opened to be written is read only; recovery writes again what it has read. */
function readOnly(disk: Disk): Disk {
  const refuse = async () => {
    throw new TroupeError('LOG_CORRUPT', {
      detail: 'the backup does not end as it was written: a part of it is missing or damaged',
    });
  };
  return {
    exists: path => disk.exists(path),
    list: path => disk.list(path),
    open: async path => readOnlyFile(await disk.open(path, 'read'), refuse),
    makeDirectory: async () => undefined,
    flushDirectory: async () => undefined,
    rename: refuse,
    // A checkpoint that was begun: a backup has none.
    remove: async path => (path.endsWith('.new') ? undefined : refuse()),
    lock: async () => ({ release: async () => undefined }),
  };
}

function readOnlyFile(file: DiskFile, refuse: () => Promise<void>): DiskFile {
  return {
    size: () => file.size(),
    read: (offset, length) => file.read(offset, length),
    write: async () => undefined,
    flush: async () => undefined,
    truncate: refuse,
    close: () => file.close(),
  };
}

function unfinished(): TroupeError {
  return new TroupeError('CONFIG_INVALID', {
    detail:
      'this is no finished backup: it was cut off, or is something else; make a new one in an empty directory',
  });
}
