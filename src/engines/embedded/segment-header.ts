/**
 * What the first bytes of a segment say: where it lies in the log, which segment comes before it
 * and how far that one was flushed. So no segment can go missing and none can end early unnoticed.
 */
import type { DiskFile } from '../../ports/disk.ts';
import { bytesOf } from './frame.ts';
import { checkHeader, fileHeaderBytes, sealHeader, startHeader } from './header.ts';

/** What a segment's header says. */
export interface SegmentHeader {
  readonly isCompacted: boolean;
  /** The place in the log where the file begins. */
  readonly base: number;
  /** The base of the segment before it, or -1. */
  readonly previousBase: number;
  /** Where the segment before it ends, flushed: what is missing there was lost. */
  readonly previousEnd: number;
  /** Of a compacted segment: the place behind its last. */
  readonly end: number;
  /** Of a compacted segment: where its table lies in the file, how long it is, its checksum. */
  readonly tableOffset: number;
  readonly tableCount: number;
  readonly tableCrc: number;
}

const magic = 0x5350_5254;

/** The header of a new plain segment. */
export function plainHeader(
  base: number,
  previousBase: number,
  previousEnd: number,
): SegmentHeader {
  const rest = { end: 0, tableOffset: 0, tableCount: 0, tableCrc: 0 };
  return { isCompacted: false, base, previousBase, previousEnd, ...rest };
}

/** The bytes of a segment header. */
export function encodeSegmentHeader(header: SegmentHeader, salt: number): Uint8Array {
  const bytes = startHeader(magic);
  const { view } = bytes;
  view.setUint8(6, header.isCompacted ? 1 : 0);
  view.setFloat64(8, header.base, true);
  view.setFloat64(16, header.previousBase, true);
  view.setFloat64(24, header.previousEnd, true);
  view.setFloat64(32, header.end, true);
  view.setFloat64(40, header.tableOffset, true);
  view.setUint32(48, header.tableCount, true);
  view.setUint32(52, header.tableCrc, true);
  return sealHeader(bytes, salt);
}

/**
 * The header of a segment, or nothing when it is damaged.
 *
 * @throws `ENGINE_UNSUPPORTED` for a newer format.
 */
export async function readSegmentHeader(
  file: DiskFile,
  path: string,
  salt: number,
): Promise<SegmentHeader | undefined> {
  const bytes = bytesOf(await file.read(0, fileHeaderBytes));
  if (checkHeader(bytes, magic, salt, path) === 'damaged') return undefined;
  const { view } = bytes;
  return {
    isCompacted: view.getUint8(6) !== 0,
    base: view.getFloat64(8, true),
    previousBase: view.getFloat64(16, true),
    previousEnd: view.getFloat64(24, true),
    end: view.getFloat64(32, true),
    tableOffset: view.getFloat64(40, true),
    tableCount: view.getUint32(48, true),
    tableCrc: view.getUint32(52, true),
  };
}
