/**
 * The main job under kill -9: whatever moment it dies at, the next start goes on, the report is
 * that of the plain audit, and no step runs again that anything had built on.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { folderOf } from '../helpers/folder-of.ts';
import { killAudit } from './audit-kills.ts';
import { manyPackages } from './many-packages.ts';

const program = fileURLToPath(new URL('../../examples/audit/main.ts', import.meta.url));
const kills = 6;
const seed = 1;

it(`goes on after each of ${kills} kills (seed ${seed})`, { timeout: 120_000 }, async () => {
  using folder = folderOf(manyPackages(500));
  const directory = join(folder.path, 'work');
  mkdirSync(directory);

  const outcome = await killAudit({
    kills,
    seed,
    folder: join(folder.path, 'node_modules'),
    directory,
    command: [process.execPath, program],
  });

  expect(outcome.violations).toEqual([]);
  expect(outcome.kills).toHaveLength(kills);
  expect(outcome.isEqual).toBe(true);
  expect(outcome.report?.packages).toBe(500);
});
