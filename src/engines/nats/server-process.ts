/**
 * A NATS server as a process of this machine: started with a configuration file, ready when its
 * monitoring port says so. It may outlive whoever started it.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { TroupeError } from '../../core/errors.ts';

/** How a server is started. */
export interface StartOptions {
  /** What to run; words before the program itself, such as a wrapper, come first. */
  readonly program: readonly string[];
  readonly configPath: string;
  readonly logPath: string;
  /** Whether it goes on when this process ends. */
  readonly isDetached: boolean;
}

/** A server that was started. */
export interface ServerProcess {
  readonly pid: number;
  readonly isRunning: boolean;
  /** Resolves when it is dead. */
  readonly ended: Promise<void>;
}

/** What must answer, and for how long it is waited for. */
export interface ReadyOptions {
  readonly monitorPort: number;
  readonly timeoutMs: number;
  /** Where to look for the reason when it never answers. */
  readonly logPath: string;
  /** Ends the waiting early. */
  readonly isRunning?: (() => boolean) | undefined;
  /** Whether its streams and its cluster must be ready too, or only the server itself. */
  readonly isWhole?: boolean | undefined;
}

/** How often the server is asked: it starts in some 50 ms. */
const lookMs = 10;
const answerTimeoutMs = 2_000;
const logCharsMax = 600;

/**
 * Starts a server; it is not ready yet.
 *
 * @throws `CONFIG_INVALID` when the program cannot be run.
 */
export async function startServer(options: StartOptions): Promise<ServerProcess> {
  const { program, configPath, logPath, isDetached } = options;
  const log = openSync(logPath, 'a', 0o600);
  const [file = '', ...before] = program;
  const child = spawn(file, [...before, '-c', configPath], {
    detached: isDetached,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = new Promise<void>(resolve => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', cause =>
      reject(
        new TroupeError('CONFIG_INVALID', { detail: `${file} cannot be run: ${cause}`, cause }),
      ),
    );
  });
  if (isDetached) child.unref();
  return {
    pid: child.pid ?? 0,
    get isRunning() {
      return child.exitCode === null && child.signalCode === null;
    },
    ended,
  };
}

/**
 * Waits until a server serves.
 *
 * @throws `ENGINE_UNAVAILABLE`, with the end of its log, when it ends or does not get ready.
 */
export async function serverReady(options: ReadyOptions): Promise<void> {
  const { monitorPort, timeoutMs, logPath, isRunning = () => true, isWhole = true } = options;
  const url = `http://127.0.0.1:${monitorPort}/healthz${isWhole ? '' : '?js-server-only=true'}`;
  const endsAt = performance.now() + timeoutMs;
  let said = '';
  while (isRunning() && performance.now() < endsAt) {
    said = await healthOf(url);
    if (said === '') return;
    await wait(lookMs);
  }
  const log = await readFile(logPath, 'utf8').catch(() => '');
  const how = isRunning() ? `is not ready after ${timeoutMs} ms` : 'ended at once';
  throw new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `the NATS server ${how} (${said}); its log ends with: ${log.slice(-logCharsMax)}`,
  });
}

/** Nothing when the server is well, else what is wrong. */
async function healthOf(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) });
    const text = await answer.text();
    return answer.ok ? '' : text.trim();
  } catch (error) {
    return `no answer: ${error}`;
  }
}
