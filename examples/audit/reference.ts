/**
 * The audit without Troupe: one package after the other, in one process that must not be
 * interrupted. It computes what the audit by agents has to come to. `node
 * examples/audit/reference.ts [FOLDER] [--report FILE] [--json]`
 */
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listPackages, measureFiles, readManifest, recogniseLicence } from './packages.ts';
import { canonicalJson, combine, type Findings, type PackageResult } from './report.ts';
import { reportTable } from './table.ts';

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

/** The folder that is looked at when none is named: what the project has installed. */
export const installedPackages = fileURLToPath(new URL('../../node_modules', import.meta.url));

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
  const findings = await auditPlainly(options.folder);
  const json = canonicalJson(findings);
  if (options.report !== undefined) await writeFile(options.report, json);
  process.stdout.write(options.isJson ? json : reportTable(findings));
  return 0;
}

interface Options {
  readonly folder: string;
  readonly report: string | undefined;
  readonly isJson: boolean;
}

function readOptions(parameters: readonly string[]): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...parameters],
      allowPositionals: true,
      options: { report: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    if (positionals.length > 1) return undefined;
    const folder = positionals[0] ?? installedPackages;
    return { folder, report: values.report, isJson: values.json };
  } catch {
    return undefined; // An option that does not exist: the usage is printed.
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
