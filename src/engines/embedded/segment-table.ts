/**
 * Where the records of a compacted segment lie: places in the log, rising, with their offsets in
 * the file. The table is only a shortcut: every record carries its place, so a damaged table is
 * rebuilt from the records.
 */
import { crc32 } from 'node:zlib';
import type { DiskFile } from '../../ports/disk.ts';
import { decodeRecord, frameAlignment, recordHeaderBytes } from './frame.ts';
import { fileHeaderBytes } from './header.ts';
import type { SegmentHeader } from './segment-header.ts';
import { WindowReader } from './window-reader.ts';

/** Places and offsets, in step. */
export interface SegmentTable {
  readonly positions: Float64Array;
  readonly offsets: Float64Array;
}

/** The bytes of a table. */
export function encodeTable(table: SegmentTable): Uint8Array {
  const bytes = new Uint8Array(table.positions.length * 16);
  bytes.set(bytesOfNumbers(table.positions), 0);
  bytes.set(bytesOfNumbers(table.offsets), table.positions.length * 8);
  return bytes;
}

/** The checksum of a table's bytes. */
export function tableCrcOf(bytes: Uint8Array): number {
  return crc32(bytes);
}

/** Reads the table of a compacted segment, from the records when the stored one is damaged. */
export async function loadTable(
  file: DiskFile,
  header: SegmentHeader,
  salt: number,
): Promise<SegmentTable> {
  const { tableOffset, tableCount, tableCrc } = header;
  const stored = await file.read(tableOffset, tableCount * 16);
  if (stored.length !== tableCount * 16 || crc32(stored) !== tableCrc) {
    return rebuildTable(file, tableOffset, salt);
  }
  const numbers = new Float64Array(Uint8Array.from(stored).buffer);
  return { positions: numbers.subarray(0, tableCount), offsets: numbers.subarray(tableCount) };
}

/** The offset of the record at a place, if it is there. */
export function offsetIn(table: SegmentTable, position: number): number | undefined {
  const { positions, offsets } = table;
  let low = 0;
  let high = positions.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = positions[middle] ?? 0;
    if (found === position) return offsets[middle];
    if (found < position) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

async function rebuildTable(file: DiskFile, end: number, salt: number): Promise<SegmentTable> {
  const positions: number[] = [];
  const offsets: number[] = [];
  const reader = new WindowReader(file, end);
  let offset = fileHeaderBytes;
  while (offset + recordHeaderBytes <= end) {
    const { bytes, at } = reader.heldRecord(offset) ?? (await reader.record(offset));
    const record = decodeRecord(bytes, at, salt);
    if (record !== undefined) {
      positions.push(record.position);
      offsets.push(offset);
    }
    offset += record?.byteLength ?? frameAlignment;
  }
  return { positions: new Float64Array(positions), offsets: new Float64Array(offsets) };
}

function bytesOfNumbers(numbers: Float64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
