/** `troupe backup` and `restore`: the data of a node, to another directory and back. */
import type { Command } from 'commander';
import { toWire } from '../gateway/wire.ts';
import { type CopyReport, restoreData } from '../node/data-directory.ts';
import { openCaretaker } from './caretaker.ts';
import { dataDirectoryOf } from './locate-node.ts';
import { sessionOf, typedCount } from './session.ts';
import { fieldsText } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Adds the commands. */
export function addDataCommands(program: Command, terminal: Terminal): void {
  program
    .command('backup')
    .description('copy the data to an empty directory, while the node runs or while none does')
    .argument('<directory>', 'where to; it is made when it is missing')
    .action(async (directory: string, _options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      await using caretaker = await openCaretaker(session);
      const report = await caretaker.backUp(directory);
      session.show(toWire(report), (copied: CopyReport) => copyText(directory, copied));
    });
  program
    .command('restore')
    .description('make an empty data directory (--data) from a backup')
    .argument('<backup>', 'the directory of the backup')
    .option('--epoch-at-least <epoch>', 'the highest epoch that was ever in use', typedCount)
    .action(async (backup: string, options: RestoreOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      const directory = dataDirectoryOf(session.options, terminal.env);
      const { epochAtLeast } = options;
      const report = await restoreData({ backup, directory, epochAtLeast });
      session.show(toWire(report), (copied: CopyReport) => restoreText(directory, copied));
    });
}

interface RestoreOptions {
  readonly epochAtLeast?: number;
}

function copyText(
  directory: string,
  { segmentCount, blobCount, bytes, epoch }: CopyReport,
): string {
  return fieldsText([
    ['written to', directory],
    ['segments', String(segmentCount)],
    ['blobs', String(blobCount)],
    ['bytes', String(bytes)],
    ['epoch', String(epoch)],
  ]);
}

function restoreText(directory: string, report: CopyReport): string {
  const loss =
    'Everything that was acknowledged after this backup was made is not in it and is lost here.';
  return `${copyText(directory, report)}${loss}\n`;
}
