/**
 * The node under faults through all its lives: each a process group of its own on the same
 * directory, told to go on with what earlier ones left unanswered.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SeriesEvent, SeriesNodePlan } from './nats-series-events.ts';
import { agentsOf } from './nats-series-events.ts';
import { SeriesHistory } from './nats-series-history.ts';
import { judge, type Verdict } from './nats-series-judge.ts';

/** Which node, on which servers. */
export interface SeriesNodeOptions {
  readonly servers: readonly string[];
  /** An empty directory for its data and the book of the steps. */
  readonly directory: string;
  readonly counters: number;
  readonly jobs: number;
  readonly pauseMs: number;
  /** What its command begins with, such as the way into a namespace. */
  readonly wrapper?: readonly string[] | undefined;
}

interface Life {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves when it takes calls; rejects when it ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<number | null>;
  said(): string;
}

const program = fileURLToPath(new URL('./nats-series-node.ts', import.meta.url));
const errorCharsMax = 4_000;
const lookMs = 20;
/** After faults everything has to go on within this; elections and full machines included. */
const recoveryMs = 90_000;

/** The node. */
export class SeriesNode {
  readonly history: SeriesHistory = new SeriesHistory();
  readonly #options: SeriesNodeOptions;
  readonly #book: string;
  #life: Life | undefined;
  #lives = 0;
  #isWanted = false;

  constructor(options: SeriesNodeOptions) {
    this.#options = options;
    this.#book = join(options.directory, 'book.txt');
  }

  /** Begins a life; `ready` resolves when its agents are called. */
  begin(does: SeriesNodePlan['does'] = 'call'): { readonly ready: Promise<void> } {
    const { servers, directory, counters, jobs, pauseMs, wrapper = [] } = this.#options;
    this.#lives += 1;
    const plan: SeriesNodePlan = {
      ...{ counters, jobs, pauseMs, does, book: this.#book, life: this.#lives },
      cluster: { servers, name: 'series' },
      data: join(directory, 'data'),
      open: this.history.open,
    };
    this.#isWanted = true;
    const command = [...wrapper, process.execPath, program, JSON.stringify(plan)];
    const life = beginLife(command, event => this.history.take(event));
    void life.ended.then(status => {
      if (!this.#isWanted || this.#life !== life) return;
      this.history.complaints.push(`the node ended by itself (${status}): ${life.said()}`);
    });
    this.#life = life;
    return life;
  }

  /** Kills the group; resolves when it is dead and all that it said has been heard. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    const { process: child, ended } = this.#living();
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  }

  /** Resolves when every agent has been answered since; tells whether that came about. */
  async serves(sinceMs: number): Promise<boolean> {
    const { counters, jobs } = agentsOf(this.#options);
    const missing = new Set<string>([...counters, ...jobs]);
    const { answers, complaints } = this.history;
    const endsAt = performance.now() + recoveryMs;
    let seen = 0;
    while (performance.now() < endsAt) {
      for (; seen < answers.length; seen += 1) {
        const answer = answers[seen];
        if (answer !== undefined && answer.kind !== 'count' && answer.at > sinceMs) {
          missing.delete(answer.agent);
        }
      }
      if (missing.size === 0) return true;
      await wait(lookMs);
    }
    complaints.push(`no answer for ${recoveryMs / 1_000} s from ${[...missing].join(', ')}`);
    return false;
  }

  /** Lets callers end what they began, and a new life say what all agents hold. */
  async finish(): Promise<Verdict> {
    await this.#end('finish');
    this.begin('tell');
    await this.#end('tell');
    const book = existsSync(this.#book) ? readFileSync(this.#book, 'utf8') : '';
    return judge(this.history, book);
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    if (this.#life !== undefined) await this.kill();
  }

  async #end(what: string): Promise<void> {
    const { process: child, ended, said, ready } = this.#living();
    await ready.catch(() => undefined);
    this.#isWanted = false;
    child.stdin.write('finish\n');
    const late = wait(recoveryMs, 'late' as const, { ref: false });
    const status = await Promise.race([ended, late]);
    if (status === 0) return;
    this.history.complaints.push(`the node could not ${what} (${status}): ${said()}`);
    await this.kill();
  }

  #living(): Life {
    if (this.#life === undefined) throw new Error('the node has not begun');
    return this.#life;
  }
}

function beginLife(command: readonly string[], onEvent: (event: SeriesEvent) => void): Life {
  const [file = '', ...parameters] = command;
  const child = spawn(file, parameters, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  let text = '';
  child.stderr.on('data', (bytes: Buffer) => {
    text = `${text}${bytes}`.slice(-errorCharsMax);
  });
  // It may be dead when it is told to finish.
  child.stdin.on('error', () => undefined);
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  ready.catch(() => undefined);
  createInterface({ input: child.stdout }).on('line', line => {
    const event = eventOf(line);
    if (event?.event === 'ready') resolve();
    if (event !== undefined) onEvent(event);
  });
  const ended = new Promise<number | null>(settle => {
    child.once('error', cause => {
      text = String(cause);
      settle(null);
    });
    // Comes when all that it wrote has been read.
    child.once('close', status => settle(status));
  });
  void ended.then(() => reject(new Error(`the node ended before it was ready: ${text}`)));
  return { process: child, ready, ended, said: () => text };
}

/** A line that was cut off by a kill is no event. */
function eventOf(line: string): SeriesEvent | undefined {
  try {
    // Written by the node's program.
    return JSON.parse(line) as SeriesEvent;
  } catch {
    return undefined;
  }
}
