/**
 * What a store is: its salt, lineage, epoch and shard count, in a small file with two equal slots,
 * so that one damaged slot loses nothing. Both are written in place, which needs no space on a full
 * disk.
 */
import type { Disk } from '../../ports/disk.ts';
import type { Random } from '../../ports/random.ts';
import { type Bytes, bytesOf } from './frame.ts';
import { checkHeader, corrupt, fileHeaderBytes, sealHeader, startHeader } from './header.ts';

/** The name of the file. */
export const metaPath = 'meta';

/** What a store is. */
export interface Meta {
  /**
   * Seeds every checksum of the store, so that bytes of another store are never taken for its own.
   */
  readonly salt: number;
  /** The number of shards, fixed at creation. */
  readonly shardCount: number;
  /** Raised by one at each opening. */
  readonly epoch: number;
  /** 32 hexadecimal digits; new at creation and at each restore. */
  readonly lineage: string;
  /** Whether this is a backup, which is to be restored and not opened. */
  readonly isBackup: boolean;
}

/** A meta file that was read: how many of its two slots were damaged. */
export interface ReadMeta {
  readonly meta: Meta;
  readonly damagedSlots: number;
}

const magic = 0x4d50_5254;
const slotOffsets = [0, 4_096] as const;

/** A new store. */
export function newMeta(random: Random, shardCount: number): Meta {
  const salt = Number.parseInt(random.hex(4), 16);
  return { salt, shardCount, epoch: 0, lineage: random.hex(16), isBackup: false };
}

/** Writes both slots, each flushed before the next, creating the file whole when it is missing. */
export async function writeMeta(disk: Disk, meta: Meta): Promise<void> {
  const isNew = !(await disk.exists(metaPath));
  const path = isNew ? `${metaPath}.new` : metaPath;
  const file = await disk.open(path, 'create');
  try {
    for (const offset of slotOffsets) {
      await file.write(offset, encode(meta));
      await file.flush();
    }
  } finally {
    await file.close();
  }
  if (!isNew) return;
  await disk.rename(path, metaPath);
  await disk.flushDirectory('');
}

/**
 * Reads the meta file; nothing when there is none.
 *
 * @throws `LOG_CORRUPT` when both slots are damaged; `ENGINE_UNSUPPORTED` for a newer format.
 */
export async function readMeta(disk: Disk): Promise<ReadMeta | undefined> {
  if (!(await disk.exists(metaPath))) return undefined;
  const file = await disk.open(metaPath, 'read');
  const found: Meta[] = [];
  try {
    for (const offset of slotOffsets) {
      const meta = decode(bytesOf(await file.read(offset, fileHeaderBytes)));
      if (meta !== undefined) found.push(meta);
    }
  } finally {
    await file.close();
  }
  const newest = found.toSorted((one, other) => other.epoch - one.epoch)[0];
  if (newest === undefined) throw corrupt(metaPath, 0, 'both copies are damaged; restore a backup');
  return { meta: newest, damagedSlots: slotOffsets.length - found.length };
}

function encode(meta: Meta): Uint8Array {
  const header = startHeader(magic);
  header.view.setUint32(8, meta.salt, true);
  header.view.setUint32(12, meta.shardCount, true);
  header.view.setFloat64(16, meta.epoch, true);
  header.buffer.write(meta.lineage, 24, 16, 'hex');
  header.view.setUint32(56, meta.isBackup ? 1 : 0, true);
  return sealHeader(header, 0);
}

function decode(slot: Bytes): Meta | undefined {
  if (checkHeader(slot, magic, 0, metaPath) === 'damaged') return undefined;
  return {
    salt: slot.view.getUint32(8, true),
    shardCount: slot.view.getUint32(12, true),
    epoch: slot.view.getFloat64(16, true),
    lineage: slot.buffer.toString('hex', 24, 40),
    isBackup: slot.view.getUint32(56, true) !== 0,
  };
}
