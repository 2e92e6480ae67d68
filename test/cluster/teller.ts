/**
 * A node of a cluster that works until it is ended, for tests that end it: it moves and reads again
 * and again, and says what came of it. Parameters: what `createTroupe` takes, as JSON.
 */
import { accountAgent } from '../../examples/account/account.agent.ts';
import { ledgerAgent } from '../../examples/account/ledger.agent.ts';
import { TroupeError, type TroupeOptions } from '../../src/index.ts';
import { clusterNode } from '../helpers/cluster-node.ts';

const given = JSON.parse(process.argv[2] ?? '{}') as Pick<TroupeOptions<[]>, 'cluster' | 'data'>;
const troupe = clusterNode({ agents: [accountAgent, ledgerAgent], ...given });
await troupe.start();
const alice = troupe.agents.get('account/alice');
process.stdout.write(`ready ${process.pid}\n`);

async function told(what: string, act: () => Promise<number>): Promise<boolean> {
  try {
    process.stdout.write(`${what} ${await act()}\n`);
    return true;
  } catch (error) {
    const { code, outcome } = TroupeError.is(error) ? error : { code: 'NONE', outcome: 'none' };
    process.stdout.write(`${what} ${code} ${outcome}\n`);
    return code !== 'ENGINE_FAILED';
  }
}

let isServing = true;
while (isServing) {
  isServing = await told('read', () => alice.execute('balance', undefined, { timeout: '5s' }));
  if (isServing) await told('moved', () => alice.execute('move', { amount: 1 }, { timeout: '5s' }));
}
process.stdout.write('over\n');
await troupe.stop({ drain: 0 });
