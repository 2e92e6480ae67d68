/**
 * `npm run sim`: hands seeds to one worker thread for each core, adds up their reports, prints what
 * was met and found, and ends with one line of totals. It fails when a promise was broken.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  addReports,
  coverageGaps,
  coverageLines,
  emptyReport,
  jobsFor,
  type SimJob,
  type SimReport,
  summaryLine,
} from '../src/testing/sim-runner.ts';
import { readSimOptions, type SimOptions, simUsage, worldDefault } from './sim-options.ts';

const options = readSimOptions(process.argv.slice(2));
if (typeof options === 'string') {
  console.error(`${options}\n${simUsage}`);
  process.exitCode = 2;
} else {
  process.exitCode = await main(options);
}

async function main(options: SimOptions): Promise<number> {
  const startMs = performance.now();
  const commit = commitOf();
  const jobs = jobsFor(options.hours, options.seed);
  let total = emptyReport;
  const onReport = (job: SimJob, report: SimReport) => {
    total = addReports(total, report);
    if (report.violationCount > 0) printViolations(job, report, { commit, options });
  };
  await Promise.all(
    Array.from({ length: options.cores }, () => runWorker(options, jobs, onReport)),
  );
  const wallMs = performance.now() - startMs;
  const gaps = coverageGaps(total);
  for (const gap of gaps) console.log(`not covered: ${gap}`);
  total = { ...total, violationCount: total.violationCount + gaps.length };
  console.log(coverageLines(total).join('\n'));
  if (options.jsonFile !== undefined) {
    const json = { commit, firstSeed: options.seed, cores: options.cores, wallMs, ...total };
    writeFileSync(options.jsonFile, `${JSON.stringify(json, undefined, 2)}\n`);
  }
  if (total.seeds === 1) console.log(`trace hash ${total.traceHash}`);
  console.log(summaryLine(total, wallMs, options.cores));
  return total.violationCount === 0 ? 0 : 1;
}

/** Hands one worker a seed after the other until there are no more. */
function runWorker(
  options: SimOptions,
  jobs: Iterator<SimJob>,
  onReport: (job: SimJob, report: SimReport) => void,
): Promise<void> {
  const worker = new Worker(new URL('./sim-worker.ts', import.meta.url), {
    workerData: {
      world: resolve(options.world),
      isTraced: options.isTraced,
      engine: options.engine,
    },
  });
  return new Promise((done, fail) => {
    const next = () => {
      const { value, done: isOver } = jobs.next();
      if (isOver === true) void worker.terminate().then(() => done());
      else worker.postMessage(value);
    };
    worker.on('message', ({ job, report }: { job: SimJob; report: SimReport }) => {
      onReport(job, report);
      next();
    });
    worker.on('error', fail);
    next();
  });
}

function printViolations(
  job: SimJob,
  report: SimReport,
  { commit, options }: { readonly commit: string; readonly options: SimOptions },
): void {
  console.log(`seed ${job.seed} at commit ${commit}: ${report.violationCount} violations`);
  for (const { check, message, lastEvents } of report.violations) {
    console.log(`  ${check}: ${message}`);
    for (const line of lastEvents?.slice(-20) ?? []) console.log(`    ${line}`);
  }
  const { world, engine } = options;
  const seed = `--hours ${job.hours} --seed ${job.seed}`;
  const onEngine = engine === undefined ? '' : ` --engine ${engine}`;
  const other = world === worldDefault ? '' : ` --world ${world}`;
  console.log(`  again: npm run sim -- ${seed}${onEngine}${other} --trace`);
}

function commitOf(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
