/** What the command line of the audit says, read into one object. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** What to audit, and what to do with the report. */
export interface AuditOptions {
  readonly folder: string;
  /** The file to write the report to. */
  readonly report: string | undefined;
  /** The directory of the data: an audit that was cut off goes on from it. */
  readonly data: string;
  /** The servers that keep the data instead; the directory then holds only who this node is. */
  readonly cluster: string | undefined;
  /** Whether to print the report as JSON, not as a table. */
  readonly isJson: boolean;
}

const fromProject = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What is audited when no folder is named: what the project has installed. */
export const installedPackages: string = fromProject('node_modules');

/** The options, or `undefined` when one of them does not exist or a value is missing. */
export function readOptions(parameters: readonly string[]): AuditOptions | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...parameters],
      allowPositionals: true,
      options: {
        report: { type: 'string' },
        data: { type: 'string', default: fromProject('data/audit') },
        cluster: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    if (positionals.length > 1) return undefined;
    const folder = positionals[0] ?? installedPackages;
    const { report, data, cluster, json: isJson } = values;
    return { folder, report, data, cluster, isJson };
  } catch {
    return undefined; // What is wrong is told by the usage, which the caller prints.
  }
}
