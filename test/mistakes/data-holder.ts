/**
 * A process that starts a node on a data directory, puts 1 into the account of alice, says so, and
 * holds the directory until it is killed; or says what the start ended with.
 */
import { createTroupe, TroupeError } from '../../src/index.ts';
import { account, accountAgent, shutGate } from './accounts.ts';

const troupe = createTroupe({ agents: [accountAgent(shutGate())], data: process.argv[2] });
try {
  await troupe.start();
  await troupe.agents.get(account, 'alice').execute('move', { amount: 1 });
  process.send?.('started');
} catch (error) {
  if (!TroupeError.is(error)) throw error;
  process.send?.(error.toValue(), () => process.disconnect());
}
