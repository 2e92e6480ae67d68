/** When agents are woken: at their time on the wall clock, also when that is set. */
import { expect, it } from 'vitest';
import { memoryLog } from '../../../src/engines/memory/log.ts';
import { WakeSchedule } from '../../../src/lifecycle/wake-schedule.ts';
import { SimClock, SimMachineClock } from '../../../src/testing/sim-clock.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { simBench } from '../../helpers/sim-bench.ts';

const hourMs = 3_600_000;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

it('notices within a minute that the wall clock was set forward', async () => {
  const { scheduler, live } = simBench();
  const machine = new SimMachineClock();
  const { owner } = live();
  const clock = new SimClock({ scheduler, machine, owner, random: new SimRandom('clock') });
  const woken: string[] = [];
  const wakes = new WakeSchedule({
    clock,
    log: memoryLog(),
    logger: silent,
    wake: address => void woken.push(address),
  });
  wakes.set('counter/one', clock.now() + hourMs);

  await scheduler.run({ untilMs: 1_000 });
  machine.jump(hourMs);
  await scheduler.run({ untilMs: 62_000 });

  expect(woken).toEqual(['counter/one']);
  wakes.close();
});
