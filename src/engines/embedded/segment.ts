/**
 * One file of the log. A plain segment is commits one behind the other, and a place in the log is
 * the segment's base plus the offset in the file. A compacted segment holds the records that were
 * still wanted, byte for byte, and a table of where each place lies now, so that chains stay valid.
 */
import type { Disk, DiskFile } from '../../ports/disk.ts';
import { type Bytes, bytesOf } from './frame.ts';
import { fileHeaderBytes } from './header.ts';
import { encodeSegmentHeader, type SegmentHeader } from './segment-header.ts';
import { loadTable, offsetIn, type SegmentTable } from './segment-table.ts';

/** The folder of the segments. */
export const segmentFolder = 'log';

const namePattern = /^([0-9a-f]{14})\.log$/;

/** What a segment is made of. */
export interface SegmentParts {
  readonly header: SegmentHeader;
  readonly file: DiskFile;
  readonly salt: number;
  /** The bytes of the file that hold flushed commits; of a compacted one, header and records. */
  readonly size: number;
}

/** A segment that is open. */
export class Segment {
  readonly header: SegmentHeader;
  readonly path: string;
  readonly file: DiskFile;
  /** The bytes of the file that hold flushed commits; of a compacted one, header and records. */
  size: number;
  /** The length of the file, with what was reserved: zeros behind the last commit. */
  fileBytes: number;
  /** An estimate of the bytes that nobody wants any more. */
  deadBytes = 0;
  /** Whether compaction found damage here and leaves the segment as it is. */
  isSuspect = false;
  readonly #salt: number;
  #table: Promise<SegmentTable> | undefined;
  #readers = 0;
  #isRetired = false;

  constructor(parts: SegmentParts) {
    this.header = parts.header;
    this.path = segmentPath(parts.header.base);
    this.file = parts.file;
    this.size = parts.size;
    this.fileBytes = parts.size;
    this.#salt = parts.salt;
  }

  get base(): number {
    return this.header.base;
  }

  /** The place behind the last flushed one. */
  get end(): number {
    return this.header.isCompacted ? this.header.end : this.header.base + this.size;
  }

  /** Whether the table of a compacted segment is in memory. */
  get hasTable(): boolean {
    return this.#table !== undefined;
  }

  /** Lets go of the table, which is read again when it is needed. */
  forgetTable(): void {
    this.#table = undefined;
  }

  /**
   * The bytes from a place on, at most `length`; nothing when the segment does not hold the place.
   * The file stays open while a read goes on, even if compaction replaces the segment.
   */
  async readAt(position: number, length: number): Promise<Bytes | undefined> {
    this.#readers += 1;
    try {
      const offset = this.header.isCompacted
        ? offsetIn(await this.#loadTable(), position)
        : position - this.header.base;
      if (offset === undefined || offset < fileHeaderBytes || offset >= this.size) return undefined;
      return bytesOf(await this.file.read(offset, Math.min(length, this.size - offset)));
    } finally {
      this.#readers -= 1;
      await this.#closeIfUnused();
    }
  }

  /** Lets go of the file as soon as no read needs it. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.#closeIfUnused();
  }

  #loadTable(): Promise<SegmentTable> {
    if (this.#table !== undefined) return this.#table;
    const table = loadTable(this.file, this.header, this.#salt);
    this.#table = table;
    // A device that refused once may read it the next time.
    table.catch(() => {
      if (this.#table === table) this.#table = undefined;
    });
    return table;
  }

  async #closeIfUnused(): Promise<void> {
    if (!this.#isRetired || this.#readers > 0) return;
    this.#isRetired = false;
    await this.file.close();
  }
}

/** The path of the segment that begins at a place. */
export function segmentPath(base: number): string {
  return `${segmentFolder}/${base.toString(16).padStart(14, '0')}.log`;
}

/** The bases of the segments there are, rising. */
export async function segmentBases(disk: Disk): Promise<number[]> {
  const names = await disk.list(segmentFolder);
  const bases = names.flatMap(name => {
    const digits = namePattern.exec(name)?.[1];
    return digits === undefined ? [] : [Number.parseInt(digits, 16)];
  });
  return bases.sort((one, other) => one - other);
}

/**
 * Makes a plain segment durable before anything is appended to it.
 *
 * @throws `DISK_FULL`, then nothing is left of it.
 */
export async function createSegment(
  disk: Disk,
  header: SegmentHeader,
  salt: number,
): Promise<Segment> {
  const path = segmentPath(header.base);
  const file = await disk.open(path, 'create');
  try {
    await file.truncate(0);
    await file.write(0, encodeSegmentHeader(header, salt));
    await file.flush();
    await disk.flushDirectory(segmentFolder);
    return new Segment({ header, file, salt, size: fileHeaderBytes });
  } catch (error) {
    await file.close();
    await disk.remove(path);
    throw error;
  }
}
