/** Hands a report over: to a file, which is whole or not there, and to whoever looks on. */
import { rename, writeFile } from 'node:fs/promises';
import type { AuditOptions } from './options.ts';
import { type AuditReport, canonicalJson, type Findings } from './report.ts';
import { reportTable } from './table.ts';

/** Writes the file that the options name, and prints the table or the JSON. */
export async function handOver(
  report: Findings & Partial<AuditReport>,
  options: Pick<AuditOptions, 'report' | 'isJson'>,
): Promise<void> {
  const json = canonicalJson(report);
  if (options.report !== undefined) {
    const unfinished = `${options.report}.part`;
    await writeFile(unfinished, json);
    await rename(unfinished, options.report);
  }
  process.stdout.write(options.isJson ? json : reportTable(report));
}
