/**
 * A lock that the kernel takes back when its holder dies: a small SQLite file held in an exclusive
 * transaction. Node offers no file locks of its own; SQLite's are the kernel's, are right between
 * containers that share a directory, and, other than bare POSIX locks, also between two threads of
 * one process. Nothing is ever written to the file. No other code may open it: closing any other
 * descriptor of the file in this process would drop the lock.
 */
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { TroupeError, textOf } from '../../core/errors.ts';
import type { DiskLock } from '../../ports/disk.ts';

/**
 * SQLite's primary code for "another connection holds it"; extended codes carry it in the low
 * byte.
 */
const sqliteBusy = 5;

/**
 * Takes the lock of the file at `path`, which is made if need be and stays when the lock is
 * released.
 *
 * @throws `DATA_LOCKED` when another holder lives, `ENGINE_FAILED` when the file cannot be used.
 */
export function takeLock(path: string): DiskLock {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // Without a journal file beside it; there is never anything to roll back.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    chmodSync(path, 0o600);
  } catch (error) {
    database?.close();
    throw refusal(path, error);
  }
  const held = database;
  return {
    async release() {
      // Closing rolls the transaction back, and so gives up the lock.
      if (held.isOpen) held.close();
    },
  };
}

function refusal(path: string, error: unknown): TroupeError {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
  if ((code & 0xff) === sqliteBusy) {
    return new TroupeError('DATA_LOCKED', {
      detail: `${path} is held by a process that lives; stop it, or use another directory`,
      cause: error,
    });
  }
  return new TroupeError('ENGINE_FAILED', {
    detail: `${path} cannot be locked: ${textOf(error)}`,
    outcome: 'not-executed',
    cause: error,
  });
}
