/** A folder on disk for one test, made of texts and bytes by path; gone when the test ends. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder that disappears when it is disposed of. */
export interface TestFolder {
  readonly path: string;
  [Symbol.dispose](): void;
}

/** Makes the folder; files lie at their paths, a path that ends in `/` is an empty folder. */
export function folderOf(files: Readonly<Record<string, string | Uint8Array>>): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'troupe-test-'));
  for (const [name, content] of Object.entries(files)) {
    const place = join(path, name);
    mkdirSync(name.endsWith('/') ? place : dirname(place), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(place, content);
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
