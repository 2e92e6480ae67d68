/** The entry of the `troupe` command: the real terminal, the real arguments, the exit code. */
import { runCommand } from './program.ts';
import { systemTerminal } from './terminal.ts';

process.exitCode = await runCommand(process.argv.slice(2), systemTerminal());
