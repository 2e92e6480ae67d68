/** Where a command writes and reads: the real terminal, or in tests a pretended one. */
import { text } from 'node:stream/consumers';

/** What a command knows of the world around it. */
export interface Terminal {
  /** Writes to standard output; the text ends as it is. */
  write(text: string): void;
  /** Writes to standard error. */
  writeError(text: string): void;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Whether output may have colours: a person looks at it, and does not mind. */
  readonly hasColour: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How the command ends if it throws nothing; 0, until a command has something bad to report. */
  exitCode: number;
}

/** The terminal of this process. */
export function systemTerminal(): Terminal {
  // Whoever reads the output may stop, as `head` does; that is no failure of ours.
  process.stdout.on('error', error => {
    if ('code' in error && error.code === 'EPIPE') process.exit(0);
  });
  return {
    write: output => void process.stdout.write(output),
    writeError: output => void process.stderr.write(output),
    readInput: () => text(process.stdin),
    hasColour: process.stdout.isTTY === true && !isSet(process.env.NO_COLOR),
    env: process.env,
    exitCode: 0,
  };
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && variable !== '';
}
