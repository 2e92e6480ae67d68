/** Programs of the machine that run to their end: what they wrote, and how they ended. */
import { execFile } from 'node:child_process';

/** How a program is run. */
export interface ProgramOptions {
  readonly timeoutMs: number;
  readonly directory?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** What became of a program. */
export interface ProgramResult {
  /** Whether it was found, ran, and ended with status 0 in time. */
  readonly isOk: boolean;
  /** Whether there is no such program. */
  readonly isMissing: boolean;
  /** What it wrote, to either output. */
  readonly output: string;
}

/** More than any program here has to say. */
const outputBytesMax = 4 * 1024 * 1024;

/** Runs a program; never throws. */
export function runProgram(
  program: string,
  parameters: readonly string[],
  { timeoutMs, directory, env }: ProgramOptions,
): Promise<ProgramResult> {
  const options = {
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: outputBytesMax,
    cwd: directory,
    env: { ...process.env, LC_ALL: 'C', ...env },
  } as const;
  return new Promise(resolve => {
    execFile(program, parameters, options, (error, standard, errors) => {
      const isMissing = error !== null && 'code' in error && error.code === 'ENOENT';
      const output = `${standard}${errors}`.trim();
      resolve({ isOk: error === null, isMissing, output: output || (error?.message ?? '') });
    });
  });
}
