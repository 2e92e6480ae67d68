/**
 * How much memory does an idle agent hold that is resident and remembers one message? Everything
 * counts: resident set of the process, engine and indexes included, after a collection.
 */
import { createTroupe } from '../src/index.ts';
import { account, accountAgent } from './agents.ts';
import { answerAsProbe, forEachItem, isQuick, residentBytes, type Sample } from './measure.ts';
import { withFolder } from './workspace.ts';

const agentCount = isQuick ? 20_000 : 100_000;
const inFlight = 256;

async function idleBytes(): Promise<Sample> {
  return withFolder(async data => {
    const troupe = createTroupe({
      agents: [accountAgent],
      data,
      limits: { residentMax: 2 * agentCount, memoryBytesMax: 8 * 2 ** 30 },
    });
    await troupe.start();
    const callOnce = (key: string) =>
      troupe.agents.get(account, key).execute('move', { amount: 1 });
    // Code, buffers, caches and V8's young generation grow before the first reading, by as many
    // calls as are measured then: they are not the agents'.
    for (let round = 0; round < 10; round += 1)
      await forEachItem(agentCount / 10, inFlight, item => callOnce(`warm-${item}`));
    const before = await residentBytes();
    await forEachItem(agentCount, inFlight, item => callOnce(`${item}`));
    const after = await residentBytes();
    await troupe.stop();
    return { 'idle-bytes': (after - before) / agentCount };
  });
}

if (import.meta.main) {
  await answerAsProbe({ 'idle-bytes': idleBytes });
}
