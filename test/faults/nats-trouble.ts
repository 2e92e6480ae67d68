/**
 * Modelled NATS servers in trouble: for a while they die, freeze, are cut off and lag, and requests
 * and answers get lost; then all is well again.
 */
import {
  drawNatsFaults,
  natsFaultKinds,
  scheduleNatsFaults,
} from '../../src/testing/sim-nats-faults.ts';
import { natsReadFaults, natsWriteFaults } from '../../src/testing/sim-nats-switches.ts';
import { inNatsModel, type NatsModel } from '../helpers/nats-model.ts';

/** What happens in trouble, and afterwards. */
export interface Troubled<State> {
  /** Before the trouble begins. */
  readonly prepare: (model: NatsModel) => Promise<State>;
  /** Workers of the time of trouble: each is called again and again. */
  readonly work: (state: State, model: NatsModel) => readonly (() => Promise<void>)[];
  /** When all has been well for a while. */
  readonly judge: (state: State, model: NatsModel) => Promise<void>;
}

const troubleMs = 120_000;
const calmMs = 40_000;
/** Mean time between two faults of servers. */
const gapMs = 9_000;
const requestFaultRate = 0.02;

/** Runs it with three servers. */
export function inNatsTrouble<State>(seed: number, troubled: Troubled<State>): Promise<void> {
  return inNatsModel({ seed, servers: 3 }, async model => {
    const { cluster, clock, random } = model;
    const state = await troubled.prepare(model);
    const endMs = clock.monotonic() + troubleMs;
    const { nowMs } = cluster.scheduler;
    const plan = {
      kinds: natsFaultKinds,
      fromMs: nowMs,
      untilMs: nowMs + troubleMs - 5_000,
      gapMs,
    };
    scheduleNatsFaults(cluster, drawNatsFaults(random.fork('faults'), plan));
    for (const kind of [...natsWriteFaults, ...natsReadFaults]) {
      cluster.switches.rate(kind, requestFaultRate);
    }
    const working = troubled.work(state, model).map(async (step, index) => {
      const luck = random.fork(`worker ${index}`);
      while (clock.monotonic() < endMs) {
        await step();
        await model.sleep(luck.exponential(200));
      }
    });
    await Promise.all(working);
    cluster.healAll();
    await model.sleep(calmMs);
    await troubled.judge(state, model);
  });
}
