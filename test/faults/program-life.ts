/** One life of a program that is run as a process group of its own: to its end, or until it is killed. */
import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

/** When to kill. */
export interface Moment {
  /** What the time is counted from: the start of the process, or what it says. */
  readonly since: 'start' | 'mark';
  readonly afterMs: number;
}

/** What to run. */
export interface LifeOptions {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What the program writes to its standard error once it is at work. */
  readonly marker: string;
  /** Without one it lives to its end. */
  readonly moment?: Moment | undefined;
}

/** How it went. */
export interface Life {
  readonly isKilled: boolean;
  /** Of a program that came to its end by itself. */
  readonly status: number | null;
  readonly ms: number;
  /** When it said what was waited for, if it did. */
  readonly markedMs: number | undefined;
  /** What it wrote to its standard error. */
  readonly said: string;
}

/** Runs a program; resolves when nothing of its group is left. */
export async function liveUntil(options: LifeOptions): Promise<Life> {
  const [program = '', ...parameters] = options.command;
  const startedAt = performance.now();
  const child = spawn(program, parameters, {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject);
    // Comes when the last of the group has let go of the pipe, which is when it is dead.
    child.once('close', (status, signal) => resolve({ status, signal }));
  });
  let said = '';
  let markedMs: number | undefined;
  const marked = new Promise<void>(resolve => {
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      if (markedMs !== undefined || !said.includes(options.marker)) return;
      markedMs = performance.now() - startedAt;
      resolve();
    });
  });
  if (options.moment !== undefined && child.pid !== undefined)
    await killAt(child.pid, options.moment, { ended, marked });
  const { status, signal } = await ended;
  const ms = performance.now() - startedAt;
  return { isKilled: signal === 'SIGKILL', status, ms, markedMs, said };
}

interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Turns {
  readonly ended: Promise<Ending>;
  readonly marked: Promise<void>;
}

/** Kills the whole group at the moment, unless it has come to its end before. */
async function killAt(group: number, moment: Moment, { ended, marked }: Turns): Promise<void> {
  const late = new AbortController();
  const isOver = ended.then(() => true);
  const begun = moment.since === 'mark' ? marked : Promise.resolve();
  const isDue = begun
    .then(() => wait(moment.afterMs, undefined, { signal: late.signal }))
    .then(
      () => false,
      () => true,
    );
  const hasEnded = await Promise.race([isOver, isDue]);
  late.abort();
  if (hasEnded) return;
  process.kill(-group, 'SIGKILL');
}
