/**
 * The simulator's model of NATS servers is trusted because it answers as real servers do: the same
 * requests, one after the other, to a server of each release and to the model of it.
 */
import { describe, expect, it } from 'vitest';
import { connectNats } from '../../src/engines/nats/connection.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { connectSimNats } from '../../src/testing/sim-nats-client.ts';
import { SimNatsCluster } from '../../src/testing/sim-nats-cluster.ts';
import { natsServers } from '../helpers/nats-servers.ts';
import { openSimMachine } from '../laws/sim-machine.ts';
import { runModelSteps } from './nats-model-run.ts';
import { modelSteps } from './nats-model-steps.ts';

describe.each(['newest', '2.9.10'] as const)('the model of %s', release => {
  it('answers as the server does', { timeout: 60_000 }, async () => {
    await using servers = await natsServers({ release });
    const clock = systemClock();
    await using client = await connectNats({ servers: servers.urls }, { clock });
    const real = await runModelSteps(client, clock, modelSteps);
    const model = await inModel(servers.version);
    expect(model).toEqual(real);
  });
});

async function inModel(version: string): Promise<unknown[]> {
  const machine = openSimMachine();
  const { scheduler, owner, clock, random } = machine;
  const cluster = new SimNatsCluster({ scheduler, random: random.fork('nats'), version });
  const client = await connectSimNats({ cluster, clock, owner });
  const results = await runModelSteps(client, clock, modelSteps);
  await client.close();
  await machine.stop();
  return results;
}
