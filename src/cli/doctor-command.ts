/** `troupe doctor`: whether this machine, this directory and this node are fit to work. */
import type { Command } from 'commander';
import { toWire } from '../gateway/wire.ts';
import { type Check, checksOf } from './checks.ts';
import { exitCodes } from './exit-codes.ts';
import { sessionOf } from './session.ts';
import { fieldsText } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Adds the command. */
export function addDoctorCommand(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('check the runtime, the data directory, the disk and the node')
    .action(async (_options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      const checks = await checksOf(session);
      session.show(toWire(checks), checksText);
      if (checks.some(({ result }) => result === 'failed')) terminal.exitCode = exitCodes.failed;
    });
}

function checksText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ result }) => result.length));
  return fieldsText(
    checks.map(({ name, result, detail }) => [`${result.padEnd(width)}  ${name}`, detail]),
  );
}
