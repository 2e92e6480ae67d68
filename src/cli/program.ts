/**
 * The `troupe` command: its sub-commands, how arguments are read, and how failures are told. Each
 * group of commands is a file of its own.
 */
import { Command, CommanderError } from 'commander';
import { type TroupeError, wrapError } from '../core/errors.ts';
import { packageVersion } from '../gateway/package-version.ts';
import { toWire } from '../gateway/wire.ts';
import { addAcceptLossCommand } from './accept-loss-command.ts';
import { addAgentCommands } from './agent-commands.ts';
import { addDataCommands } from './data-commands.ts';
import { addDevCommand } from './dev-command.ts';
import { addDoctorCommand } from './doctor-command.ts';
import { addEngineCommands } from './engine-commands.ts';
import { exitCodeOf, exitCodes, remedyOf } from './exit-codes.ts';
import { addExplainCommand } from './explain-command.ts';
import { addRunCommands } from './run-commands.ts';
import { printable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Runs the command that the arguments name; answers with the exit code and throws nothing. */
export async function runCommand(typed: readonly string[], terminal: Terminal): Promise<number> {
  const program = programOf(terminal);
  try {
    await program.parseAsync(typed, { from: 'user' });
    return terminal.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      // It has told its complaint already, or shown the help that was asked for.
      return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    tell(terminal, thrown, typed.includes('--json'));
    return exitCodeOf(thrown);
  }
}

function programOf(terminal: Terminal): Command {
  const program = new Command('troupe')
    .description('Looks at the agents of a node on this machine, and talks to them.')
    .version(packageVersion(), '--version', 'show the version of troupe')
    .helpOption('-h, --help', 'show this help')
    .configureOutput({
      writeOut: text => terminal.write(text),
      writeErr: text => terminal.writeError(text),
    })
    // What stands behind a sub-command is its own: `agents at … --version 3` asks for a version.
    .enablePositionalOptions()
    .exitOverride();
  addDevCommand(program, terminal);
  addAgentCommands(program, terminal);
  addRunCommands(program, terminal);
  addDataCommands(program, terminal);
  addAcceptLossCommand(program, terminal);
  addEngineCommands(program, terminal);
  addExplainCommand(program, terminal);
  addDoctorCommand(program, terminal);
  addGlobalOptions(program);
  return program;
}

/** What every command takes, before its name or behind it. */
function addGlobalOptions(command: Command): void {
  command
    .option('--data <dir>', 'the data directory of the node (default: TROUPE_DATA, or ./data)')
    .option('--url <url>', 'the admin API, where the data directory does not say it')
    .option('--token <token>', 'the token of the admin API (default: TROUPE_TOKEN, or the file)')
    .option('--json', 'print JSON');
  for (const child of command.commands) addGlobalOptions(child);
}

function tell(terminal: Terminal, thrown: unknown, isJson: boolean): void {
  const error = wrapError('INVARIANT_BROKEN', thrown, 'troupe');
  const { code, outcome, detail } = error;
  const remedy = remedyOf(error);
  if (isJson) {
    const value = { ...error.toValue(), remedy };
    terminal.writeError(`${printable(JSON.stringify({ error: toWire(value) }))}\n`);
    return;
  }
  const lines = [`${code} (${outcome}): ${detail}`, ...dataLines(error)];
  if (remedy !== undefined) lines.push(`  ${remedy}`);
  terminal.writeError(printable(`${lines.join('\n')}\n`));
}

/** What an agent said with its refusal is told; other particulars are in the detail already. */
function dataLines({ code, data }: TroupeError): string[] {
  return code === 'REJECTED' && data !== undefined ? [`  ${JSON.stringify(toWire(data))}`] : [];
}
