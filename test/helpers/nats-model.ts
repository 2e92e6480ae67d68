/** Runs something in a world of its own with modelled NATS servers, from a seed. */
import type { NatsClient } from '../../src/engines/nats/client.ts';
import { SimClock, SimMachineClock } from '../../src/testing/sim-clock.ts';
import type { SimOwner } from '../../src/testing/sim-event-heap.ts';
import { connectSimNats } from '../../src/testing/sim-nats-client.ts';
import { SimNatsCluster, type SimNatsClusterOptions } from '../../src/testing/sim-nats-cluster.ts';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { SimScheduler } from '../../src/testing/sim-scheduler.ts';
import { SimTrace } from '../../src/testing/sim-trace.ts';

/** A world with servers. */
export interface NatsModel {
  readonly cluster: SimNatsCluster;
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly trace: SimTrace;
  connect(): Promise<NatsClient>;
  sleep(ms: number): Promise<void>;
}

/** Which servers, and which seed. */
export interface NatsModelOptions extends Omit<SimNatsClusterOptions, 'scheduler' | 'random'> {
  readonly seed: number;
}

const hoursMax = 24;

/** Runs it; virtual time passes as fast as it can, for a day at most. */
export async function inNatsModel<Result>(
  { seed, ...options }: NatsModelOptions,
  task: (model: NatsModel) => Promise<Result>,
): Promise<Result> {
  const random = new SimRandom(`nats-model/${seed}`);
  const trace = new SimTrace();
  const scheduler = new SimScheduler({ random: random.fork('schedule'), trace });
  const owner: SimOwner = { label: 'test', isAlive: true, isPaused: false, held: [] };
  const cluster = new SimNatsCluster({ ...options, scheduler, random: random.fork('nats') });
  const machine = new SimMachineClock();
  const clock = new SimClock({ scheduler, machine, owner, random: random.fork('clock') });
  const model: NatsModel = {
    cluster,
    clock,
    random: random.fork('task'),
    trace,
    connect: () => connectSimNats({ cluster, clock, owner }),
    sleep: ms => scheduler.sleep(ms, owner),
  };
  let outcome: { result: Result } | { error: unknown } | undefined;
  const begin = () =>
    void task(model).then(
      result => {
        outcome = { result };
      },
      (error: unknown) => {
        outcome = { error };
      },
    );
  scheduler.schedule({ delayMs: 0, kind: 'task', owner, task: begin });
  await scheduler.run({ untilMs: hoursMax * 3_600_000, isDone: () => outcome !== undefined });
  if (outcome === undefined) throw new Error('it did not end within a day');
  if ('error' in outcome) throw outcome.error;
  return outcome.result;
}
