/**
 * Reads segments from front to back: commits, the records in them, and the holes where bytes fail
 * their checksums. Says what is there; what that means is decided in `recovery.ts`.
 */
import {
  type CommitHeader,
  commitHeaderBytes,
  commitMagic,
  decodeCommit,
  decodeRecord,
  frameAlignment,
  type RecordHeader,
} from './frame.ts';
import { fileHeaderBytes } from './header.ts';
import type { Segment } from './segment.ts';
import { type Window, WindowReader } from './window-reader.ts';

/** A part of a file: offsets, the second behind the last. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What is read, and how. */
export interface Scan {
  readonly segment: Segment;
  readonly reader: WindowReader;
  readonly salt: number;
  /** The offset where the scan ends at the latest. */
  readonly until: number;
}

/** What a walk over commits found. */
export interface CommitWalk {
  /** The offset behind the last commit. */
  readonly end: number;
  /** Where commits should be, because what follows proves it, and none can be read. */
  readonly gaps: readonly Range[];
  /** The highest place that any commit proves to be flushed. */
  readonly highWater: number;
}

/** What a scan of records calls. */
export interface RecordVisitor {
  readonly record: (header: RecordHeader, window: Window, offset: number) => void;
  readonly hole: (hole: Range) => void;
}

/** Prepares to scan a segment up to an offset. */
export function scanOf(segment: Segment, salt: number, until: number): Scan {
  return { segment, reader: new WindowReader(segment.file, until), salt, until };
}

/**
 * Walks over the commits from `from` on. `proven` is the offset up to which all is known to be
 * flushed; `visit` may stop the walk by returning `false`, and the walk then ends before that
 * commit.
 */
export async function walkCommits(
  scan: Scan,
  from: number,
  proven: number,
  visit: (commit: CommitHeader, offset: number) => Promise<boolean>,
): Promise<CommitWalk> {
  const { base } = scan.segment;
  const gaps: Range[] = [];
  let offset = from;
  let highWater = 0;
  while (offset < scan.until) {
    const commit = await commitAt(scan, offset);
    if (commit !== undefined) {
      if (!(await visit(commit, offset))) break;
      highWater = Math.max(highWater, commit.highWater);
      offset += commit.byteLength;
      continue;
    }
    const next = await findCommit(scan, offset + frameAlignment);
    const provenHere = Math.max(proven, (next?.commit.highWater ?? 0) - base);
    if (provenHere <= offset) break;
    const to = next?.offset ?? Math.min(provenHere, scan.until);
    gaps.push({ from: offset, to });
    offset = to;
  }
  return { end: offset, gaps, highWater };
}

/** Scans the records in a part of a plain segment; each must carry the place where it lies. */
export async function scanRecords(scan: Scan, range: Range, visitor: RecordVisitor): Promise<void> {
  const { base } = scan.segment;
  await scanFrames(scan, range, visitor, (header, offset) => header.position === base + offset);
}

/** Scans the records of a compacted segment. */
export async function scanCompacted(scan: Scan, visitor: RecordVisitor): Promise<void> {
  const { base, end } = scan.segment;
  const isWithin = (header: RecordHeader) => header.position >= base && header.position < end;
  await scanFrames(scan, { from: fileHeaderBytes, to: scan.until }, visitor, isWithin);
}

async function scanFrames(
  scan: Scan,
  { from, to }: Range,
  visitor: RecordVisitor,
  isRight: (header: RecordHeader, offset: number) => boolean,
): Promise<void> {
  const { reader } = scan;
  let offset = from;
  let holeFrom = to;
  while (offset < to) {
    const window = reader.heldRecord(offset) ?? (await reader.record(offset));
    const header = decodeRecord(window.bytes, window.at, scan.salt);
    if (header === undefined || !isRight(header, offset) || offset + header.byteLength > to) {
      holeFrom = Math.min(holeFrom, offset);
      offset += frameAlignment;
      continue;
    }
    if (holeFrom < offset) visitor.hole({ from: holeFrom, to: offset });
    holeFrom = to;
    visitor.record(header, window, offset);
    offset += header.byteLength;
  }
  if (holeFrom < to) visitor.hole({ from: holeFrom, to });
}

/** The commit at an offset, if it is intact, in its place and within the scan. */
async function commitAt(scan: Scan, offset: number): Promise<CommitHeader | undefined> {
  const { reader } = scan;
  const window =
    reader.held(offset, commitHeaderBytes) ?? (await reader.window(offset, commitHeaderBytes));
  const commit = decodeCommit(window.bytes, window.at, scan.salt);
  if (commit === undefined || commit.position !== scan.segment.base + offset) return undefined;
  const isSized =
    commit.byteLength >= commitHeaderBytes && commit.byteLength % frameAlignment === 0;
  return isSized && offset + commit.byteLength <= scan.until ? commit : undefined;
}

const magicBytes = Buffer.alloc(4);
magicBytes.writeUInt32LE(commitMagic);
const searchBytes = 1 << 20;

/** The first intact commit at or behind an offset. */
async function findCommit(
  scan: Scan,
  from: number,
): Promise<{ commit: CommitHeader; offset: number } | undefined> {
  let offset = from;
  while (offset + commitHeaderBytes <= scan.until) {
    const { bytes, at } = await scan.reader.window(offset, searchBytes);
    const found = bytes.buffer.indexOf(magicBytes, at);
    if (found < 0) {
      // The magic may lie across the end of the window.
      offset += Math.max(bytes.buffer.length - at - magicBytes.length + 1, 1);
      continue;
    }
    offset += found - at;
    const commit = offset % frameAlignment === 0 ? await commitAt(scan, offset) : undefined;
    if (commit !== undefined) return { commit, offset };
    offset += 1;
  }
  return undefined;
}
