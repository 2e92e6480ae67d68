/**
 * Runs the checks that mutants name, in a copy of the tree: a selection of the tests, the laws of
 * one suite, or some hours of the simulator. A check says that it passed or what it noticed; a
 * check that says neither is broken, so that nothing counts as noticed only because it crashed.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { MutantCheck } from './mutant-file.ts';

/** What a check said. */
export type Verdict =
  | { readonly status: 'passed' }
  | {
      readonly status: 'noticed';
      /** The test, law or checker that noticed it. */
      readonly by: string;
      /** Simulated hours until then, where the simulator did. */
      readonly hours?: number | undefined;
    }
  | { readonly status: 'broken'; readonly reason: string };

/** A run of a check may take so long. */
const checkMsMax = 180_000;
/** So many simulated hours are run between looks at what was found. */
const hoursPerLook = 2;

const passed: Verdict = { status: 'passed' };

/** Runs a check in a copy of the tree. */
export async function runCheck(tree: string, check: MutantCheck): Promise<Verdict> {
  if (check.tool === 'sim') return runSimulator(tree, check.words);
  const words =
    check.tool === 'laws'
      ? ['test/laws/laws.test.ts', '-t', `^${check.words.map(escaped).join(' > ')}`]
      : check.words;
  return runTests(tree, words);
}

interface TestFile {
  readonly name: string;
  readonly status: string;
  readonly message?: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

async function runTests(tree: string, words: readonly string[]): Promise<Verdict> {
  const report = join(tree, 'mutant-tests.json');
  rmSync(report, { force: true });
  const options = ['--bail=1', '--reporter=json', `--outputFile=${report}`];
  const ended = await run(tree, ['node_modules/vitest/vitest.mjs', 'run', ...words, ...options]);
  if (!existsSync(report)) return broken(`the tests gave no report: ${ended.lastLine}`);
  // Written by vitest, in the format of Jest.
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as { testResults: TestFile[] };
  const tests = testResults.flatMap(file => file.assertionResults);
  const failed = tests.find(test => test.status === 'failed');
  if (failed !== undefined) return { status: 'noticed', by: failed.fullName.trim() };
  const unread = testResults.find(file => file.status === 'failed');
  if (unread !== undefined) return broken(`${unread.name} does not load: ${unread.message ?? ''}`);
  if (!tests.some(test => test.status === 'passed')) return broken('no test was run');
  return ended.status === 0 ? passed : broken(`status ${ended.status}: ${ended.lastLine}`);
}

async function runSimulator(tree: string, words: readonly string[]): Promise<Verdict> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      hours: { type: 'string', default: '4' },
      seed: { type: 'string', default: '1' },
      engine: { type: 'string' },
      world: { type: 'string' },
    },
  });
  const first = Number(values.seed);
  const engine = values.engine === undefined ? [] : ['--engine', values.engine];
  const world = values.world === undefined ? [] : ['--world', values.world];
  for (let done = 0; done < Number(values.hours); done += hoursPerLook) {
    const hours = Math.min(hoursPerLook, Number(values.hours) - done);
    const seed = first + done;
    const words = ['--hours', `${hours}`, '--seed', `${seed}`, ...engine, ...world];
    const found = await simulate(tree, words);
    if (typeof found === 'string') return broken(found);
    if (found === undefined) continue;
    const by = `simulator: ${found.check} (seed ${found.seed})`;
    // Each seed is an hour.
    return { status: 'noticed', by, hours: found.seed - first + 1 };
  }
  return passed;
}

/** The violation of the lowest seed, if any, or a sentence that says why nobody knows. */
async function simulate(
  tree: string,
  words: readonly string[],
): Promise<SimulatorReport['violations'][number] | string | undefined> {
  const file = join(tree, 'mutant-sim.json');
  rmSync(file, { force: true });
  const ended = await run(tree, ['scripts/sim.ts', ...words, '--json', file]);
  if (!existsSync(file)) return `the simulator gave no report: ${ended.lastLine}`;
  // Written by the script above.
  const { violations } = JSON.parse(readFileSync(file, 'utf8')) as SimulatorReport;
  return violations.toSorted((one, other) => one.seed - other.seed)[0];
}

interface SimulatorReport {
  readonly violations: readonly { readonly seed: number; readonly check: string }[];
}

interface Ended {
  readonly status: number;
  readonly lastLine: string;
}

function run(tree: string, words: readonly string[]): Promise<Ended> {
  return new Promise(resolve => {
    // A group of its own, so that a run that takes too long ends with all that it started.
    const child = spawn(process.execPath, [...words], { cwd: tree, detached: true });
    let output = '';
    const add = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4_000);
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    const watch = setTimeout(() => {
      output += `\nno verdict within ${checkMsMax / 1_000} s`;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, checkMsMax);
    child.on('close', code => {
      clearTimeout(watch);
      resolve({ status: code ?? 1, lastLine: output.trim().split('\n').at(-1) ?? '' });
    });
  });
}

function broken(reason: string): Verdict {
  return { status: 'broken', reason };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
