/** `troupe backup` and `restore`: the data of a node or a cluster, to a directory and back. */
import type { Command } from 'commander';
import type { ClusterOptions } from '../client/cluster-options.ts';
import { toWire } from '../gateway/wire.ts';
import type { ClusterCopy, ClusterCopyReport } from '../node/cluster-copies.ts';
import {
  type BackupCount,
  type CopyReport,
  countBackup,
  restoreData,
  summaryOf,
} from '../node/data-directory.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { openCaretaker } from './caretaker.ts';
import { addClusterFlags, type ClusterFlags, clusterIn } from './cluster-flags.ts';
import { dataDirectoryOf } from './locate-node.ts';
import { type Session, sessionOf, typedCount } from './session.ts';
import { fieldsText } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Adds the commands. */
export function addDataCommands(program: Command, terminal: Terminal): void {
  const backup = program
    .command('backup')
    .description('copy the data to an empty directory, while the node runs or while none does')
    .argument('<directory>', 'where to; it is made when it is missing')
    .action(async (directory: string, flags: ClusterFlags, command: Command) => {
      const session = sessionOf(terminal, command);
      const cluster = clusterIn(flags);
      const report =
        cluster === undefined
          ? await backUpNode(session, directory)
          : await backUpCluster({ cluster, directory });
      session.show(toWire(report), (copied: Copied) => copyText(directory, copied));
    });
  addClusterFlags(backup, 'copy the cluster on these NATS servers, which no node may serve');
  const restore = program
    .command('restore')
    .description('make an empty data directory (--data) from a backup, or fill an empty cluster')
    .argument('<backup>', 'the directory of the backup')
    .option('--epoch-at-least <epoch>', 'the highest epoch that was ever in use', typedCount)
    .action(async (backup: string, options: RestoreOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      const { epochAtLeast } = options;
      const cluster = clusterIn(options);
      const directory = dataDirectoryOf(session.options, terminal.env);
      const report =
        cluster === undefined
          ? await restoreNode({ backup, directory, epochAtLeast })
          : await restoreCluster({ cluster, directory: backup, epochAtLeast });
      const target = cluster === undefined ? directory : `the cluster ${nameOf(cluster)}`;
      session.show(toWire(report), (copied: Copied) => restoreText(target, copied));
    });
  addClusterFlags(restore, 'fill the empty cluster on these NATS servers');
}

interface RestoreOptions extends ClusterFlags {
  readonly epochAtLeast?: number;
}

/** Of a node the files that were copied too, and what is in them where they can be read. */
type Copied = ClusterCopyReport | (CopyReport & Partial<BackupCount>);

type NamedCopy = Pick<ClusterCopy, 'cluster' | 'directory' | 'epochAtLeast'>;

async function backUpNode(session: Session, directory: string): Promise<Copied> {
  await using caretaker = await openCaretaker(session);
  const report = await caretaker.backUp(directory);
  // Who copies a cluster counts it; and a node on another machine has put it there.
  if ('digest' in report) return report;
  const isHere = (await summaryOf(directory))?.isBackup === true;
  return isHere ? { ...report, ...(await countBackup(directory)) } : report;
}

async function restoreNode(parts: Parameters<typeof restoreData>[0]): Promise<Copied> {
  const count = await countBackup(parts.backup);
  return { ...(await restoreData(parts)), ...count };
}

/**
 * What a cluster needs is loaded for it alone; all other commands are quick without it. What goes
 * wrong on the way either passes or ends the command, which then tells it.
 */
async function backUpCluster(copy: NamedCopy): Promise<Copied> {
  const { copyFromCluster } = await import('../node/cluster-copies.ts');
  return copyFromCluster({ ...copy, logger: silentLogger });
}

async function restoreCluster(copy: NamedCopy): Promise<Copied> {
  const { copyIntoCluster } = await import('../node/cluster-copies.ts');
  return copyIntoCluster({ ...copy, logger: silentLogger });
}

function nameOf({ name = 'troupe' }: ClusterOptions): string {
  return name;
}

function copyText(target: string, report: Copied): string {
  const fields: (readonly [string, string])[] = [['written to', target]];
  if ('segmentCount' in report) {
    fields.push(['segments', String(report.segmentCount)], ['blobs', String(report.blobCount)]);
    fields.push(['bytes', String(report.bytes)]);
  }
  if (report.digest !== undefined) {
    fields.push(['agents', String(report.logCount)], ['records', String(report.recordCount)]);
    fields.push(['record bytes', String(report.recordBytes)], ['digest', report.digest]);
  }
  if ('damagedNames' in report && report.damagedNames !== undefined) {
    const { damagedNames } = report;
    if (damagedNames.length > 0) fields.push(['damaged', damagedNames.join(', ')]);
  }
  fields.push(['epoch', String(report.epoch)]);
  if ('heldMs' in report && report.heldMs !== undefined) {
    fields.push(['work waited', `${Math.ceil(report.heldMs)} ms`]);
  }
  return fieldsText(fields);
}

function restoreText(target: string, report: Copied): string {
  const loss =
    'Everything that was acknowledged after this backup was made is not in it and is lost here.';
  return `${copyText(target, report)}${loss}\n`;
}
