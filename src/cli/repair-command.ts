/**
 * `troupe agents repair`: looks at a damaged log, writes down what can be read of it, and, with the
 * operator's consent, makes it whole with the loss that it told before.
 */
import { open } from 'node:fs/promises';
import type { Command } from 'commander';
import { wrapError } from '../core/errors.ts';
import { type Json, toWire } from '../gateway/wire.ts';
import type { LogSurvey } from '../node/data-directory.ts';
import { type Caretaker, openCaretaker } from './caretaker.ts';
import { exitCodes } from './exit-codes.ts';
import { sessionOf } from './session.ts';
import { fieldsText } from './table.ts';
import type { Terminal } from './terminal.ts';

interface RepairOptions {
  readonly export?: string;
  readonly yes?: boolean;
}

interface RepairAnswer {
  readonly survey: LogSurvey;
  readonly isRepaired: boolean;
  /** The file with what can be read, when there is damage. */
  readonly exported?: string | undefined;
}

/** Adds the command to its group. */
export function addRepairCommand(agents: Command, terminal: Terminal): void {
  agents
    .command('repair')
    .description('look for damage in the log of an agent; with --yes, give up what is damaged')
    .argument('<address>', 'type/key')
    .option('--export <file>', 'where to write what can be read (default: a new file here)')
    .option('--yes', 'consent to the loss')
    .action(async (address: string, options: RepairOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      await using caretaker = await openCaretaker(session);
      const answer = await repaired(caretaker, address, options);
      session.show(toWire(answer), repairText);
      const isHurt = answer.survey.remedy !== 'none' && !answer.isRepaired;
      if (isHurt) terminal.exitCode = exitCodes.failed;
    });
}

async function repaired(
  caretaker: Caretaker,
  address: string,
  options: RepairOptions,
): Promise<RepairAnswer> {
  const survey = await caretaker.survey(address);
  if (survey.remedy === 'none') return { survey, isRepaired: false };
  const exported = options.export ?? fileNameOf(address);
  await writeLines(exported, caretaker.readable(address));
  if (options.yes !== true) return { survey, isRepaired: false, exported };
  return { survey: await caretaker.repair(address), isRepaired: true, exported };
}

/** Never over a file that is there: it may be the export of an earlier look, and all there is. */
async function writeLines(path: string, lines: AsyncIterable<Json>): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600);
    for await (const line of lines) await file.write(`${JSON.stringify(line)}\n`);
    await file.datasync();
  } catch (error) {
    throw wrapError('CONFIG_INVALID', error, `the export to ${path}; nothing was given up`);
  }
}

function fileNameOf(address: string): string {
  return `repair-${address.replace(/[^\w.-]+/g, '-').slice(0, 100)}.ndjson`;
}

const remedies: Readonly<Record<LogSurvey['remedy'], string>> = {
  none: 'all of it can be read',
  trim: 'older history is given up; the state is whole',
  cut: 'the newest records are given up; the state goes back',
};

function repairText({ survey, isRepaired, exported }: RepairAnswer): string {
  const { name, damage, remedy, readableCount, keptCount } = survey;
  const fields: [string, string][] = [
    ['agent', name],
    ['damage', damage ?? 'none'],
    ['what a repair does', remedies[remedy]],
    ['records that can be read', String(readableCount)],
    ['records that it keeps', String(keptCount)],
  ];
  if (exported !== undefined) fields.push(['written to', exported]);
  const end = isRepaired ? 'It is repaired.' : 'Nothing was changed; consent with --yes.';
  return fieldsText(fields) + (remedy === 'none' ? '' : `${end}\n`);
}
