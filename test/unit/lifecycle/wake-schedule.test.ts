/** When agents are woken: at their time on the wall clock, also when that is set. */
import { expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import { memoryLog } from '../../../src/engines/memory/log.ts';
import { WakeSchedule } from '../../../src/lifecycle/wake-schedule.ts';
import type { Log } from '../../../src/ports/log.ts';
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

it('looks again soon where it could not look, and at once when it is asked to', async () => {
  const { scheduler, live } = simBench();
  const { owner } = live();
  const random = new SimRandom('clock');
  const clock = new SimClock({ scheduler, machine: new SimMachineClock(), owner, random });
  const log = memoryLog();
  const looks: number[] = [];
  let isBroken = true;
  const heads: Log['heads'] = async options => {
    looks.push(scheduler.nowMs);
    if (isBroken) throw new TroupeError('NO_QUORUM', { detail: 'there is no leader' });
    return log.heads(options);
  };
  const wakes = new WakeSchedule({
    clock,
    log: new Proxy(log, { get: (of, name) => (name === 'heads' ? heads : Reflect.get(of, name)) }),
    logger: silent,
    wake: () => undefined,
  });
  await expect(wakes.start()).rejects.toMatchObject({ code: 'NO_QUORUM' });
  await scheduler.run({ untilMs: 3_000 });
  expect(looks).toHaveLength(2);
  isBroken = false;
  await scheduler.run({ untilMs: 10_000 });
  expect(looks).toHaveLength(3);
  wakes.lookAgain();
  await scheduler.run({ untilMs: 39_000 });
  // Each look puts off the next one: there is one at a time.
  expect(looks).toHaveLength(4);
  wakes.close();
  wakes.lookAgain();
  expect(looks).toHaveLength(4);
});
