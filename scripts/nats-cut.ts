/**
 * Cuts the network between a node and its three servers, and between the servers, under a checked
 * workload, and prints what callers saw and what came of it. Only root may do it: it makes network
 * namespaces, and removes them. Usage: `npm run nats-cut -- [--nodes N] [--ones N] [--eaches N]
 * [--cut SECONDS] [--seed N] [--json FILE]`: how often the node is cut off from the servers, one
 * server from the others, each server from each. The exit code is 1 when a promise was broken.
 */
import { parseArgs } from 'node:util';
import { type CutSeries, runCutSeries } from '../test/faults/nats-cut.ts';
import { whyNoNetwork } from '../test/faults/nats-cut-network.ts';
import { printSeries } from '../test/faults/nats-series-print.ts';
import { faultLine, type SeriesResult } from '../test/faults/nats-series-report.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    ones: { type: 'string', default: '6' },
    eaches: { type: 'string', default: '3' },
    cut: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});

const obstacle = whyNoNetwork();
if (obstacle === undefined) process.exitCode = await main();
else {
  console.error(`nats-cut: ${obstacle}`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const rounds: readonly (readonly [CutSeries, string])[] = [
    ['node', values.nodes],
    ['one', values.ones],
    ['each', values.eaches],
  ];
  const results: SeriesResult[] = [];
  for (const [name, count] of rounds) {
    if (Number(count) === 0) continue;
    const result = await runCutSeries(name, {
      rounds: Number(count),
      seed: Number(values.seed),
      cutMs: Number(values.cut) * 1_000,
      calmMs: 5_000,
      onFault: fault => console.log(faultLine(fault)),
    });
    results.push(result);
  }
  return printSeries('nats-cut', results, values.json);
}
