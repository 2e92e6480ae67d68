/** A program that runs beside the test, as a process group of its own. */
import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

/** The program. */
export interface RunningProgram {
  /** All that it has written, to either output. */
  output(): string;
  /** Resolves when it has written something like this; rejects when it ends without. */
  said(pattern: RegExp): Promise<void>;
  /** Resolves when something outside is so; rejects when the program ends before. */
  until(what: () => boolean): Promise<void>;
  /** Kills the group; resolves when it is dead. */
  kill(): Promise<void>;
  readonly ended: Promise<ProgramEnd>;
}

/** How a program ended: by itself, or by a signal. */
export interface ProgramEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How often the world outside is looked at: it tells nobody when it changes. */
const lookMs = 2;

/** Starts a program. */
export function runProgram(
  [program = '', ...parameters]: readonly string[],
  env: Readonly<Record<string, string>>,
): RunningProgram {
  const child = spawn(program, parameters, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let text = '';
  let isOver = false;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
  const ended = new Promise<ProgramEnd>((resolve, reject) => {
    child.once('error', reject);
    // Comes when the last of the group has let go of the pipes, which is when it is dead.
    child.once('close', (status, signal) => {
      isOver = true;
      resolve({ status, signal });
    });
  });
  const until = async (what: () => boolean) => {
    while (!what()) {
      if (isOver) throw new Error(`the program ended too early:\n${text}`);
      await wait(lookMs);
    }
  };
  return {
    output: () => text,
    said: pattern => until(() => pattern.test(text)),
    until,
    async kill() {
      if (child.pid !== undefined && !isOver) process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
    ended,
  };
}
