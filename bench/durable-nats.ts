/**
 * What does a turn cost whose record is kept by NATS servers before it answers: alone with one
 * replica and with three, over 256 agents of eight callers each, and with 256 callers on one agent?
 */
import { randomUUID } from 'node:crypto';
import { createTroupe } from '../src/index.ts';
import { account, accountAgent } from './agents.ts';
import { answerAsProbe, callsPerSecond, latenciesUs, quantile, type Sample } from './measure.ts';
import { clusterName, type ServerCount, withServers } from './nats-servers.ts';

const agentCount = 256;
const callersEach = 8;

function open(servers: readonly string[]) {
  const cluster = { servers, name: clusterName };
  return createTroupe({ agents: [accountAgent], cluster, name: 'durable' });
}

type Node = ReturnType<typeof open>;

async function withNode(
  servers: ServerCount,
  use: (troupe: Node) => Promise<Sample>,
): Promise<Sample> {
  return withServers(servers, async urls => {
    const troupe = open(urls);
    await troupe.start();
    try {
      return await use(troupe);
    } finally {
      await troupe.stop();
    }
  });
}

/** Each process has agents of its own. */
const run = randomUUID().slice(0, 8);

async function oneInFlight(servers: ServerCount): Promise<Sample> {
  return withNode(servers, async troupe => {
    // By turns, since the stream of one may have its leader nearer than that of another.
    const refs = Array.from({ length: 16 }, (_, key) =>
      troupe.agents.get(account, `${key}-${run}`),
    );
    let next = 0;
    const latencies = await latenciesUs(async () =>
      refs[next++ % refs.length]?.execute('move', { amount: 1 }),
    );
    const id = `durable-r${servers}-1`;
    return { [id]: quantile(latencies, 0.5), [`${id}-p99`]: quantile(latencies, 0.99) };
  });
}

async function manyAgents(troupe: Node): Promise<Sample> {
  const refs = Array.from({ length: agentCount }, (_, key) =>
    troupe.agents.get(account, `${key}-${run}`),
  );
  const rate = await callsPerSecond(agentCount * callersEach, async caller =>
    refs[caller % agentCount]?.execute('move', { amount: 1 }),
  );
  return { 'durable-r3-256': rate };
}

async function oneHotAgent(troupe: Node): Promise<Sample> {
  const alice = troupe.agents.get(account, `hot-${run}`);
  const rate = await callsPerSecond(256, () => alice.execute('move', { amount: 1 }));
  return { 'durable-r3-hot': rate };
}

if (import.meta.main) {
  await answerAsProbe({
    'durable-r1-1': () => oneInFlight(1),
    'durable-r3-1': () => oneInFlight(3),
    'durable-r3-256': () => withNode(3, manyAgents),
    'durable-r3-hot': () => withNode(3, oneHotAgent),
  });
}
