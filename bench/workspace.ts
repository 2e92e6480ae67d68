/** Where benchmarks keep their files: one folder, on a disk that the user may choose. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder for all that benchmarks write; `TROUPE_BENCH_DIR` (or `--dir`) moves it. */
export const benchRoot: string = process.env.TROUPE_BENCH_DIR ?? join(tmpdir(), 'troupe-bench');

/** Makes an empty folder, hands it to `use`, and removes it. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(benchRoot, { recursive: true });
  const folder = mkdtempSync(join(benchRoot, 'run-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
