/** A segment on a device that refuses now and then. */
import { expect, it } from 'vitest';
import { fileHeaderBytes } from '../../../src/engines/embedded/header.ts';
import { Segment } from '../../../src/engines/embedded/segment.ts';
import { plainHeader } from '../../../src/engines/embedded/segment-header.ts';
import { encodeTable, tableCrcOf } from '../../../src/engines/embedded/segment-table.ts';
import type { DiskFile } from '../../../src/ports/disk.ts';

it('reads the table of a compacted segment again after the device has refused once', async () => {
  const table = encodeTable({
    positions: Float64Array.of(700),
    offsets: Float64Array.of(fileHeaderBytes),
  });
  const size = fileHeaderBytes + 8;
  const content = new Uint8Array(size + table.length);
  content.set(table, size);
  let refusals = 1;
  const read: DiskFile['read'] = async (offset, length) => {
    if (refusals-- > 0) throw new Error('refused');
    return content.slice(offset, offset + length);
  };
  const header = {
    ...plainHeader(500, -1, 0),
    isCompacted: true,
    end: 900,
    tableOffset: size,
    tableCount: 1,
    tableCrc: tableCrcOf(table),
  };
  // Nothing but reads is asked of the file.
  const file = { read } as unknown as DiskFile;
  const segment = new Segment({ header, file, salt: 1, size });
  await expect(segment.readAt(700, 8)).rejects.toThrow('refused');
  expect((await segment.readAt(700, 8))?.buffer).toHaveLength(8);
});
