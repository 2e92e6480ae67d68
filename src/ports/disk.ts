/**
 * Files, as a port. The embedded engine stands on nothing else, so that the simulator can lose,
 * tear and flip what was written. Paths are relative to the root of the disk and use `/`.
 */

/** A file that is open. */
export interface DiskFile {
  /** The length in bytes, with writes that are not flushed yet. */
  size(): Promise<number>;
  /** Up to `length` bytes from `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Writes all of `bytes` at `offset`. Durable only after {@link DiskFile.flush}. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /**
   * Resolves when all that was written is on the device.
   *
   * @throws `ENGINE_FAILED` when the device refused: what was written since the last flush may be
   * gone for good, and a second flush proves nothing.
   */
  flush(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** A lock that the operating system takes back when its holder dies. */
export interface DiskLock {
  release(): Promise<void>;
}

/**
 * A directory tree on a device.
 *
 * @remarks `write`, `truncate`, `open` with `create`, and `rename` throw `DISK_FULL` when no space
 * is left; what was there before is unharmed. Everything else that fails throws `ENGINE_FAILED`.
 */
export interface Disk {
  /** Opens a file; `create` makes it when missing, `read` requires it. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile>;
  exists(path: string): Promise<boolean>;
  /** The names in a directory, sorted; empty when there is no such directory. */
  list(path: string): Promise<string[]>;
  /** Makes a directory and its parents. Rejects with `CONFIG_INVALID` where none can be. */
  makeDirectory(path: string): Promise<void>;
  /** Replaces `target` atomically. Durable only after {@link Disk.flushDirectory}. */
  rename(source: string, target: string): Promise<void>;
  /**
   * Removes a file; harmless when there is none. Durable only after {@link Disk.flushDirectory}.
   */
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in a directory durable. */
  flushDirectory(path: string): Promise<void>;
  /**
   * Takes the exclusive lock of that name.
   *
   * @throws `DATA_LOCKED` when another holder lives, in this process or another.
   */
  lock(path: string): Promise<DiskLock>;
}
