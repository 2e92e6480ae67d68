/**
 * Lets a node and its three servers die again and again under a checked workload, and prints what
 * callers saw and what came of it. Usage: `npm run nats-faults -- [--nodes N] [--leaders N]
 * [--restarts N] [--majorities N] [--down SECONDS] [--seed N] [--json FILE]`: how often each. The
 * exit code is 1 when a promise was broken.
 */
import { parseArgs } from 'node:util';
import { type FaultSeries, runFaultSeries } from '../test/faults/nats-series-faults.ts';
import { printSeries } from '../test/faults/nats-series-print.ts';
import { faultLine, type SeriesResult } from '../test/faults/nats-series-report.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '20' },
    leaders: { type: 'string', default: '10' },
    restarts: { type: 'string', default: '3' },
    majorities: { type: 'string', default: '2' },
    down: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const rounds: readonly (readonly [FaultSeries, string])[] = [
  ['node', values.nodes],
  ['leader', values.leaders],
  ['restart', values.restarts],
  ['majority', values.majorities],
];
const results: SeriesResult[] = [];
for (const [name, count] of rounds) {
  if (Number(count) === 0) continue;
  const result = await runFaultSeries(name, {
    rounds: Number(count),
    seed: Number(values.seed),
    downMs: Number(values.down) * 1_000,
    onFault: fault => console.log(faultLine(fault)),
  });
  results.push(result);
}
process.exitCode = printSeries('nats-faults', results, values.json);
