/**
 * A directory of this machine as a Disk. Foreign errors are wrapped here and nowhere else: no space
 * is `DISK_FULL`, everything else `ENGINE_FAILED`, always with the path. Files get mode 0600 and
 * directories 0700. A storage worker has nothing else to do while the device works, so it may ask
 * for blocking calls, which spare a hop through Node's thread pool for each of them.
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { TroupeError, textOf, wrapError } from '../../core/errors.ts';
import type { Disk, DiskFile } from '../../ports/disk.ts';
import { type FileCalls, openBlocking, openPooled } from './file-calls.ts';
import { takeLock } from './lock.ts';

/** How a {@link systemDisk} works. */
export interface SystemDiskOptions {
  /**
   * Whether calls block the thread until the device is done. Right in a storage worker, wrong
   * where other work waits. Default false.
   */
  readonly isBlocking?: boolean | undefined;
}

const modes = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
} as const;

/**
 * The tree below the directory `root` of this machine, which `makeDirectory('')` makes if need be.
 *
 * @remarks Flushing is fdatasync, which also makes the length durable. Locks are taken from the
 * kernel, which takes them back when the process dies, and hold between containers that share the
 * directory. A path that would leave the root is refused with `INVALID_INPUT`.
 */
export function systemDisk(root: string, options: SystemDiskOptions = {}): Disk {
  const at = (path: string) => place(root, path);
  const openFile = options.isBlocking === true ? openBlocking : openPooled;
  // Names change seldom; only the calls on open files and the flush of a directory are worth a
  // pool.
  return {
    async open(path, mode) {
      const file = at(path);
      const calls = await guard(file, () => openFile(file, modes[mode]));
      return diskFile(file, calls);
    },
    exists: async path => guard(at(path), () => exists(at(path))),
    list: async path => guard(at(path), () => list(at(path))),
    makeDirectory: async path => guard(at(path), () => makeDirectory(at(path))),
    rename: async (source, target) =>
      guard(at(source), () => fs.renameSync(at(source), at(target))),
    remove: async path => guard(at(path), () => fs.rmSync(at(path), { force: true })),
    flushDirectory: async path => flushGuard(at(path), () => flushDirectory(at(path), openFile)),
    lock: async path => takeLock(at(path)),
  };
}

function diskFile(path: string, calls: FileCalls): DiskFile {
  return {
    size: () => guard(path, () => calls.size()),
    read: (offset, length) => guard(path, () => readAll(calls, offset, length)),
    write: (offset, bytes) => guard(path, () => writeAll(calls, offset, bytes)),
    flush: () => flushGuard(path, () => calls.flushData()),
    truncate: size => guard(path, () => calls.truncate(size)),
    close: () => guard(path, () => calls.close()),
  };
}

const slabBytes = 1 << 17;
const slabPartMax = 1 << 12;
let slab: Uint8Array = new Uint8Array(slabBytes);
let slabUsed = 0;

/** Memory for what is read. Small reads share it, as memory of their own would cost them more. */
function room(length: number): Uint8Array {
  if (length > slabPartMax) return new Uint8Array(length);
  if (slabUsed + length > slabBytes) {
    slab = new Uint8Array(slabBytes);
    slabUsed = 0;
  }
  slabUsed += length;
  return slab.subarray(slabUsed - length, slabUsed);
}

async function readAll(calls: FileCalls, offset: number, length: number): Promise<Uint8Array> {
  const bytes = room(length);
  let done = 0;
  while (done < length) {
    const count = await calls.read(bytes.subarray(done), offset + done);
    if (count === 0) break;
    done += count;
  }
  return done === length ? bytes : bytes.subarray(0, done);
}

/** The kernel may take a part only, on a full device above all: then the next call says so. */
async function writeAll(calls: FileCalls, offset: number, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += await calls.write(bytes.subarray(done), offset + done);
  }
}

async function flushDirectory(path: string, openFile: typeof openPooled): Promise<void> {
  const calls = await openFile(path, fs.constants.O_RDONLY);
  try {
    await calls.flushAll();
  } finally {
    await calls.close();
  }
}

const unusable: ReadonlySet<unknown> = new Set([
  'EEXIST',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENAMETOOLONG',
  'ELOOP',
  'ENOENT',
]);

function makeDirectory(path: string): void {
  try {
    makeMissing(path);
  } catch (error) {
    if (!unusable.has(codeOf(error))) throw error;
    throw new TroupeError('CONFIG_INVALID', {
      detail: `${path} cannot be made or used as a directory (${textOf(error)}); name another, or let this user write there`,
      cause: error,
    });
  }
}

/**
 * Makes a directory, and those above it that are missing. The recursive call of Node never returns
 * where a directory is there in which none can be made, as in /proc.
 */
function makeMissing(path: string): void {
  if (isDirectory(path)) return;
  const above = dirname(path);
  if (above !== path) makeMissing(above);
  try {
    fs.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if (codeOf(error) !== 'EEXIST' || !isDirectory(path)) throw error;
  }
}

function isDirectory(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function exists(path: string): boolean {
  try {
    fs.statSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

function list(path: string): string[] {
  try {
    return fs.readdirSync(path).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function place(root: string, path: string): string {
  const isOutside = path.startsWith('/') || path.split('/').includes('..') || path.includes('\0');
  if (isOutside) {
    throw new TroupeError('INVALID_INPUT', {
      detail: `${JSON.stringify(path)} is not a path below ${root}`,
    });
  }
  return join(root, path);
}

async function guard<Result>(path: string, call: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    const isFull = codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';
    throw wrapError(isFull ? 'DISK_FULL' : 'ENGINE_FAILED', error, path);
  }
}

/** A flush that fails is never a mere lack of space: what was written before may be gone. */
async function flushGuard(path: string, call: () => void | Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    throw wrapError('ENGINE_FAILED', error, path);
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
