/**
 * `npm run mutants`: plants each bug of test/mutants in a copy of the tree and runs the checks that
 * must notice it, which have to pass without it. The last line is `mutants: K of M killed`; the
 * exit code is 1 unless all of them were.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCheck, type Verdict } from './mutant-checks.ts';
import { type Mutant, readMutant } from './mutant-file.ts';
import { MutantTree } from './mutant-tree.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'test', 'mutants');
const usage = `npm run mutants -- [--only NAME]... [--smoke] [--simulate HOURS] [--json FILE]
--simulate has the simulator look for each mutant, instead of the checks that the mutants name`;

/** How it went with one mutant. */
interface Result {
  readonly mutant: string;
  readonly status: 'killed' | 'survived' | 'broken';
  /** Who killed it, or why it is broken. */
  readonly by: string;
  readonly seconds: number;
  readonly simulatedHours?: number | undefined;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'string') {
    console.error(`${options}\n${usage}`);
    return 2;
  }
  const { mutants, jsonFile } = options;
  using tree = new MutantTree(root);
  const unfit = await checkUnmodified(tree, mutants);
  const results: Result[] = [];
  console.log(row(['mutant', 'result', 'seconds', 'sim hours', 'by']));
  for (const mutant of mutants) {
    const startedAt = performance.now();
    const outcome = await tryMutant(tree, mutant, unfit);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    const result: Result = { mutant: mutant.name, seconds, ...outcome };
    results.push(result);
    const { status, by, simulatedHours = '' } = result;
    console.log(row([mutant.name, status, seconds.toFixed(1), `${simulatedHours}`, by]));
  }
  const killed = results.filter(result => result.status === 'killed').length;
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(results, undefined, 2)}\n`);
  const found = hoursLine(results);
  if (found !== undefined) console.log(found);
  console.log(`mutants: ${killed} of ${results.length} killed`);
  return killed === results.length ? 0 : 1;
}

/** Runs each check once without a mutant; returns what is wrong with those that do not pass. */
async function checkUnmodified(
  tree: MutantTree,
  mutants: readonly Mutant[],
): Promise<Map<string, string>> {
  const unfit = new Map<string, string>();
  const checks = new Map(mutants.flatMap(({ checks }) => checks.map(each => [each.command, each])));
  for (const [command, check] of checks) {
    const verdict = await runCheck(tree.path, check);
    if (verdict.status === 'passed') continue;
    const reason = verdict.status === 'noticed' ? verdict.by : verdict.reason;
    unfit.set(command, reason);
    console.log(`without a mutant, ${command} does not pass: ${reason}`);
  }
  console.log(`${checks.size - unfit.size} of ${checks.size} checks pass without a mutant\n`);
  return unfit;
}

async function tryMutant(
  tree: MutantTree,
  mutant: Mutant,
  unfit: ReadonlyMap<string, string>,
): Promise<Omit<Result, 'mutant' | 'seconds'>> {
  const obstacle = tree.apply(mutant);
  if (obstacle !== undefined) return { status: 'broken', by: obstacle };
  let last: Verdict = { status: 'passed' };
  try {
    for (const check of mutant.checks) {
      if (unfit.has(check.command)) {
        last = { status: 'broken', reason: `${check.command} does not pass without it` };
        continue;
      }
      last = await runCheck(tree.path, check);
      if (last.status !== 'noticed') continue;
      const hours = last.hours ?? (await hoursUntilNoticed(tree, mutant, unfit));
      return { status: 'killed', by: last.by, simulatedHours: hours };
    }
  } finally {
    tree.restore();
  }
  if (last.status === 'broken') return { status: 'broken', by: last.reason };
  return { status: 'survived', by: mutant.checks.map(check => check.command).join('; ') };
}

/** How long the simulator takes to notice a mutant that names it, though another check did. */
async function hoursUntilNoticed(
  tree: MutantTree,
  { checks }: Mutant,
  unfit: ReadonlyMap<string, string>,
): Promise<number | undefined> {
  const check = checks.find(each => each.tool === 'sim' && !unfit.has(each.command));
  if (check === undefined) return undefined;
  const verdict = await runCheck(tree.path, check);
  return verdict.status === 'noticed' ? verdict.hours : undefined;
}

/** How long the simulator took for those that it noticed. */
function hoursLine(results: readonly Result[]): string | undefined {
  const hours = results.map(each => each.simulatedHours).filter(each => each !== undefined);
  if (hours.length === 0) return undefined;
  const rising = hours.toSorted((one, other) => one - other);
  const median = rising[Math.floor((rising.length - 1) / 2)];
  return `simulator: ${rising.length} noticed, median ${median} and worst ${rising.at(-1)} hours`;
}

interface Options {
  readonly mutants: readonly Mutant[];
  readonly jsonFile: string | undefined;
}

function readOptions(): Options | string {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      smoke: { type: 'boolean', default: false },
      simulate: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const mutants: Mutant[] = [];
  for (const file of readdirSync(folder).sort()) {
    const name = file.replace(/\.patch$/, '');
    const mutant = readMutant(name, readFileSync(join(folder, file), 'utf8'));
    if (typeof mutant === 'string') return `test/mutants/${file}: ${mutant}`;
    if (values.only?.includes(name) ?? (!values.smoke || mutant.isSmoke)) mutants.push(mutant);
  }
  const unknown = values.only?.find(name => mutants.every(mutant => mutant.name !== name));
  if (unknown !== undefined) return `there is no mutant ${unknown}`;
  const { simulate, json: jsonFile } = values;
  return { mutants: simulate === undefined ? mutants : simulated(mutants, simulate), jsonFile };
}

function simulated(mutants: readonly Mutant[], hours: string): readonly Mutant[] {
  const words = ['--hours', hours];
  const check = { command: `sim ${words.join(' ')}`, tool: 'sim', words };
  return mutants.map(mutant => ({ ...mutant, checks: [check] }));
}

function row([
  name = '',
  status = '',
  seconds = '',
  hours = '',
  by = '',
]: readonly string[]): string {
  const figures = `${seconds.padStart(7)} ${hours.padStart(9)}`;
  return `${name.padEnd(38)} ${status.padEnd(8)} ${figures}  ${by}`.trimEnd();
}
