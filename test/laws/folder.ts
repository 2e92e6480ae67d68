/** A new folder for one law. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a folder; `remove` takes it away with all that is in it. */
export async function openFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-laws-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
