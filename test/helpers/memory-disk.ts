/**
 * A disk in memory for tests of the embedded engine: what is not flushed is lost by `afterCrash`.
 */
import { TroupeError } from '../../src/core/errors.ts';
import type { Disk, DiskFile } from '../../src/ports/disk.ts';

interface Content {
  /** Longer than `size` at times, so that growing does not copy each time. */
  bytes: Uint8Array;
  size: number;
  durable: Uint8Array;
  /** Whether another disk has the same bytes: then they are copied before they change. */
  isShared: boolean;
}

/** A disk in memory, and its switches. */
export class MemoryDisk implements Disk {
  readonly files = new Map<string, Content>();
  readonly #locks = new Set<string>();
  /** Nothing can grow while this is set. */
  isFull = false;
  /** The next so many flushes fail. */
  flushFailures = 0;
  /** Counts flushes of files. */
  flushCount = 0;
  /** Whether `afterCrash('flushed')` is wanted: what was flushed is then kept apart. */
  readonly #keepsFlushed: boolean;

  constructor(keepsFlushed = true) {
    this.#keepsFlushed = keepsFlushed;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    let content = this.files.get(path);
    if (content === undefined) {
      if (mode !== 'create') throw new TroupeError('ENGINE_FAILED', { detail: `no file ${path}` });
      if (this.isFull) throw full(path);
      content = contentOf(new Uint8Array(0));
      this.files.set(path, content);
    }
    return this.#file(path, content);
  }

  async exists(path: string): Promise<boolean> {
    return this.files.has(path);
  }

  async list(path: string): Promise<string[]> {
    const prefix = path === '' ? '' : `${path}/`;
    const names = [...this.files.keys()].filter(name => name.startsWith(prefix));
    return [...new Set(names.map(name => name.slice(prefix.length).split('/')[0] ?? ''))].sort();
  }

  async makeDirectory(): Promise<void> {}

  async rename(source: string, target: string): Promise<void> {
    const content = this.files.get(source);
    if (content === undefined) throw new TroupeError('ENGINE_FAILED', { detail: source });
    this.files.delete(source);
    this.files.set(target, content);
  }

  async remove(path: string): Promise<void> {
    this.files.delete(path);
  }

  async flushDirectory(): Promise<void> {}

  async lock(path: string): Promise<{ release(): Promise<void> }> {
    if (this.#locks.has(path)) throw new TroupeError('DATA_LOCKED', { detail: path });
    this.#locks.add(path);
    return {
      release: async () => {
        this.#locks.delete(path);
      },
    };
  }

  /** What another process finds after this one was killed: everything, or only what was flushed. */
  afterCrash(kept: 'all' | 'flushed' = 'all'): MemoryDisk {
    const disk = new MemoryDisk();
    for (const [path, content] of this.files) {
      const found = kept === 'all' ? content.bytes.slice(0, content.size) : content.durable.slice();
      disk.files.set(path, { ...contentOf(found), durable: found.slice() });
    }
    return disk;
  }

  /** A copy that shares the bytes of each file until it changes it. */
  fork(): MemoryDisk {
    const disk = new MemoryDisk(false);
    for (const [path, content] of this.files) {
      content.isShared = true;
      disk.files.set(path, { ...content });
    }
    return disk;
  }

  /** The bytes of a file, to look at or to damage. */
  bytes(path: string): Uint8Array {
    const content = this.files.get(path);
    if (content === undefined) throw new Error(`no file ${path}`);
    own(content);
    return content.bytes.subarray(0, content.size);
  }

  /** Turns over one bit. */
  flip(path: string, offset: number, bit = 0): void {
    const bytes = this.bytes(path);
    bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
  }

  #file(path: string, content: Content): DiskFile {
    const disk = this;
    return {
      size: async () => content.size,
      read: async (offset, length) =>
        content.bytes.slice(offset, Math.max(offset, Math.min(offset + length, content.size))),
      async write(offset, bytes) {
        own(content);
        const end = offset + bytes.length;
        const room = disk.isFull ? Math.min(end, content.size) : end;
        if (room > content.size) resize(content, room);
        content.bytes.set(bytes.subarray(0, Math.max(0, room - offset)), offset);
        if (room < end) throw full(path);
      },
      async flush() {
        disk.flushCount += 1;
        if (disk.flushFailures > 0) {
          disk.flushFailures -= 1;
          throw new TroupeError('ENGINE_FAILED', { detail: `flushing ${path}` });
        }
        if (disk.#keepsFlushed) content.durable = content.bytes.slice(0, content.size);
      },
      async truncate(size) {
        own(content);
        resize(content, size);
      },
      async close() {},
    };
  }
}

function contentOf(bytes: Uint8Array): Content {
  return { bytes, size: bytes.length, durable: new Uint8Array(0), isShared: false };
}

function own(content: Content): void {
  if (content.isShared) content.bytes = content.bytes.slice();
  content.isShared = false;
}

function resize(content: Content, size: number): void {
  if (size > content.bytes.length) {
    const grown = new Uint8Array(Math.max(size, content.bytes.length * 2));
    grown.set(content.bytes.subarray(0, content.size));
    content.bytes = grown;
  }
  if (size < content.size) content.bytes.fill(0, size, content.size);
  content.size = size;
}

function full(path: string): TroupeError {
  return new TroupeError('DISK_FULL', { detail: path });
}
