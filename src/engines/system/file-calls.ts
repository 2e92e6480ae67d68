/**
 * The few calls on an open file that the Disk needs, in two ways: blocking the thread, or through
 * Node's thread pool. Both refuse a file that was closed, because a number that the kernel has
 * given to another file in the meantime would else be written to.
 */
import * as fs from 'node:fs';
import { open } from 'node:fs/promises';
import { TroupeError } from '../../core/errors.ts';

/** An open file. `read` and `write` may do a part only and say how much. */
export interface FileCalls {
  size(): number | Promise<number>;
  read(into: Uint8Array, offset: number): number | Promise<number>;
  write(bytes: Uint8Array, offset: number): number | Promise<number>;
  /** Flushes contents and length. */
  flushData(): void | Promise<void>;
  /** Flushes everything, for directories. */
  flushAll(): void | Promise<void>;
  truncate(size: number): void | Promise<void>;
  close(): void | Promise<void>;
}

/** Opens a file whose calls block the thread. */
export async function openBlocking(path: string, flags: number): Promise<FileCalls> {
  let descriptor: number | undefined = fs.openSync(path, flags, 0o600);
  const held = () => {
    if (descriptor !== undefined) return descriptor;
    throw new TroupeError('ENGINE_FAILED', {
      detail: `${path} is closed`,
      outcome: 'not-executed',
    });
  };
  return {
    size: () => fs.fstatSync(held()).size,
    read: (into, offset) => fs.readSync(held(), into, 0, into.length, offset),
    write: (bytes, offset) => fs.writeSync(held(), bytes, 0, bytes.length, offset),
    flushData: () => fs.fdatasyncSync(held()),
    flushAll: () => fs.fsyncSync(held()),
    truncate: size => fs.ftruncateSync(held(), size),
    close() {
      if (descriptor === undefined) return;
      const closing = descriptor;
      descriptor = undefined;
      fs.closeSync(closing);
    },
  };
}

/** Opens a file whose calls go through Node's thread pool. Closing waits for calls under way. */
export async function openPooled(path: string, flags: number): Promise<FileCalls> {
  const handle = await open(path, flags, 0o600);
  return {
    size: async () => (await handle.stat()).size,
    read: async (into, offset) => (await handle.read(into, 0, into.length, offset)).bytesRead,
    write: async (bytes, offset) =>
      (await handle.write(bytes, 0, bytes.length, offset)).bytesWritten,
    flushData: () => handle.datasync(),
    flushAll: () => handle.sync(),
    truncate: size => handle.truncate(size),
    close: () => handle.close(),
  };
}
