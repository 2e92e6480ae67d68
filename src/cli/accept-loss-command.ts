/**
 * `troupe accept-loss`: the way out when records are unreadable and nobody can tell whose they
 * were, so that the data do not open. It says what is wrong, and opens them once without it.
 */
import type { Command } from 'commander';
import { TroupeError } from '../core/errors.ts';
import { toWire } from '../gateway/wire.ts';
import { openData, type RecoveryReport, summaryOf } from '../node/data-directory.ts';
import { exitCodes } from './exit-codes.ts';
import { dataDirectoryOf } from './locate-node.ts';
import { sessionOf } from './session.ts';
import { fieldsText } from './table.ts';
import type { Terminal } from './terminal.ts';

interface LossAnswer {
  readonly directory: string;
  /** Why the data do not open, if they do not. */
  readonly damage: string | undefined;
  /** What was given up now. */
  readonly losses: RecoveryReport['losses'];
}

/** Adds the command. */
export function addAcceptLossCommand(program: Command, terminal: Terminal): void {
  program
    .command('accept-loss')
    .description('look whether the data open; with --yes, give up records of unknown agents')
    .option('--yes', 'consent to the loss')
    .action(async ({ yes = false }: { readonly yes?: boolean }, command: Command) => {
      const session = sessionOf(terminal, command);
      const directory = dataDirectoryOf(session.options, terminal.env);
      if ((await summaryOf(directory)) === undefined) {
        throw new TroupeError('CONFIG_INVALID', {
          detail: `${directory} holds no data; say with --data which directory you mean`,
        });
      }
      const damage = await damageIn(directory);
      const losses = damage === undefined || !yes ? [] : await acceptedIn(directory);
      session.show(toWire({ directory, damage, losses } satisfies LossAnswer), lossText);
      if (damage !== undefined && !yes) terminal.exitCode = exitCodes.failed;
    });
}

/** Why a directory does not open for damage; other obstacles are thrown. */
async function damageIn(directory: string): Promise<string | undefined> {
  try {
    await (await openData(directory)).close();
    return undefined;
  } catch (error) {
    if (TroupeError.is(error) && error.code === 'LOG_CORRUPT') return error.detail;
    throw error;
  }
}

async function acceptedIn(directory: string): Promise<RecoveryReport['losses']> {
  await using data = await openData(directory, { acceptLoss: true });
  return data.recovery.losses;
}

function lossText({ directory, damage, losses }: LossAnswer): string {
  if (damage === undefined) return `${directory} opens: nothing has to be given up.\n`;
  const parts = losses.map(
    ({ path, from, to, recordCount }) =>
      [path, `${recordCount} records, ${to - from} bytes`] as [string, string],
  );
  const end =
    losses.length === 0
      ? 'Nothing was changed. A backup may hold more; consent to the loss with --yes.'
      : 'They are given up, and the data open again. Some agents may have lost their newest turns.';
  return `${fieldsText([['damage', damage], ...parts])}${end}\n`;
}
