/**
 * The `Disk` port of one life of a simulated process: every operation takes virtual time, and none
 * ends once that life has. What happens on the device is decided by `sim-device.ts`.
 */
import { TroupeError } from '../core/errors.ts';
import type { Disk, DiskFile, DiskLock } from '../ports/disk.ts';
import type { SimDevice, SimDiskOperation } from './sim-device.ts';
import type { SimOwner } from './sim-event-heap.ts';
import type { SimChange, SimInode } from './sim-inode.ts';
import type { SimScheduler } from './sim-scheduler.ts';
import { normalisePath } from './sim-tree.ts';

/** What a {@link SimDisk} is made of. */
export interface SimDiskOptions {
  readonly device: SimDevice;
  readonly scheduler: SimScheduler;
  readonly owner: SimOwner;
}

/** A device as one process sees it. */
export class SimDisk implements Disk {
  readonly #options: SimDiskOptions;

  constructor(options: SimDiskOptions) {
    this.#options = options;
  }

  open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    return this.#operate('open', () => {
      const { device } = this.#options;
      const place = normalisePath(path);
      let inode = device.tree.files.get(place);
      if (inode === undefined) {
        if (mode !== 'create') throw missing(path);
        device.failIfFull(path);
        inode = device.tree.create(place);
      }
      return new SimDiskFile({ ...this.#options, inode, path, isWritable: mode !== 'read' });
    });
  }

  exists(path: string): Promise<boolean> {
    return this.#operate('name', () => this.#options.device.tree.has(normalisePath(path)));
  }

  list(path: string): Promise<string[]> {
    return this.#operate('name', () => this.#options.device.tree.list(normalisePath(path)));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#operate('name', () => {
      const { device } = this.#options;
      if (!device.tree.has(normalisePath(path))) device.failIfFull(path);
      device.tree.makeDirectory(normalisePath(path));
    });
  }

  rename(source: string, target: string): Promise<void> {
    return this.#operate('name', () => {
      this.#options.device.failIfFull(target);
      this.#options.device.tree.rename(normalisePath(source), normalisePath(target));
    });
  }

  remove(path: string): Promise<void> {
    return this.#operate('name', () => this.#options.device.tree.remove(normalisePath(path)));
  }

  flushDirectory(path: string): Promise<void> {
    return this.#operate('flush-directory', () => {
      this.#options.device.failIfTold('flush', path);
      this.#options.device.tree.flush(normalisePath(path));
    });
  }

  lock(path: string): Promise<DiskLock> {
    const { device, owner } = this.#options;
    const place = normalisePath(path);
    return this.#operate('lock', () => {
      device.lock(place, owner);
      let isHeld = true;
      return {
        release: () =>
          this.#operate('lock', () => {
            if (isHeld) device.unlock(place);
            isHeld = false;
          }),
      };
    });
  }

  #operate<Result>(operation: SimDiskOperation, apply: () => Result): Promise<Result> {
    return operate(this.#options, operation, apply);
  }
}

interface SimDiskFileOptions extends SimDiskOptions {
  readonly inode: SimInode;
  readonly path: string;
  readonly isWritable: boolean;
}

class SimDiskFile implements DiskFile {
  readonly #options: SimDiskFileOptions;
  #isOpen = true;

  constructor(options: SimDiskFileOptions) {
    this.#options = options;
  }

  size(): Promise<number> {
    return this.#operate('read', () => this.#options.inode.current.size);
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#operate('read', () => {
      const { device, inode, path } = this.#options;
      device.failIfTold('read', path);
      return inode.current.read(offset, length);
    });
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    // The caller may reuse its buffer once this returns.
    return this.#change('write', { kind: 'write', offset, bytes: bytes.slice() });
  }

  truncate(size: number): Promise<void> {
    return this.#change('truncate', { kind: 'truncate', size });
  }

  flush(): Promise<void> {
    const { device, inode, path } = this.#options;
    // Only what was done before the flush began is promised; anything later may come along or not.
    const changes = inode.flushable();
    return this.#operate('flush', () => {
      try {
        device.failIfTold('flush', path);
      } catch (error) {
        device.failFlush(inode, changes);
        throw error;
      }
      inode.flush(changes);
    });
  }

  close(): Promise<void> {
    return operate(this.#options, 'open', () => {
      this.#isOpen = false;
    });
  }

  #change(operation: 'write' | 'truncate', wanted: SimChange): Promise<void> {
    const { device, owner } = this.#options;
    if (!owner.isAlive) return never();
    const { inode, change } = device.aim(this.#options.inode, wanted);
    inode.begin(change, owner);
    return operate(this.#options, operation, () => {
      try {
        this.#refuseClosed();
        this.#refuseChange(inode, change);
      } catch (error) {
        inode.abandon(change);
        throw error;
      }
      inode.complete(change);
    });
  }

  #refuseChange(inode: SimInode, change: SimChange): void {
    const { device, path, isWritable } = this.#options;
    if (!isWritable)
      throw new TroupeError('ENGINE_FAILED', { detail: `${path} is open for reading` });
    if (change.kind === 'write') device.failIfTold('write', path);
    if (!device.isFull || !isGrowth(inode, change)) return;
    if (change.kind === 'write' && change.offset >= inode.current.size) {
      const bytes = change.bytes.slice(0, device.shortWriteBytes(change.bytes.length));
      inode.complete({ ...change, bytes });
    }
    device.failIfFull(path);
  }

  #operate<Result>(operation: SimDiskOperation, apply: () => Result): Promise<Result> {
    return operate(this.#options, operation, () => {
      this.#refuseClosed();
      return apply();
    });
  }

  #refuseClosed(): void {
    if (this.#isOpen) return;
    throw new TroupeError('ENGINE_FAILED', { detail: `${this.#options.path} is closed` });
  }
}

function isGrowth(inode: SimInode, change: SimChange): boolean {
  const end = change.kind === 'write' ? change.offset + change.bytes.length : change.size;
  return end > inode.current.size;
}

function operate<Result>(
  options: SimDiskOptions,
  operation: SimDiskOperation,
  apply: () => Result,
): Promise<Result> {
  const { device, scheduler, owner } = options;
  if (!owner.isAlive) return never();
  return new Promise((resolve, reject) => {
    scheduler.schedule({
      delayMs: device.latencyMs(operation),
      kind: `disk-${operation}`,
      owner,
      task: () => {
        try {
          resolve(apply());
        } catch (error) {
          reject(error);
        }
      },
    });
  });
}

function missing(path: string): TroupeError {
  return new TroupeError('ENGINE_FAILED', {
    detail: `there is no file ${path}`,
    outcome: 'not-executed',
  });
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
