/**
 * Opens the files of the log and checks that they are one unbroken row. What a crash leaves half
 * made is removed; what is missing or damaged is reported.
 */
import type { TroupeError } from '../../core/errors.ts';
import { corrupt, fileHeaderBytes } from './header.ts';
import type { Meta } from './meta.ts';
import type { StoreContext } from './options.ts';
import { scanOf, walkCommits } from './scan.ts';
import { Segment, segmentBases, segmentFolder, segmentPath } from './segment.ts';
import { plainHeader, readSegmentHeader } from './segment-header.ts';
import { Segments } from './segments.ts';

/** The segments of a store, and the length of the file that is appended to. */
export interface OpenedSegments {
  readonly segments: Segments;
  /** The length of the last file; its `size` is not known before it is scanned. */
  readonly lastFileBytes: number;
  readonly repairs: readonly string[];
}

/**
 * Opens all segments; none when the store is new.
 *
 * @throws `LOG_CORRUPT` when one is missing or its header is damaged.
 */
export async function openSegments(context: StoreContext, meta: Meta): Promise<OpenedSegments> {
  const segments = new Segments();
  const repairs: string[] = [];
  try {
    await removeTemporary(context);
    const bases = await segmentBases(context.disk);
    for (const [at, base] of bases.entries()) {
      const previous = segments.list.at(-1);
      if (previous?.header.isCompacted === true && base < previous.end) {
        // A crash came between putting the compacted segment in place and removing this one.
        await context.disk.remove(segmentPath(base));
        continue;
      }
      const isLast = at === bases.length - 1;
      const segment = await openSegment(context, meta, base, isLast);
      if (segment === undefined) repairs.push(`${segmentPath(base)} was half made and is removed`);
      else join(segments, segment);
    }
    const last = segments.list.at(-1);
    return { segments, repairs, lastFileBytes: last === undefined ? 0 : await last.file.size() };
  } catch (error) {
    await segments.close();
    throw error;
  }
}

/** Adds a segment behind the one before it, whose end it proves. */
function join(segments: Segments, segment: Segment): void {
  const previous = segments.list.at(-1);
  const { previousBase, previousEnd } = segment.header;
  if (previous === undefined) {
    if (previousBase !== -1) throw missing(segment);
  } else {
    const isNeighbour = previous.header.isCompacted
      ? previousBase >= previous.base && previousEnd === previous.end
      : previousBase === previous.base;
    if (!isNeighbour) throw missing(segment);
    if (!previous.header.isCompacted) previous.size = previousEnd - previous.base;
  }
  segments.add(segment);
}

function missing(segment: Segment): TroupeError {
  return corrupt(segment.path, 0, 'the segment before it is missing');
}

async function openSegment(
  context: StoreContext,
  meta: Meta,
  base: number,
  isLast: boolean,
): Promise<Segment | undefined> {
  const path = segmentPath(base);
  const file = await context.disk.open(path, 'write');
  try {
    const header = await readSegmentHeader(file, path, meta.salt);
    if (header !== undefined && header.base === base) {
      const size = header.isCompacted ? header.tableOffset : fileHeaderBytes;
      return new Segment({ header, file, salt: meta.salt, size });
    }
    const parts = { header: plainHeader(base, -1, 0), file, salt: meta.salt };
    const bytes = await file.size();
    const isHalfMade = isLast && !(await hasCommits(new Segment({ ...parts, size: bytes }), meta));
    if (!isHalfMade) throw corrupt(path, 0, 'the header of the segment is damaged');
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  await context.disk.remove(path);
  await context.disk.flushDirectory(segmentFolder);
  return undefined;
}

async function hasCommits(segment: Segment, meta: Meta): Promise<boolean> {
  let found = false;
  const scan = scanOf(segment, meta.salt, segment.size);
  const walk = await walkCommits(scan, fileHeaderBytes, 0, async () => {
    found = true;
    return false;
  });
  return found || walk.gaps.length > 0;
}

async function removeTemporary({ disk }: StoreContext): Promise<void> {
  const names = await disk.list(segmentFolder);
  for (const name of names) {
    if (name.endsWith('.new')) await disk.remove(`${segmentFolder}/${name}`);
  }
}
