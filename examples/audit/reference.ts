/**
 * The audit without Troupe: one package after the other, in one process that must not be
 * interrupted. It computes what the audit by agents has to come to. `node
 * examples/audit/reference.ts [FOLDER] [--report FILE] [--json]`
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { handOver } from './hand-over.ts';
import { readOptions } from './options.ts';
import { listPackages, measureFiles, readManifest, recogniseLicence } from './packages.ts';
import { combine, type Findings, type PackageResult } from './report.ts';

/** Audits every package below a folder. */
export async function auditPlainly(folder: string): Promise<Findings> {
  const results: PackageResult[] = [];
  for (const path of await listPackages(folder)) {
    const packageFolder = join(folder, path);
    const manifest = await readManifest(packageFolder);
    if (manifest === undefined) continue;
    const measure = await measureFiles(packageFolder);
    const recognised = await recogniseLicence(packageFolder);
    results.push({ manifest, measure, recognised });
  }
  return combine(results);
}

async function main(parameters: readonly string[]): Promise<number> {
  const options = readOptions(parameters);
  if (options === undefined) {
    process.stderr.write('usage: reference.ts [FOLDER] [--report FILE] [--json]\n');
    return 2;
  }
  const isFolder = await stat(options.folder).then(
    facts => facts.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    process.stderr.write(`${options.folder} is not a folder\n`);
    return 1;
  }
  await handOver(await auditPlainly(options.folder), options);
  return 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
