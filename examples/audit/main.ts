/**
 * The main job: a crew of agents audits every npm package below a folder, and ends with a report.
 * `npm start -- [FOLDER] [--report FILE] [--data DIR] [--cluster URL] [--json]`. Killed at any
 * moment and started again on the same data, it goes on where it was.
 */
import { stat } from 'node:fs/promises';
import { createTroupe } from '../../src/index.ts';
import { auditorAgent } from './auditor.agent.ts';
import { crewAgent } from './crew.agent.ts';
import { handOver } from './hand-over.ts';
import { licenceAgent } from './licence.agent.ts';
import { type AuditOptions, readOptions } from './options.ts';
import { ProgressDisplay } from './progress.ts';
import { runAudit } from './run-audit.ts';

async function main(parameters: readonly string[]): Promise<number> {
  const options = readOptions(parameters);
  if (options === undefined) {
    process.stderr.write(
      'usage: npm start -- [FOLDER] [--report FILE] [--data DIR] [--cluster URL] [--json]\n',
    );
    return 2;
  }
  try {
    if (!(await stat(options.folder)).isDirectory()) throw new Error('it is not a folder');
    await audit(options);
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`cannot audit ${options.folder}: ${reason}\n`);
    return 1;
  }
}

async function audit(options: AuditOptions): Promise<void> {
  await using troupe = createTroupe({
    agents: [crewAgent, auditorAgent, licenceAgent],
    data: options.data,
    cluster: options.cluster,
  });
  await troupe.start();
  process.stderr.write(`auditing ${options.folder} (cut off, it goes on from ${options.data})\n`);
  const display = new ProgressDisplay(process.stderr, () => performance.now());
  const finished = await runAudit(troupe, options.folder, progress => display.show(progress));
  await handOver(finished.report, options);
  await finished.deliver();
}

process.exitCode = await main(process.argv.slice(2));
