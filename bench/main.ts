/**
 * `npm run bench [-- --only ID[,ID] --json FILE --quick --rounds N --dir FOLDER]`: takes every
 * figure several times, each time next to its baseline, and prints one table. A missed bar is
 * printed as missed; only a figure that could not be taken makes the exit code 1.
 */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { hasErlang } from './baseline-erlang.ts';
import { startServers } from './nats-servers.ts';
import { comparisonOf, planRun } from './plan.ts';
import { baselines, type Figure, figures } from './registry.ts';
import { judge, type Result, type Summary, summarize } from './results.ts';
import { Rounds, type RoundsOptions } from './rounds.ts';
import { baselineTable, figureTable } from './table.ts';

interface Options extends RoundsOptions {
  readonly only: readonly string[];
  readonly isQuick: boolean;
  readonly json: string | undefined;
}

const options = readOptions();
const plan = planRun(options.only, options.isQuick);
const rounds = new Rounds();
const about = await takeAll();
report(
  plan.figures.map(figure => resultOf(figure)),
  plan.baselines.map(baseline => summarize(baseline, rounds.seriesOf(baseline))),
);

async function takeAll(): Promise<string | undefined> {
  await using servers = await startServers(plan.probes);
  await rounds.take(plan.probes, { ...options, env: { ...options.env, ...servers.env } });
  return servers.about;
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        dir: { type: 'string' },
      },
    });
    const env = {
      ...(values.quick ? { TROUPE_BENCH_QUICK: '1' } : {}),
      ...(values.dir === undefined ? {} : { TROUPE_BENCH_DIR: values.dir }),
    };
    const roundsWanted = Number(values.rounds ?? (values.quick ? 3 : 5));
    if (!(roundsWanted >= 1)) throw new RangeError('--rounds takes a number of 1 or more');
    return {
      only: knownIds(values.only.flatMap(text => text.split(','))),
      json: values.json,
      isQuick: values.quick,
      rounds: roundsWanted,
      env,
    };
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
    process.exit(2);
  }
}

function knownIds(ids: readonly string[]): readonly string[] {
  const known = [...figures, ...baselines].map(({ id }) => id);
  const unknown = ids.find(id => !known.includes(id));
  if (unknown === undefined) return ids;
  throw new RangeError(`no figure is named "${unknown}"; known: ${known.join(', ')}`);
}

function resultOf(figure: Figure): Result {
  const comparison = comparisonOf(figure);
  const baseline = baselines.find(({ id }) => id === comparison?.baseline);
  return judge(figure, {
    series: rounds.seriesOf(figure),
    comparison,
    baseline: baseline && rounds.seriesOf(baseline),
  });
}

function report(rows: readonly Result[], bases: readonly Summary[]): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const lines = [`${machine}, ${memory}, Node ${process.version}, ${options.rounds} rounds`];
  if (about !== undefined) lines.push(about);
  if (options.isQuick) lines.push('Quick: short windows and fewer agents. Not for comparisons.');
  if (rows.length > 0) lines.push(figureTable(rows));
  if (bases.length > 0) lines.push(baselineTable(bases));
  if (!hasErlang()) lines.push('Erlang is not installed; its baselines are left out.');
  const failed = [...rows, ...bases].filter(({ failure }) => failure !== undefined).length;
  const reached = rows.filter(({ verdict }) => verdict.startsWith('reached')).length;
  lines.push(`bench: ${reached} of ${rows.length} bars reached, ${failed} failed`);
  process.stdout.write(`${lines.join('\n\n')}\n`);
  if (options.json !== undefined) {
    const content = {
      machine,
      memory,
      node: process.version,
      servers: about,
      isQuick: options.isQuick,
      figures: rows,
      baselines: bases,
    };
    writeFileSync(options.json, `${JSON.stringify(content, undefined, 2)}\n`);
  }
  process.exitCode = failed > 0 ? 1 : 0;
}
