/**
 * The way from a disk to a store's state: lock, meta, recovery, and the next epoch, in this order.
 */
import { TroupeError } from '../../core/errors.ts';
import type { DiskLock } from '../../ports/disk.ts';
import { corrupt } from './header.ts';
import { type Meta, metaPath, newMeta, type ReadMeta, readMeta, writeMeta } from './meta.ts';
import { contextOf, type StoreContext, type StoreOptions } from './options.ts';
import { type RecoveryReport, recover } from './recovery.ts';
import { segmentBases } from './segment.ts';
import type { StoreState } from './state.ts';

/** The name of the lock. */
export const lockPath = 'lock';

/** A directory that is locked and recovered. */
export interface OpenedDirectory {
  readonly state: StoreState;
  readonly report: RecoveryReport;
  readonly lock: DiskLock;
}

/** Opens a directory, or makes it a store when it is empty. */
export async function openDirectory(options: StoreOptions): Promise<OpenedDirectory> {
  const context = contextOf(options);
  await context.disk.makeDirectory('');
  const lock = await context.disk.lock(lockPath);
  try {
    const { meta: before, damagedSlots } = await metaOf(context);
    const { index, segments, damaged, report } = await recover(context, before);
    // Consent to a loss starts another history: new numbers of delivery must not meet old ones.
    const lineage = report.losses.length > 0 ? context.random.hex(16) : before.lineage;
    const meta: Meta = { ...before, lineage, epoch: before.epoch + 1 };
    await writeMeta(context.disk, meta);
    await context.faultPoint('open.epoch-raised', 'after-durable');
    const slots = damagedSlots > 0 ? [`one copy of ${metaPath} was damaged`] : [];
    const state = { context, meta, index, segments, damaged };
    return { state, lock, report: { ...report, repairs: [...slots, ...report.repairs] } };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function metaOf(context: StoreContext): Promise<ReadMeta> {
  const { disk, random, shardCount } = context;
  const found = await readMeta(disk);
  if (found?.meta.isBackup === true) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: 'this directory is a backup; restore it into an empty one (`troupe restore`)',
    });
  }
  if (found !== undefined) return found;
  if ((await segmentBases(disk)).length > 0) throw corrupt(metaPath, 0, 'the file is missing');
  const meta = newMeta(random, shardCount);
  await writeMeta(disk, meta);
  return { meta, damagedSlots: 0 };
}
