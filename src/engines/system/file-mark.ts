/** Telling a file from its copies. */
import { statSync } from 'node:fs';
import { wrapError } from '../../core/errors.ts';

/**
 * What a file has and no copy of it: its place on its device, and when it was made.
 *
 * @throws `ENGINE_FAILED` when there is no such file.
 */
export function fileMark(path: string): string {
  try {
    // Opening the file could drop a lock on it; looking at it does not.
    const { dev, ino, birthtimeNs } = statSync(path, { bigint: true });
    return [dev, ino, birthtimeNs].map(part => part.toString(36)).join('.');
  } catch (error) {
    throw wrapError('ENGINE_FAILED', error, `${path} cannot be looked at`, 'not-executed');
  }
}
