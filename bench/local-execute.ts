/**
 * How many calls a second does one agent in memory answer, with one caller and with 64? Schema on
 * both sides, copies of input and output, metrics and sampled spans are all on.
 */
import { createTroupe } from '../src/index.ts';
import { fleeting, fleetingAgent } from './agents.ts';
import { answerAsProbe, callsPerSecond, type Sample } from './measure.ts';

async function execute(id: string, callers: number): Promise<Sample> {
  const troupe = createTroupe({ agents: [fleetingAgent] });
  await troupe.start();
  const alice = troupe.agents.get(fleeting, 'alice');
  const rate = await callsPerSecond(callers, () => alice.execute('move', { amount: 1 }));
  await troupe.stop();
  return { [id]: rate };
}

if (import.meta.main) {
  await answerAsProbe({
    'local-execute-1': () => execute('local-execute-1', 1),
    'local-execute-64': () => execute('local-execute-64', 64),
  });
}
