/**
 * The copying of a compaction: which records of the old segments are still wanted, and their bytes,
 * checked on the way. What is damaged is not copied and not dropped: the segment stays as it is.
 */
import { invariant } from '../../core/errors.ts';
import type { DiskFile } from '../../ports/disk.ts';
import {
  bodyOf,
  commitHeaderBytes,
  decodeRecord,
  type RecordHeader,
  recordHeaderBytes,
  recordKind,
} from './frame.ts';
import { fileHeaderBytes } from './header.ts';
import { type Scan, scanCompacted, scanOf, scanRecords, walkCommits } from './scan.ts';
import type { Segment } from './segment.ts';
import { encodeSegmentHeader, type SegmentHeader } from './segment-header.ts';
import { encodeTable, tableCrcOf } from './segment-table.ts';
import type { StoreState } from './state.ts';
import type { Window } from './window-reader.ts';

const pieceBytes = 1 << 20;

interface Wanted {
  readonly offset: number;
  readonly byteLength: number;
}

/** Copies what is wanted of some segments into a file. */
export class CompactionCopy {
  readonly #state: StoreState;
  readonly #sources: readonly Segment[];
  readonly #file: DiskFile;
  readonly #positions: number[] = [];
  readonly #offsets: number[] = [];
  #piece: Buffer = Buffer.alloc(pieceBytes);
  #pieceLength = 0;
  #written = fileHeaderBytes;

  constructor(state: StoreState, sources: readonly Segment[], file: DiskFile) {
    this.#state = state;
    this.#sources = sources;
    this.#file = file;
  }

  /** Copies everything; returns the new header, or nothing when stopped or meeting damage. */
  async run(isStopped: () => boolean): Promise<SegmentHeader | undefined> {
    for (const source of this.#sources) {
      const isSound = await this.#copySegment(source, isStopped);
      if (isStopped()) return undefined;
      if (!isSound) {
        source.isSuspect = true;
        return undefined;
      }
    }
    await this.#writePiece();
    return this.#finish();
  }

  async #finish(): Promise<SegmentHeader> {
    const first = this.#sources[0];
    const last = this.#sources.at(-1);
    invariant(first !== undefined && last !== undefined, 'a compaction has sources');
    const positions = Float64Array.from(this.#positions);
    const table = encodeTable({ positions, offsets: Float64Array.from(this.#offsets) });
    await this.#file.write(this.#written, table);
    const header: SegmentHeader = {
      ...first.header,
      isCompacted: true,
      end: last.end,
      tableOffset: this.#written,
      tableCount: positions.length,
      tableCrc: tableCrcOf(table),
    };
    await this.#file.write(0, encodeSegmentHeader(header, this.#state.meta.salt));
    return header;
  }

  /** Whether the segment is without damage. */
  async #copySegment(source: Segment, isStopped: () => boolean): Promise<boolean> {
    const scan = scanOf(source, this.#state.meta.salt, source.size);
    if (source.header.isCompacted) {
      const found = await this.#wantedOf(visitor => scanCompacted(scan, visitor));
      if (found.count !== source.header.tableCount) return false;
      return found.isSound && (await this.#copy(scan, found.wanted, isStopped));
    }
    const walk = await walkCommits(scan, fileHeaderBytes, source.size, async (commit, offset) => {
      const range = { from: offset + commitHeaderBytes, to: offset + commit.byteLength };
      const found = await this.#wantedOf(visitor => scanRecords(scan, range, visitor));
      const isSound = found.isSound && found.count === commit.recordCount;
      return isSound && (await this.#copy(scan, found.wanted, isStopped));
    });
    return walk.end === source.size && walk.gaps.length === 0;
  }

  async #wantedOf(
    scan: (visitor: Parameters<typeof scanCompacted>[1]) => Promise<void>,
  ): Promise<{ wanted: Wanted[]; count: number; isSound: boolean }> {
    const wanted: Wanted[] = [];
    let count = 0;
    let isSound = true;
    await scan({
      record: (header, window, offset) => {
        count += 1;
        if (!this.#isWanted(header, window)) return;
        this.#positions.push(header.position);
        wanted.push({ offset, byteLength: header.byteLength });
      },
      hole: () => {
        isSound = false;
      },
    });
    return { wanted, count, isSound };
  }

  #isWanted(header: RecordHeader, { bytes, at }: Window): boolean {
    if (header.kind === recordKind.loss) return true;
    const { index } = this.#state;
    const start = at + recordHeaderBytes;
    const end = start + header.nameLength;
    const row = index.find({ bytes: bytes.buffer, start, end });
    const kept = row < 0 ? 0 : index.firstKept(row);
    if (header.kind === recordKind.trim) return header.previous >= kept;
    return header.position >= kept;
  }

  /** Whether all bodies were right. */
  async #copy(scan: Scan, wanted: readonly Wanted[], isStopped: () => boolean): Promise<boolean> {
    for (const { offset, byteLength } of wanted) {
      if (this.#pieceLength + byteLength > this.#piece.length) await this.#writePiece(byteLength);
      if (isStopped()) return false;
      const { bytes, at } =
        scan.reader.held(offset, byteLength) ?? (await scan.reader.window(offset, byteLength));
      if (!this.#take(scan, { bytes, at }, byteLength)) return false;
    }
    return true;
  }

  #take({ salt }: Scan, { bytes, at }: Window, byteLength: number): boolean {
    const header = decodeRecord(bytes, at, salt);
    if (header === undefined || bodyOf(bytes, at, header) === undefined) return false;
    this.#offsets.push(this.#written + this.#pieceLength);
    bytes.buffer.copy(this.#piece, this.#pieceLength, at, at + byteLength);
    this.#pieceLength += byteLength;
    return true;
  }

  async #writePiece(roomFor = 0): Promise<void> {
    if (this.#pieceLength > 0) {
      await this.#file.write(this.#written, this.#piece.subarray(0, this.#pieceLength));
      await this.#file.flush();
      this.#written += this.#pieceLength;
      this.#pieceLength = 0;
      await this.#state.context.breathe();
    }
    if (roomFor > this.#piece.length) this.#piece = Buffer.alloc(roomFor);
  }
}
