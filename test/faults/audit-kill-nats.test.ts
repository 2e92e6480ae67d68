/**
 * The main job under kill -9, unchanged, with its data on a real NATS server: started again on the
 * same directory it goes on at once, and the report is that of the plain audit.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { folderOf } from '../helpers/folder-of.ts';
import { natsServers } from '../helpers/nats-servers.ts';
import { killAudit } from './audit-kills.ts';
import { manyPackages } from './many-packages.ts';

const program = fileURLToPath(new URL('../../examples/audit/main.ts', import.meta.url));
const kills = 4;
const seed = 1;

it(`goes on after each of ${kills} kills on NATS (seed ${seed})`, {
  timeout: 120_000,
}, async () => {
  await using servers = await natsServers({ hasAccount: true });
  using folder = folderOf(manyPackages(200));
  const directory = join(folder.path, 'work');
  mkdirSync(directory);

  const outcome = await killAudit({
    kills,
    seed,
    folder: join(folder.path, 'node_modules'),
    directory,
    command: [process.execPath, program, '--cluster', servers.urls.join(',')],
  });

  expect(outcome.violations).toEqual([]);
  expect(outcome.kills).toHaveLength(kills);
  expect(outcome.isEqual).toBe(true);
  expect(outcome.report?.packages).toBe(200);
});
