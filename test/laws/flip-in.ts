/** Flips a bit of a text wherever it lies in the files of a folder, behind everybody's back. */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Throws when the text is nowhere. */
export function flipIn(folder: string, text: string): void {
  let flips = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    // A lock is lost when its file is opened and closed by its own process.
    if (!entry.isFile() || entry.name.includes('lock')) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    const offset = bytes.indexOf(text);
    if (offset < 0) continue;
    const file = openSync(path, 'r+');
    writeSync(file, Uint8Array.of((bytes[offset] ?? 0) ^ 1), 0, 1, offset);
    closeSync(file);
    flips += 1;
  }
  if (flips === 0) throw new Error(`"${text}" is in no file of ${folder}`);
}
