/**
 * How many agents a second come to life: new ones in memory, and ones whose state lies on disk?
 * Each agent is called once, 256 calls in flight.
 */
import { createTroupe } from '../src/index.ts';
import { account, accountAgent, fleeting, fleetingAgent } from './agents.ts';
import { answerAsProbe, forEachItem, isQuick, itemsPerSecond, type Sample } from './measure.ts';
import { withFolder } from './workspace.ts';

const agentCount = isQuick ? 20_000 : 100_000;
/** So many others come to life before, until the code is compiled as it stays. */
const warmCount = agentCount / 2;
const inFlight = 256;

async function withoutState(): Promise<Sample> {
  const troupe = createTroupe({ agents: [fleetingAgent] });
  await troupe.start();
  // Another part of the key space warms the code up.
  await forEachItem(warmCount, inFlight, item =>
    troupe.agents.get(fleeting, `warm-${item}`).execute('move', { amount: 1 }),
  );
  const rate = await itemsPerSecond(agentCount, inFlight, item =>
    troupe.agents.get(fleeting, `${item}`).execute('move', { amount: 1 }),
  );
  await troupe.stop();
  return { 'activate-none': rate };
}

async function withState(): Promise<Sample> {
  return withFolder(async data => {
    const writer = createTroupe({ agents: [accountAgent], data });
    await writer.start();
    await forEachItem(agentCount + warmCount, inFlight, item =>
      writer.agents.get(account, `${item}`).execute('move', { amount: item }),
    );
    await writer.stop();

    const troupe = createTroupe({ agents: [accountAgent], data });
    await troupe.start();
    const balance = async (item: number): Promise<void> => {
      const found = await troupe.agents.get(account, `${item}`).execute('balance');
      if (found !== item) throw new Error(`account/${item} holds ${found}`);
    };
    await forEachItem(warmCount, inFlight, item => balance(agentCount + item));
    const rate = await itemsPerSecond(agentCount, inFlight, balance);
    await troupe.stop();
    return { 'activate-state': rate };
  });
}

if (import.meta.main) {
  await answerAsProbe({ 'activate-none': withoutState, 'activate-state': withState });
}
