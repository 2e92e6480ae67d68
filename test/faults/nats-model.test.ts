/**
 * The simulator's model of NATS servers is trusted because it answers as real servers do: the same
 * requests, one after the other, to servers of each release and to the model of them.
 */
import { describe, expect, it } from 'vitest';
import { connectNats } from '../../src/engines/nats/connection.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { connectSimNats } from '../../src/testing/sim-nats-client.ts';
import { SimNatsCluster } from '../../src/testing/sim-nats-cluster.ts';
import { natsServers } from '../helpers/nats-servers.ts';
import { openSimMachine } from '../laws/sim-machine.ts';
import { runModelSteps } from './nats-model-run.ts';
import { type ModelStep, modelSteps } from './nats-model-steps.ts';

const kinds = [
  { release: 'newest', count: 1 },
  { release: 'newest', count: 3 },
  { release: '2.9.10', count: 1 },
] as const;

describe.each(kinds)('the model of $count of $release', ({ release, count }) => {
  it('answers as the servers do', { timeout: 60_000 }, async () => {
    const steps = count === 1 ? modelSteps : modelSteps.flatMap(inThree);
    await using servers = await natsServers({ release, count });
    const clock = systemClock();
    await using client = await connectNats({ servers: servers.urls }, { clock });
    const real = await runModelSteps(client, clock, steps);
    const model = await inModel(steps, { version: servers.version, servers: count });
    expect(model).toEqual(real);
  });
});

/** The same steps on streams that are kept three times. */
function inThree(step: ModelStep): ModelStep[] {
  const { subject, body, headers = {} } = step;
  // A server of 2.15.1 that refuses this answers nothing more for the stream, if it has replicas.
  if (headers['Nats-Expected-Last-Msg-Id'] !== undefined) return [];
  const isConfig = /\.STREAM\.(CREATE|UPDATE)\./.test(subject) && typeof body === 'object';
  return [isConfig ? { ...step, body: { num_replicas: 3, ...body } } : step];
}

async function inModel(
  steps: readonly ModelStep[],
  kind: { readonly version: string; readonly servers: 1 | 3 },
): Promise<unknown[]> {
  const machine = openSimMachine();
  const { scheduler, owner, clock, random } = machine;
  const cluster = new SimNatsCluster({ scheduler, random: random.fork('nats'), ...kind });
  const client = await connectSimNats({ cluster, clock, owner });
  const results = await runModelSteps(client, clock, steps);
  await client.close();
  await machine.stop();
  return results;
}
