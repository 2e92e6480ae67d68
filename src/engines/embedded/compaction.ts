/**
 * Rewrites segments of which little is wanted any more, without getting in the way of commits: the
 * records that are still wanted are copied byte for byte into one new file, which takes the place
 * of the oldest of the old ones by a rename. A crash at any point leaves the old files or the new
 * one.
 */
import type { DiskFile } from '../../ports/disk.ts';
import { isDiskFull } from './committer.ts';
import { CompactionCopy } from './compaction-copy.ts';
import { Segment, segmentFolder, segmentPath } from './segment.ts';
import type { SegmentHeader } from './segment-header.ts';
import type { StoreState } from './state.ts';

/** Rewrites that many neighbouring segments at most in one go. */
const sourcesMax = 64;
/** So many small neighbours are joined although nothing in them is dead. */
const manySegments = 8;
/** A segment is small when it is less than this share of a full one. */
const smallShare = 1 / 16;

/** The neighbouring segments that are worth rewriting, if any. */
export function chooseSources({ segments, context }: StoreState): readonly Segment[] {
  const { segmentBytes, compactAtDeadShare } = context.limits;
  const sealed = segments.list.slice(0, -1);
  let run: Segment[] = [];
  let liveBytes = 0;
  const isWorthIt = () => {
    const size = run.reduce((sum, one) => sum + one.size, 0);
    return run.length >= manySegments || size - liveBytes >= size * compactAtDeadShare;
  };
  for (const segment of sealed) {
    const live = Math.max(0, segment.size - segment.deadBytes);
    const isSmall = segment.size <= segmentBytes * smallShare;
    const isDead = segment.deadBytes >= segment.size * compactAtDeadShare;
    const fits = run.length < sourcesMax && liveBytes + live <= segmentBytes;
    if (fits && (isSmall || isDead) && !segment.isSuspect) {
      run.push(segment);
      liveBytes += live;
      continue;
    }
    if (run.length > 0 && isWorthIt()) return run;
    run = [];
    liveBytes = 0;
  }
  return run.length > 0 && isWorthIt() ? run : [];
}

/** Rewrites neighbouring segments into one; nothing changes when it is stopped on the way. */
export async function compact(
  state: StoreState,
  sources: readonly Segment[],
  isStopped: () => boolean,
): Promise<void> {
  const { disk } = state.context;
  const path = `${segmentPath(sources[0]?.base ?? 0)}.new`;
  const file = await disk.open(path, 'create');
  let header: SegmentHeader | undefined;
  try {
    await file.truncate(0);
    header = await new CompactionCopy(state, sources, file).run(isStopped);
    if (header !== undefined) await file.flush();
  } catch (error) {
    if (isDiskFull(error)) await discard(state, file, path);
    throw error;
  }
  if (header === undefined) await discard(state, file, path);
  else await install(state, sources, { file, path, header });
}

async function discard({ context }: StoreState, file: DiskFile, path: string): Promise<void> {
  await file.close();
  await context.disk.remove(path);
}

/** Puts the new file in place; only when that is durable the other old ones go. */
async function install(
  { context, segments, meta }: StoreState,
  sources: readonly Segment[],
  { file, path, header }: { file: DiskFile; path: string; header: SegmentHeader },
): Promise<void> {
  const { disk, faultPoint } = context;
  await faultPoint('compaction.written', 'before-durable');
  await disk.rename(path, segmentPath(header.base));
  await faultPoint('compaction.renamed', 'ambiguous');
  await disk.flushDirectory(segmentFolder);
  await faultPoint('compaction.durable', 'after-durable');
  segments.replace(new Segment({ header, file, salt: meta.salt, size: header.tableOffset }));
  for (const source of sources) {
    await source.retire();
    if (source.base !== header.base) await disk.remove(source.path);
  }
  if (sources.length > 1) await disk.flushDirectory(segmentFolder);
}
