/**
 * Kills the main job at random moments and prints what became of it. Usage: `npm run kill-audit --
 * [--kills N] [--seed N] [--copies N] [--cluster]`. The job audits hard-linked copies of the
 * installed packages, so that it lasts long enough to be killed at all stages. With `--cluster` its
 * data lie on three NATS servers, which are started for it.
 */
import { copyFile, link, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Kill, killAudit } from '../test/faults/audit-kills.ts';
import { natsServers } from '../test/helpers/nats-servers.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    copies: { type: 'string' },
    cluster: { type: 'boolean', default: false },
  },
});
/** Where each step waits for several servers, fewer packages last as long. */
const copies = Number(values.copies ?? (values.cluster ? 2 : 15));
const project = fileURLToPath(new URL('..', import.meta.url));
const cache = join(project, '.cache');
await mkdir(cache, { recursive: true });
const directory = await mkdtemp(join(cache, 'kill-audit-'));
const servers = values.cluster ? await natsServers({ count: 3, hasAccount: true }) : undefined;
try {
  const folder = join(directory, 'folder');
  for (let copy = 1; copy <= copies; copy += 1)
    await copyTree(join(project, 'node_modules'), join(folder, `copy-${copy}`, 'node_modules'));
  const cluster = servers === undefined ? [] : ['--cluster', servers.urls.join(',')];
  if (servers !== undefined) console.log(`three NATS servers ${servers.version}`);
  console.log('  kill  lived (s)  answered        while');
  const outcome = await killAudit({
    kills: Number(values.kills),
    seed: Number(values.seed),
    folder,
    directory,
    command: ['npm', 'start', '--silent', '--', ...cluster],
    onKill: print,
  });
  for (const violation of outcome.violations) console.log(violation);
  const { audits, report, isEqual, violations } = outcome;
  const work = `resumed: ${report?.resumed}, repeated: ${report?.repeated}`;
  console.log(`audits: ${audits}, packages: ${report?.packages}, ${work}`);
  const answer = isEqual ? 'yes' : 'no';
  const count = outcome.kills.length;
  console.log(`kills: ${count}, report equal: ${answer}, violations: ${violations.length}`);
  process.exitCode = isEqual && violations.length === 0 ? 0 : 1;
} finally {
  await servers?.close();
  await rm(directory, { recursive: true, force: true });
}

function print({ number, lifeMs, done, total, stage }: Kill): void {
  const seconds = (lifeMs / 1_000).toFixed(2);
  const answered = `${done} of ${total}`;
  console.log(
    `${String(number).padStart(6)}  ${seconds.padStart(9)}  ${answered.padEnd(14)}  ${stage}`,
  );
}

/** Links the files of a folder into another; where that cannot be, copies them. */
async function copyTree(source: string, target: string): Promise<void> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const folders = new Set<string>();
  for (const entry of entries.filter(each => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const place = join(target, path.slice(source.length + 1));
    if (!folders.has(dirname(place))) await mkdir(dirname(place), { recursive: true });
    folders.add(dirname(place));
    await link(path, place).catch(() => copyFile(path, place));
  }
}
