/** One core of `npm run sim`: runs the seeds that it is handed and answers with their reports. */
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { runSeeds, type SimJob, type SimScenario } from '../src/testing/sim-runner.ts';
import { formatTraceLine, type SimTraceLine } from '../src/testing/sim-trace.ts';

/** What the main thread tells a worker at its start. */
export interface SimWorkerData {
  readonly world: string;
  readonly isTraced: boolean;
  readonly engine: string | undefined;
}

// Only `sim.ts` starts this file, with these data.
const { world, isTraced, engine } = workerData as SimWorkerData;
// A world is a module that exports its scenario.
const { scenario } = (await import(pathToFileURL(world).href)) as { scenario: SimScenario };
const onTraceLine = isTraced ? printLine : undefined;

parentPort?.on('message', (job: SimJob) => {
  void runSeeds({ scenario, jobs: [job], engine, onTraceLine }).then(report => {
    parentPort?.postMessage({ job, report });
  });
});

function printLine(line: SimTraceLine): void {
  console.log(formatTraceLine(line));
}
