/** A terminal that keeps what a command writes. */

import { runCommand } from '../../src/cli/program.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

/** What a command did. */
export interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
}

/** What a command finds around it. */
export interface Surroundings {
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly input?: string | undefined;
  readonly hasColour?: boolean | undefined;
}

/** Runs a command in this process. */
export async function command(
  typed: readonly string[],
  { env = {}, input = '', hasColour = false }: Surroundings = {},
): Promise<CommandResult> {
  let [output, errors] = ['', ''];
  const terminal: Terminal = {
    write: text => {
      output += text;
    },
    writeError: text => {
      errors += text;
    },
    readInput: async () => input,
    hasColour,
    env,
    exitCode: 0,
  };
  const exitCode = await runCommand(typed, terminal);
  return { exitCode, output, errors };
}
