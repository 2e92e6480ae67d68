/**
 * How many agents a second come to life whose logs are on three NATS servers: a snapshot and 20
 * turns each, a message for each of them, never seen by the node before? Each is read once. And how
 * long does one take while four are under way?
 */
import { randomUUID } from 'node:crypto';
import { createTroupe } from '../src/index.ts';
import { account, accountAgent } from './agents.ts';
import { fillLogs } from './fill-logs.ts';
import { logTemplate } from './log-template.ts';
import {
  answerAsProbe,
  forEachItem,
  isQuick,
  itemsPerSecond,
  quantile,
  type Sample,
} from './measure.ts';
import { clusterName, withServers } from './nats-servers.ts';

const agentCount = isQuick ? 500 : 3_000;
/** So many others come to life before, until the code is compiled as it stays. */
const warmCount = isQuick ? 200 : 1_000;
const singleCount = isQuick ? 200 : 500;
const inFlight = 256;
const fewInFlight = 4;
const recordCount = 21;
/** A snapshot comes behind 500 records. */
const turnCount = 525;

async function activate(): Promise<Sample> {
  return withServers(3, async urls => {
    const run = randomUUID().slice(0, 8);
    const key = (item: number) => `${item}-${run}`;
    const template = await logTemplate({
      urls,
      servers: 3,
      key: `template-${run}`,
      turnCount,
      recordCount,
    });
    if (template.records[0]?.isSnapshot !== true) throw new Error('the template has no snapshot');
    await fillLogs({
      urls,
      count: agentCount + warmCount + singleCount,
      nameOf: item => `account/${key(item)}`,
      messages: template.records.map(record => [record]),
    });

    const cluster = { servers: urls, name: clusterName };
    const troupe = createTroupe({ agents: [accountAgent], cluster, name: 'activate' });
    await troupe.start();
    const balance = async (item: number): Promise<void> => {
      const found = await troupe.agents.get(account, key(item)).execute('balance');
      if (found !== template.balance) throw new Error(`account/${key(item)} holds ${found}`);
    };
    await forEachItem(warmCount, inFlight, item => balance(agentCount + singleCount + item));
    const latencies: number[] = [];
    const rateOfFew = await itemsPerSecond(singleCount, fewInFlight, async item => {
      const startedAt = performance.now();
      await balance(agentCount + item);
      latencies.push(performance.now() - startedAt);
    });
    const rate = await itemsPerSecond(agentCount, inFlight, balance);
    await troupe.stop();
    return {
      'activate-r3': rate,
      'activate-r3-p50': quantile(
        latencies.toSorted((a, b) => a - b),
        0.5,
      ),
      'activate-r3-of-four': rateOfFew,
    };
  });
}

if (import.meta.main) {
  await answerAsProbe({ 'activate-r3': activate });
}
