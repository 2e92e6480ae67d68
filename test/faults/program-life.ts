/** One life of a program: to its end, or until it is killed at a moment. */
import { setTimeout as wait } from 'node:timers/promises';
import { type RunningProgram, runProgram } from '../helpers/run-program.ts';

/** When to kill. */
export interface Moment {
  /** What the time is counted from: the start of the process, or what it says. */
  readonly since: 'start' | 'mark';
  readonly afterMs: number;
}

/** What to run. */
export interface LifeOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the program says once it is at work. */
  readonly marker: RegExp;
  /** Without one it lives to its end. */
  readonly moment: Moment | undefined;
}

/** How it went. */
export interface Life {
  readonly isKilled: boolean;
  /** Of a program that came to its end by itself. */
  readonly status: number | null;
  readonly ms: number;
  /** When it said that it was at work, if it did. */
  readonly markedMs: number | undefined;
  /** What it wrote. */
  readonly output: string;
}

/** Runs a program; resolves when nothing of its group is left. */
export async function liveUntil(options: LifeOptions): Promise<Life> {
  const startedAt = performance.now();
  const running = runProgram(options.command, options.env);
  let markedMs: number | undefined;
  const marked = running.said(options.marker).then(
    () => {
      markedMs = performance.now() - startedAt;
    },
    () => undefined, // It has ended, which is told below.
  );
  const { moment } = options;
  if (moment !== undefined) {
    const begun = moment.since === 'mark' ? marked : Promise.resolve();
    await killAfter(running, begun, moment.afterMs);
  }
  const { status, signal } = await running.ended;
  const ms = performance.now() - startedAt;
  return { isKilled: signal === 'SIGKILL', status, ms, markedMs, output: running.output() };
}

/** Kills a program so long after something, unless it has come to its end before. */
async function killAfter(
  running: RunningProgram,
  begun: Promise<void>,
  afterMs: number,
): Promise<void> {
  const late = new AbortController();
  const due = begun.then(() => wait(afterMs, undefined, { signal: late.signal }));
  const isOver = running.ended.then(() => late.abort());
  const hasEnded = await Promise.race([isOver.then(() => true), due.then(() => false)]).catch(
    () => true, // The wait was taken back, because the program had ended.
  );
  if (!hasEnded) await running.kill();
}
