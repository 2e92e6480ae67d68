/**
 * Checks every byte of one commit: what is not yet proven to be flushed is taken whole or not at
 * all.
 */
import { crc32 } from 'node:zlib';
import { bodyOf, bytesOf, type CommitHeader, commitHeaderBytes, decodeRecord } from './frame.ts';
import type { Scan } from './scan.ts';

/** Whether all records of a commit are there and right. */
export async function isIntact(scan: Scan, commit: CommitHeader, offset: number): Promise<boolean> {
  const { segment, salt } = scan;
  const bytes = bytesOf(await segment.file.read(offset, commit.byteLength));
  if (bytes.buffer.length !== commit.byteLength) return false;
  const crcs = bytesOf(new Uint8Array(commit.recordCount * 4));
  let at = commitHeaderBytes;
  for (let count = 0; count < commit.recordCount; count += 1) {
    const header = decodeRecord(bytes, at, salt);
    const isRight = header?.position === segment.base + offset + at;
    if (!isRight || bodyOf(bytes, at, header) === undefined) return false;
    crcs.view.setUint32(count * 4, header.headerCrc, true);
    at += header.byteLength;
  }
  return at === commit.byteLength && crc32(crcs.buffer) === commit.recordsCrc;
}
