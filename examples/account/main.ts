/**
 * An account takes an amount in and pays it out, which a person has to approve. `node
 * examples/account/main.ts [AMOUNT] [--order NAME] [--data DIR] [--cluster URL]`. Killed at any
 * moment and started again, it goes on where it was; the same order is never paid out twice.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTroupe } from '../../src/index.ts';
import { accountAgent } from './account.agent.ts';
import { ledgerAgent } from './ledger.agent.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    order: { type: 'string', default: 'order-1' },
    cluster: { type: 'string' },
    data: {
      type: 'string',
      default: fileURLToPath(new URL('../../data/account', import.meta.url)),
    },
  },
});
const amount = Number(positionals[0] ?? 10);
const { order, data, cluster } = values;

// With the admin API, the approval can be given from another terminal.
const troupe = createTroupe({ agents: [accountAgent, ledgerAgent], data, cluster, admin: true });
await troupe.start();
const alice = troupe.agents.get('account/alice');

const balance = await alice.execute('move', { amount }, { idempotencyKey: `${order} in` });
console.log(`balance: ${balance}`);
console.log(
  `approve with: troupe agents signal account/alice approve '{"by":"me"}' --data ${data}`,
);

const run = alice.stream('payOut', { amount }, { idempotencyKey: `${order} out` });
for await (const chunk of run) console.log(chunk);
console.log(await run.result);
console.log(`balance: ${await alice.execute('balance')}`);

await troupe.stop({ drain: '10s' });
