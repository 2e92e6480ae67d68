/**
 * Large values as files named by the hash of their content. A file is written beside its place,
 * flushed and renamed, so that a crash leaves a whole blob or none; what is read is hashed again.
 */
import { createHash } from 'node:crypto';
import { TroupeError } from '../../core/errors.ts';
import type { Blob } from '../../ports/blob.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Disk, DiskFile } from '../../ports/disk.ts';
import { bytesOf } from './frame.ts';
import { checkHeader, corrupt, fileHeaderBytes, sealHeader, startHeader } from './header.ts';
import type { FaultPointHook } from './options.ts';

/** The folder of the blobs. */
export const blobFolder = 'blobs';

/** What blobs stand on. */
export interface BlobOptions {
  readonly disk: Disk;
  /** Says how old blobs are. */
  readonly clock: Clock;
  readonly onFaultPoint?: FaultPointHook | undefined;
}

const magic = 0x4250_5254;
const idPattern = /^[0-9a-f]{64}$/;
const newSuffix = '.new';

/** The path of a blob. */
export function blobPath(id: string): string {
  return `${blobFolder}/${id}`;
}

/** Opens the blobs of a directory, removing what a crash left half written. */
export async function openEmbeddedBlob(options: BlobOptions): Promise<Blob> {
  const { disk } = options;
  await disk.makeDirectory(blobFolder);
  await disk.flushDirectory('');
  for (const name of await disk.list(blobFolder)) {
    if (name.endsWith(newSuffix)) await disk.remove(blobPath(name));
  }
  return new DiskBlob(options);
}

class DiskBlob implements Blob {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #faultPoint: FaultPointHook;
  #isClosed = false;
  #writes = 0;

  constructor({ disk, clock, onFaultPoint }: BlobOptions) {
    this.#disk = disk;
    this.#clock = clock;
    this.#faultPoint = onFaultPoint ?? (() => undefined);
  }

  async put(bytes: Uint8Array): Promise<string> {
    this.#refuseClosed();
    // The caller may change its bytes while they are written.
    const owned = Uint8Array.from(bytes);
    const id = hashOf(owned);
    this.#writes += 1;
    const path = blobPath(`${id}.${this.#writes}${newSuffix}`);
    try {
      await this.#write(path, owned);
    } catch (error) {
      await this.#disk.remove(path);
      throw error;
    }
    await this.#faultPoint('blob.written', 'before-durable');
    await this.#disk.rename(path, blobPath(id));
    await this.#disk.flushDirectory(blobFolder);
    await this.#faultPoint('blob.durable', 'after-durable');
    return id;
  }

  async get(id: string): Promise<Uint8Array | undefined> {
    this.#refuseClosed();
    const path = blobPath(id);
    if (!idPattern.test(id) || !(await this.#disk.exists(path))) return undefined;
    const bytes = await this.#with(path, async file => {
      const { size } = await headerOf(file, path);
      return file.read(fileHeaderBytes, size);
    });
    if (hashOf(bytes) !== id) throw corrupt(path, fileHeaderBytes, 'the blob fails its hash');
    return bytes;
  }

  async sweep(keep: ReadonlySet<string>, olderThanMs: number): Promise<number> {
    this.#refuseClosed();
    const limit = this.#clock.now() - olderThanMs;
    let swept = 0;
    for (const id of await this.#disk.list(blobFolder)) {
      if (!idPattern.test(id) || keep.has(id) || !(await this.#isOlder(id, limit))) continue;
      await this.#disk.remove(blobPath(id));
      swept += 1;
    }
    if (swept > 0) await this.#disk.flushDirectory(blobFolder);
    return swept;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  /** Nobody knows how old a damaged blob is; it stays, and whoever reads it is told. */
  async #isOlder(id: string, limit: number): Promise<boolean> {
    const path = blobPath(id);
    try {
      return await this.#with(path, async file => (await headerOf(file, path)).storedAt < limit);
    } catch (error) {
      if (TroupeError.is(error) && error.code === 'LOG_CORRUPT') return false;
      throw error;
    }
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const header = startHeader(magic);
    header.view.setFloat64(8, this.#clock.now(), true);
    header.view.setFloat64(16, bytes.length, true);
    const file = await this.#disk.open(path, 'create');
    try {
      await file.write(0, sealHeader(header, 0));
      await file.write(fileHeaderBytes, bytes);
      await file.flush();
    } finally {
      await file.close();
    }
  }

  async #with<Result>(path: string, use: (file: DiskFile) => Promise<Result>): Promise<Result> {
    const file = await this.#disk.open(path, 'read');
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new TroupeError('NOT_STARTED', { detail: 'the blobs are closed' });
  }
}

async function headerOf(file: DiskFile, path: string): Promise<{ storedAt: number; size: number }> {
  const header = bytesOf(await file.read(0, fileHeaderBytes));
  if (checkHeader(header, magic, 0, path) === 'damaged') {
    throw corrupt(path, 0, 'the header of the blob is damaged');
  }
  return { storedAt: header.view.getFloat64(8, true), size: header.view.getFloat64(16, true) };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
