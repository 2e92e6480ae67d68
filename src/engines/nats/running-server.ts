/**
 * Whether a process that was started earlier still runs: process ids are given away again, so what
 * the process was started with must fit too.
 */
import { readFile } from 'node:fs/promises';
import { runProgram } from './child-program.ts';

const answerTimeoutMs = 5_000;

/** Whether the process is the server that was started with this configuration file. */
export async function isServerRunning(pid: number, configPath: string): Promise<boolean> {
  if (!isProcess(pid)) return false;
  const words = await wordsOf(pid);
  return words.includes(configPath);
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process exists, but is none that we have started.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** What the process was started with; a dead one that nobody has buried yet has nothing left. */
async function wordsOf(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch {
    const how = ['-p', String(pid), '-o', 'args='];
    const { isOk, output } = await runProgram('ps', how, { timeoutMs: answerTimeoutMs });
    return isOk ? output : '';
  }
}
