/**
 * The index on disk, so that opening reads what was appended since and not the whole log. It can
 * always be rebuilt: a damaged checkpoint costs time and is reported, nothing else.
 *
 * @remarks A checkpoint is taken page by page while appends go on. It names the place of the log
 * where it began; opening replays from there, and applying a record twice changes nothing.
 */
import { crc32 } from 'node:zlib';
import { TroupeError } from '../../core/errors.ts';
import type { Disk, DiskFile } from '../../ports/disk.ts';
import { bytesOf } from './frame.ts';
import { checkHeader, fileHeaderBytes, sealHeader, startHeader } from './header.ts';
import { type IndexPages, IndexTable, namePageBytes, rowsPerPage } from './index-table.ts';
import type { Meta } from './meta.ts';
import type { StoreContext } from './options.ts';
import type { StoreState } from './state.ts';

/** The path of the checkpoint. */
export const checkpointPath = 'index';

/** An estimate of the dead bytes of a segment. */
export interface DeadBytes {
  readonly base: number;
  readonly bytes: number;
}

/** A checkpoint that was read. */
export interface LoadedCheckpoint {
  readonly index: IndexTable;
  /** Where replay begins. */
  readonly begin: number;
  /** How far the log was flushed when the checkpoint was complete. */
  readonly end: number;
  readonly dead: readonly DeadBytes[];
}

const magic = 0x4950_5254;
const newPath = `${checkpointPath}.new`;
/** A checksum and four zeros, so that what follows is aligned in memory. */
const chunkHeaderBytes = 8;
/** Flushing a little at a time keeps the device free for commits. */
const bytesPerFlush = 4 << 20;

/** Writes a checkpoint and puts it in the place of the older one. Returns where it begins. */
export async function writeCheckpoint(state: StoreState): Promise<number> {
  const { context, segments } = state;
  const { disk } = context;
  const begin = segments.end;
  const file = await disk.open(newPath, 'create');
  try {
    await file.truncate(0);
    await writeChunks(file, state, begin);
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  await context.faultPoint('checkpoint.written', 'before-durable');
  await disk.rename(newPath, checkpointPath);
  await context.faultPoint('checkpoint.renamed', 'ambiguous');
  await disk.flushDirectory('');
  return begin;
}

async function writeChunks(file: DiskFile, state: StoreState, begin: number): Promise<void> {
  const { index, segments, context, meta } = state;
  const { rowCount, nameBytes } = index.pages;
  const writer = new ChunkWriter(file, context);
  for (let row = 0; row < rowCount; row += rowsPerPage) {
    const page = row / rowsPerPage;
    const rows = Math.min(rowsPerPage, rowCount - row);
    await writer.write(bytesIn(index.pages.numbers[page], rows * 32));
    await writer.write(bytesIn(index.pages.words[page], rows * 8));
  }
  for (let at = 0; at < nameBytes; at += namePageBytes) {
    const page = index.pages.names[at / namePageBytes];
    await writer.write(bytesIn(page, Math.min(namePageBytes, nameBytes - at)));
  }
  const dead = segments.list.flatMap(({ base, deadBytes }) => [base, deadBytes]);
  await writer.write(bytesIn(Float64Array.from(dead), dead.length * 8));
  await writer.flush();
  const header = startHeader(magic);
  header.view.setUint32(8, rowCount, true);
  header.view.setUint32(12, segments.list.length, true);
  header.view.setFloat64(16, begin, true);
  header.view.setFloat64(24, segments.end, true);
  header.view.setFloat64(32, nameBytes, true);
  header.view.setUint32(40, dead.length, true);
  await file.write(0, sealHeader(header, meta.salt));
  await file.flush();
}

/** Writes chunks, each behind its checksum. */
class ChunkWriter {
  readonly #file: DiskFile;
  readonly #context: StoreContext;
  #offset = fileHeaderBytes;
  #unflushed = 0;

  constructor(file: DiskFile, context: StoreContext) {
    this.#file = file;
    this.#context = context;
  }

  async write(bytes: Uint8Array): Promise<void> {
    // A copy, because the page goes on changing while the disk writes.
    const chunk = bytesOf(new Uint8Array(chunkHeaderBytes + bytes.length));
    chunk.buffer.set(bytes, chunkHeaderBytes);
    chunk.view.setUint32(0, crc32(chunk.buffer.subarray(chunkHeaderBytes)), true);
    await this.#file.write(this.#offset, chunk.buffer);
    this.#offset += chunk.buffer.length;
    this.#unflushed += chunk.buffer.length;
    if (this.#unflushed >= bytesPerFlush) await this.flush();
    await this.#context.breathe();
  }

  async flush(): Promise<void> {
    await this.#file.flush();
    this.#unflushed = 0;
  }
}

/** Reads the newest checkpoint; a damaged one counts as none and is reported. */
export async function loadCheckpoint(
  { disk }: StoreContext,
  meta: Meta,
): Promise<{ checkpoint: LoadedCheckpoint | undefined; repairs: readonly string[] }> {
  await disk.remove(newPath);
  if (!(await disk.exists(checkpointPath))) return { checkpoint: undefined, repairs: [] };
  const checkpoint = await readCheckpoint(disk, meta);
  const repairs =
    checkpoint === undefined ? [`${checkpointPath} is damaged and was rebuilt from the log`] : [];
  return { checkpoint, repairs };
}

async function readCheckpoint(disk: Disk, meta: Meta): Promise<LoadedCheckpoint | undefined> {
  const file = await disk.open(checkpointPath, 'read');
  try {
    const header = bytesOf(await file.read(0, fileHeaderBytes));
    if (checkHeader(header, magic, meta.salt, checkpointPath) === 'damaged') return undefined;
    const reader = new ChunkReader(file);
    const pages = await readPages(reader, header.view);
    const dead = await reader.read(header.view.getUint32(40, true) * 8);
    if (pages === undefined || dead === undefined) return undefined;
    return {
      index: new IndexTable(pages),
      begin: header.view.getFloat64(16, true),
      end: header.view.getFloat64(24, true),
      dead: pairsIn(new Float64Array(Uint8Array.from(dead).buffer)),
    };
  } finally {
    await file.close();
  }
}

async function readPages(reader: ChunkReader, header: DataView): Promise<IndexPages | undefined> {
  const rowCount = header.getUint32(8, true);
  const nameBytes = header.getFloat64(32, true);
  const pages: IndexPages = { rowCount, nameBytes, numbers: [], words: [], names: [] };
  for (let row = 0; row < rowCount; row += rowsPerPage) {
    const rows = Math.min(rowsPerPage, rowCount - row);
    const numbers = await reader.page(rows * 32, rowsPerPage * 32);
    const words = await reader.page(rows * 8, rowsPerPage * 8);
    if (numbers === undefined || words === undefined) return undefined;
    pages.numbers.push(new Float64Array(numbers.buffer, numbers.byteOffset, rowsPerPage * 4));
    pages.words.push(new Uint32Array(words.buffer, words.byteOffset, rowsPerPage * 2));
  }
  for (let at = 0; at < nameBytes; at += namePageBytes) {
    const names = await reader.page(Math.min(namePageBytes, nameBytes - at), namePageBytes);
    if (names === undefined) return undefined;
    pages.names.push(new Uint8Array(names.buffer, names.byteOffset, namePageBytes));
  }
  return pages;
}

/** Reads chunks and checks them. */
class ChunkReader {
  readonly #file: DiskFile;
  #offset = fileHeaderBytes;

  constructor(file: DiskFile) {
    this.#file = file;
  }

  async read(length: number): Promise<Uint8Array | undefined> {
    const chunk = bytesOf(await this.#file.read(this.#offset, chunkHeaderBytes + length));
    this.#offset += chunkHeaderBytes + length;
    if (chunk.buffer.length !== chunkHeaderBytes + length) return undefined;
    const bytes = chunk.buffer.subarray(chunkHeaderBytes);
    return crc32(bytes) === chunk.view.getUint32(0, true) ? bytes : undefined;
  }

  /** The memory of a page of `pageBytes`, of which the first `length` bytes are stored. */
  async page(length: number, pageBytes: number): Promise<ArrayBufferView | undefined> {
    const bytes = await this.read(length);
    if (bytes === undefined) return undefined;
    // A full page is used where it was read to: copying would need the memory twice.
    if (length === pageBytes && bytes.byteOffset % chunkHeaderBytes === 0) return bytes;
    const page = new Uint8Array(pageBytes);
    page.set(bytes);
    return page;
  }
}

function bytesIn(view: ArrayBufferView | undefined, length: number): Uint8Array {
  if (view === undefined) {
    throw new TroupeError('INVARIANT_BROKEN', { detail: 'a row of the index has its page' });
  }
  return new Uint8Array(view.buffer, view.byteOffset, length);
}

function pairsIn(numbers: Float64Array): DeadBytes[] {
  const dead: DeadBytes[] = [];
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    dead.push({ base: numbers[at] ?? 0, bytes: numbers[at + 1] ?? 0 });
  }
  return dead;
}
