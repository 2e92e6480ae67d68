/**
 * Opening a store: from the newest checkpoint and what was appended since, to an index that is
 * right. Batches are all or nothing. What fails its checksums above the high-water mark was never
 * proven to be flushed: it is cut and reported. What fails below it was acknowledged: it is never
 * skipped.
 */
import { TroupeError } from '../../core/errors.ts';
import { type LoadedCheckpoint, loadCheckpoint } from './checkpoint.ts';
import { aligned } from './frame.ts';
import { corrupt, fileHeaderBytes } from './header.ts';
import { IndexTable } from './index-table.ts';
import { isIntact } from './intact.ts';
import type { Meta } from './meta.ts';
import { openSegments } from './open-segments.ts';
import type { StoreContext } from './options.ts';
import { type Hole, Replay } from './replay.ts';
import { scanOf, walkCommits } from './scan.ts';
import { createSegment, type Segment, segmentFolder } from './segment.ts';
import { plainHeader } from './segment-header.ts';
import type { Segments } from './segments.ts';
import { WindowReader } from './window-reader.ts';

/** What was cut off the end of the log at opening. */
export interface CutReport {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  /**
   * Whether the bytes may have been an append that was acknowledged: nothing proves the contrary.
   */
  readonly isPossiblyAcknowledged: true;
}

/** What opening found and did. */
export interface RecoveryReport {
  /** Present when the log did not end with an intact commit. */
  readonly cut: CutReport | undefined;
  /** What was damaged and rebuilt without loss. */
  readonly repairs: readonly string[];
  /** What is unreadable and was given up with the operator's consent. */
  readonly losses: readonly Hole[];
  /** Logs with an unreadable record that the scan came upon: they are not served. */
  readonly damagedNames: readonly string[];
  /** The bytes of log that were read because no checkpoint covers them. */
  readonly scannedBytes: number;
}

/** A recovered log. */
export interface Recovered {
  readonly index: IndexTable;
  readonly segments: Segments;
  readonly report: RecoveryReport;
  /** The logs that are known to be damaged, by row. */
  readonly damaged: Map<number, TroupeError>;
}

/** What is known before the scan. */
interface Start {
  readonly segments: Segments;
  readonly lastFileBytes: number;
  readonly checkpoint: LoadedCheckpoint | undefined;
  readonly replay: Replay;
}

/**
 * Recovers the log of an opened directory.
 *
 * @throws `LOG_CORRUPT` when a record is unreadable and nobody can tell whose it was;
 * `LOG_REGRESSED` when the log ends before what a checkpoint saw flushed.
 */
export async function recover(context: StoreContext, meta: Meta): Promise<Recovered> {
  await context.disk.makeDirectory(segmentFolder);
  // A process that was killed may have left names that we see and that a loss of power would take:
  // nothing is built on them, and nothing they replace is removed, before they are durable.
  await context.disk.flushDirectory('');
  await context.disk.flushDirectory(segmentFolder);
  const opened = await openSegments(context, meta);
  const { segments, lastFileBytes } = opened;
  try {
    const loaded = await loadCheckpoint(context, meta);
    // Who consents to losses wants all of the log looked at.
    const checkpoint = context.acceptLoss ? undefined : loaded.checkpoint;
    for (const { base, bytes } of checkpoint?.dead ?? []) noteDead(segments, base, bytes);
    const index = checkpoint?.index ?? new IndexTable();
    const begin = checkpoint?.begin ?? 0;
    const replay = new Replay(index, begin);
    const start = { segments, lastFileBytes, checkpoint, replay };
    if (segments.list.length === 0) await createFirst(context, meta, start);
    const scannedBytes = await replayAll(meta, start);
    const losses = judge(context, start);
    const cut = await cutTail(context, meta, start);
    const repairs = [...opened.repairs, ...loaded.repairs, ...replay.repairs];
    const damaged = damagedLogs(start, index);
    const damagedNames = [...damaged.keys()].map(row => nameOf(index, row));
    const report = { cut, repairs, losses, damagedNames, scannedBytes };
    return { index, segments, damaged, report };
  } catch (error) {
    await segments.close();
    throw error;
  }
}

function noteDead(segments: Segments, base: number, bytes: number): void {
  const segment = segments.list.find(one => one.base === base);
  if (segment !== undefined) segment.deadBytes = bytes;
}

async function createFirst(context: StoreContext, meta: Meta, { segments }: Start): Promise<void> {
  segments.add(await createSegment(context.disk, plainHeader(0, -1, 0), meta.salt));
}

async function replayAll(meta: Meta, start: Start): Promise<number> {
  const { segments, checkpoint, replay } = start;
  const begin = checkpoint?.begin ?? 0;
  let scannedBytes = 0;
  for (const segment of segments.list) {
    const isLast = segment === segments.active;
    if (!isLast && segment.end <= begin) continue;
    if (segment.header.isCompacted)
      await replay.compacted(scanOf(segment, meta.salt, segment.size));
    else if (isLast) await replayLast(meta, start, segment);
    else await replaySealed(meta, replay, segment, offsetOf(segment, begin));
    scannedBytes += segment.end - Math.max(segment.base, begin);
  }
  return Math.max(0, scannedBytes);
}

/** All of a segment behind which another one begins is proven. */
async function replaySealed(
  meta: Meta,
  replay: Replay,
  segment: Segment,
  from: number,
): Promise<void> {
  const scan = scanOf(segment, meta.salt, segment.size);
  const walk = await walkCommits(scan, from, segment.size, async (commit, offset) => {
    await replay.commit(scan, commit, offset);
    return true;
  });
  for (const gap of walk.gaps) await replay.gap(scan, gap);
}

/** The last segment is walked twice: first to learn how far it is proven. */
async function replayLast(meta: Meta, start: Start, segment: Segment): Promise<void> {
  const { checkpoint, replay, lastFileBytes } = start;
  const scan = scanOf(segment, meta.salt, lastFileBytes);
  const from = offsetOf(segment, checkpoint?.begin ?? 0);
  const proven = (checkpoint?.end ?? 0) - segment.base;
  const survey = await walkCommits(scan, from, proven, async () => true);
  const mark = Math.max(proven, survey.highWater - segment.base);
  const walk = await walkCommits(scan, from, mark, async (commit, offset) => {
    const isProven = offset + commit.byteLength <= mark;
    if (!isProven && !(await isIntact(scan, commit, offset))) return false;
    await replay.commit(scan, commit, offset);
    return true;
  });
  for (const gap of walk.gaps) await replay.gap(scan, gap);
  segment.size = walk.end;
  // Where no commit is proven, the segment's header is not proven either.
  await settleTail(segment, mark > fileHeaderBytes ? mark : 0);
}

/**
 * Makes durable what was accepted without proof, before anybody sees it. It is written again first:
 * after a flush that failed, the system may hold it as flushed although it never was.
 */
async function settleTail(segment: Segment, proven: number): Promise<void> {
  for (let offset = proven; offset < segment.size; offset += settleBytes) {
    const length = Math.min(settleBytes, segment.size - offset);
    await segment.file.write(offset, await segment.file.read(offset, length));
  }
  await segment.file.flush();
}

const settleBytes = 1 << 20;

function offsetOf(segment: Segment, place: number): number {
  return Math.max(fileHeaderBytes, place - segment.base);
}

/** Decides whether the store may be opened with the holes that were found. */
function judge(context: StoreContext, { segments, checkpoint, replay }: Start): readonly Hole[] {
  const holes = replay.unresolved();
  const [first] = holes;
  if (first !== undefined && !context.acceptLoss) {
    const base = segments.find(first.from)?.base ?? 0;
    const what =
      'a record is unreadable and nobody can tell whose it was; restore a backup, or see `troupe accept-loss`';
    throw corrupt(first.path, first.from - base, what);
  }
  const end = checkpoint?.end ?? 0;
  if (segments.end < end) {
    const detail = `the log ends at ${segments.end}, but a checkpoint saw it flushed up to ${end}`;
    throw new TroupeError('LOG_REGRESSED', { detail });
  }
  return holes;
}

/**
 * Logs with a hole whose owner a later record tells. When such a log wants to be woken may have
 * been in the hole, so it is woken at once, and who reads it is told.
 */
function damagedLogs({ segments, replay }: Start, index: IndexTable): Map<number, TroupeError> {
  const damaged = new Map<number, TroupeError>();
  for (const [row, { hole, place }] of replay.damaged()) {
    const base = segments.find(hole.from)?.base ?? 0;
    damaged.set(row, corrupt(hole.path, place - base, 'no intact record begins here'));
    index.setWakeAt(row, 0);
  }
  return damaged;
}

function nameOf(index: IndexTable, row: number): string {
  return Buffer.from(index.nameBytes(row)).toString();
}

/**
 * Cuts what was not proven off the file, and goes on in a new segment behind it: no place is ever
 * given twice, not even one that nobody should have seen.
 */
async function cutTail(
  context: StoreContext,
  meta: Meta,
  { segments, lastFileBytes }: Start,
): Promise<CutReport | undefined> {
  const { active } = segments;
  const fileBytes = Math.max(lastFileBytes, active.size);
  const { path, size: offset } = active;
  if (active.header.isCompacted) {
    const header = plainHeader(active.end, active.base, active.end);
    segments.add(await createSegment(context.disk, header, meta.salt));
    return undefined;
  }
  if (await isZero(active, fileBytes)) {
    active.fileBytes = fileBytes;
    return undefined;
  }
  await context.faultPoint('recovery.before-cut', 'before-durable');
  await active.file.truncate(offset);
  await active.file.flush();
  await context.faultPoint('recovery.cut', 'after-durable');
  const header = plainHeader(active.base + aligned(fileBytes), active.base, active.end);
  segments.add(await createSegment(context.disk, header, meta.salt));
  return { path, offset, bytes: fileBytes - offset, isPossiblyAcknowledged: true };
}

/** Whether what lies behind the last commit is only what was reserved for the next ones. */
async function isZero(segment: Segment, end: number): Promise<boolean> {
  const reader = new WindowReader(segment.file, end);
  for (let offset = segment.size; offset < end; offset += zeroBytes) {
    const { bytes, at } = await reader.window(offset, zeroBytes);
    const part = bytes.buffer.subarray(at, at + Math.min(zeroBytes, end - offset));
    if (part.some(byte => byte !== 0)) return false;
  }
  return true;
}

const zeroBytes = 64 << 10;
