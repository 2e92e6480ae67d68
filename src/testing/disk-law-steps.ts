/** The subject of the laws of the disk, and the steps they are made of. */
import type { Disk } from '../ports/disk.ts';
import { bytesOf, readText } from './law-checks.ts';

/** A disk to check, empty at first. */
export interface DiskSubject {
  readonly disk: Disk;
  /** Another view of the same disk, as another process has it. */
  readonly reopen?: (() => Promise<Disk>) | undefined;
}

/** Writes a text into a file, from its beginning, and flushes it. */
export async function put(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, 'create');
  await file.write(0, bytesOf(text));
  await file.flush();
  await file.close();
}

/** The text of a whole file. */
export async function textAt(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, 'read');
  const text = readText(await file.read(0, await file.size()));
  await file.close();
  return text;
}
