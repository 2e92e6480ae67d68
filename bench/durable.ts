/**
 * What does a turn cost whose record is flushed to disk before it answers: alone, over 256 agents,
 * with 4 KB of state of which 1 % changes, and with 256 callers on one agent?
 */
import { createTroupe } from '../src/index.ts';
import { account, accountAgent, itemCount, shelf, shelfAgent } from './agents.ts';
import { answerAsProbe, callsPerSecond, latenciesUs, quantile, type Sample } from './measure.ts';
import { withFolder } from './workspace.ts';

const agents = [accountAgent, shelfAgent] as const;

function open(data: string) {
  return createTroupe({ agents, data });
}

type Node = ReturnType<typeof open>;

async function withNode(use: (troupe: Node) => Promise<Sample>): Promise<Sample> {
  return withFolder(async folder => {
    const troupe = open(folder);
    await troupe.start();
    try {
      return await use(troupe);
    } finally {
      await troupe.stop();
    }
  });
}

async function oneInFlight(troupe: Node): Promise<Sample> {
  const alice = troupe.agents.get(account, 'alice');
  const latencies = await latenciesUs(() => alice.execute('move', { amount: 1 }));
  return { 'durable-1': quantile(latencies, 0.5), 'durable-1-p99': quantile(latencies, 0.99) };
}

async function manyAgents(troupe: Node): Promise<Sample> {
  const refs = Array.from({ length: 256 }, (_, key) => troupe.agents.get(account, `${key}`));
  const rate = await callsPerSecond(256, async caller =>
    refs[caller]?.execute('move', { amount: 1 }),
  );
  return { 'durable-256': rate };
}

async function largeStates(troupe: Node): Promise<Sample> {
  const refs = Array.from({ length: 256 }, (_, key) => troupe.agents.get(shelf, `${key}`));
  let next = 0;
  const rate = await callsPerSecond(256, async caller =>
    refs[caller]?.execute('put', { id: next++ % itemCount, amount: 1 }),
  );
  return { 'durable-256-4k': rate };
}

async function oneHotAgent(troupe: Node): Promise<Sample> {
  const alice = troupe.agents.get(account, 'alice');
  const rate = await callsPerSecond(256, () => alice.execute('move', { amount: 1 }));
  return { 'durable-hot': rate };
}

if (import.meta.main) {
  await answerAsProbe({
    'durable-1': () => withNode(oneInFlight),
    'durable-256': () => withNode(manyAgents),
    'durable-256-4k': () => withNode(largeStates),
    'durable-hot': () => withNode(oneHotAgent),
  });
}
