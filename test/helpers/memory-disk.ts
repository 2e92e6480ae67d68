/** A disk in memory for tests of the embedded engine: what is not flushed is lost by `afterCrash`. */
import { TroupeError } from '../../src/core/errors.ts';
import type { Disk, DiskFile } from '../../src/ports/disk.ts';

interface Content {
  bytes: Uint8Array;
  durable: Uint8Array;
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

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    let content = this.files.get(path);
    if (content === undefined) {
      if (mode !== 'create') throw new TroupeError('ENGINE_FAILED', { detail: `no file ${path}` });
      if (this.isFull) throw full(path);
      content = { bytes: new Uint8Array(0), durable: new Uint8Array(0) };
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
    for (const [path, { bytes, durable }] of this.files) {
      const found = (kept === 'all' ? bytes : durable).slice();
      disk.files.set(path, { bytes: found, durable: found.slice() });
    }
    return disk;
  }

  /** The bytes of a file, to look at or to damage. */
  bytes(path: string): Uint8Array {
    const content = this.files.get(path);
    if (content === undefined) throw new Error(`no file ${path}`);
    return content.bytes;
  }

  /** Turns over one bit. */
  flip(path: string, offset: number, bit = 0): void {
    const bytes = this.bytes(path);
    bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
  }

  #file(path: string, content: Content): DiskFile {
    const disk = this;
    return {
      size: async () => content.bytes.length,
      read: async (offset, length) => content.bytes.slice(offset, offset + length),
      async write(offset, bytes) {
        const end = offset + bytes.length;
        if (end > content.bytes.length) {
          const room = disk.isFull ? content.bytes.length : end;
          const grown = new Uint8Array(room);
          grown.set(content.bytes);
          content.bytes = grown;
        }
        content.bytes.set(bytes.subarray(0, Math.max(0, content.bytes.length - offset)), offset);
        if (content.bytes.length < end) throw full(path);
      },
      async flush() {
        disk.flushCount += 1;
        if (disk.flushFailures > 0) {
          disk.flushFailures -= 1;
          throw new TroupeError('ENGINE_FAILED', { detail: `flushing ${path}` });
        }
        content.durable = content.bytes.slice();
      },
      async truncate(size) {
        const resized = new Uint8Array(size);
        resized.set(content.bytes.subarray(0, size));
        content.bytes = resized;
      },
      async close() {},
    };
  }
}

function full(path: string): TroupeError {
  return new TroupeError('DISK_FULL', { detail: path });
}
