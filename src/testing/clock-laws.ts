/** The laws of the Clock port. They hold on a real clock and on one that a simulator moves. */
import type { Clock } from '../ports/clock.ts';
import { Collected, must, mustEqual, pass } from './law-checks.ts';
import type { Law } from './laws.ts';
import { SimRandom } from './sim-random.ts';

/** A clock to check. */
export interface ClockSubject {
  readonly clock: Clock;
}

const timeLaws: readonly Law<ClockSubject>[] = [
  {
    name: 'tells a time of this century in whole milliseconds',
    async run({ clock }) {
      const now = clock.now();
      must(Number.isSafeInteger(now), 'the time is a whole number');
      must(now > 946_684_800_000 && now < 4_102_444_800_000, 'it lies between 2000 and 2100');
    },
  },
  {
    name: 'never goes back on the monotonic clock',
    async run({ clock }) {
      let last = clock.monotonic();
      for (let round = 0; round < 2_000; round++) {
        const time = clock.monotonic();
        must(Number.isFinite(time) && time >= last, 'a later reading is no smaller');
        last = time;
        if (round % 500 === 0) await pass(clock, 1);
      }
    },
  },
  {
    name: 'goes on with both clocks while a timer waits',
    async run({ clock }) {
      const start = readBoth(clock);
      await pass(clock, 40);
      const end = readBoth(clock);
      must(end.before - start.after >= 40, 'the monotonic clock went on');
      // Whoever reads may be held up between two readings, hence the brackets.
      const wallMs = end.wall - start.wall;
      must(wallMs >= end.before - start.after - 2, 'the wall clock went on as far');
      must(wallMs <= end.after - start.before + 2, 'the wall clock went on no further');
    },
  },
];

interface BothClocks {
  readonly before: number;
  readonly wall: number;
  readonly after: number;
}

/** The wall clock, between two readings of the monotonic one. */
function readBoth(clock: Clock): BothClocks {
  return { before: clock.monotonic(), wall: clock.now(), after: clock.monotonic() };
}

const timerLaws: readonly Law<ClockSubject>[] = [
  {
    name: 'runs a timer once, and never early',
    async run({ clock }) {
      for (const delayMs of [0, 0.5, 1, 1.7, 5, 5.3, 20]) {
        const dueAt = clock.monotonic() + delayMs;
        const runs = new Collected<number>(clock);
        clock.setTimer(delayMs, () => runs.add(clock.monotonic()));
        const [ranAt = 0] = await runs.count(1);
        must(ranAt >= dueAt, `a timer of ${delayMs} ms is not early`);
        await pass(clock, 5);
        mustEqual(runs.items.length, 1, 'how often it ran');
      }
    },
  },
  {
    name: 'takes a delay below zero for none',
    async run({ clock }) {
      const runs = new Collected<number>(clock);
      clock.setTimer(-1_000, () => runs.add(1));
      await runs.count(1);
    },
  },
  {
    name: 'never runs a timer inside the call that sets it',
    async run({ clock }) {
      const runs = new Collected<boolean>(clock);
      let isSetting = true;
      clock.setTimer(0, () => runs.add(isSetting));
      clock.setTimer(-5, () => runs.add(isSetting));
      clock.defer(() => runs.add(isSetting));
      isSetting = false;
      mustEqual([...(await runs.count(3))], [false, false, false], 'whether it ran inside');
    },
  },
  {
    name: 'never runs a timer that was taken back, and takes back one that ran without harm',
    async run({ clock }) {
      const runs = new Collected<string>(clock);
      const taken = clock.setTimer(5, () => runs.add('taken back'));
      const kept = clock.setTimer(10, () => runs.add('kept'));
      const inside = clock.setTimer(20, () => runs.add('taken back inside another'));
      clock.setTimer(10, () => inside.cancel());
      taken.cancel();
      taken.cancel();
      await runs.count(1);
      await pass(clock, 30);
      kept.cancel();
      mustEqual(runs.items, ['kept'], 'what ran');
    },
  },
  {
    name: 'holds delays longer than the timers of the machine can',
    async run({ clock }) {
      const runs = new Collected<string>(clock);
      const delays = [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, 1e12, Number.POSITIVE_INFINITY];
      const timers = delays.map(delayMs => clock.setTimer(delayMs, () => runs.add(`${delayMs}`)));
      await pass(clock, 30);
      for (const timer of timers) timer.cancel();
      mustEqual(runs.items, [], 'what ran');
    },
  },
  {
    name: 'runs random timers in the order in which they are due, without those taken back',
    async run({ clock }) {
      const random = new SimRandom('clock-model/1');
      const runs = new Collected<number>(clock);
      // Ten milliseconds apart, so that no clock can take one for the other.
      const delays = random.shuffle(Array.from({ length: 15 }, (_, index) => 10 + index * 10));
      const timers = delays.map(delayMs => clock.setTimer(delayMs, () => runs.add(delayMs)));
      const taken = new Set(random.shuffle(delays).slice(0, 5));
      for (const [index, delayMs] of delays.entries()) {
        if (taken.has(delayMs)) timers[index]?.cancel();
      }
      await runs.count(10);
      await pass(clock, 160);
      const expected = delays.filter(delayMs => !taken.has(delayMs));
      mustEqual(
        runs.items,
        expected.toSorted((left, right) => left - right),
        'the order',
      );
    },
  },
];

const deferLaws: readonly Law<ClockSubject>[] = [
  {
    name: 'runs deferred tasks after the promises that are ready',
    async run({ clock }) {
      const runs = new Collected<string>(clock);
      clock.defer(() => runs.add('deferred'));
      const chain = async () => {
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        runs.add('promises');
      };
      await Promise.all([chain(), runs.count(2)]);
      mustEqual(runs.items, ['promises', 'deferred'], 'the order');
    },
  },
  {
    name: 'runs deferred tasks once each, in their order',
    async run({ clock }) {
      const runs = new Collected<number>(clock);
      const expected = Array.from({ length: 100 }, (_, index) => index);
      for (const index of expected) clock.defer(() => runs.add(index));
      await runs.count(100);
      await pass(clock, 1);
      mustEqual(runs.items, expected, 'the order');
    },
  },
  {
    name: 'runs a task that is deferred inside a deferred one later',
    async run({ clock }) {
      const runs = new Collected<string>(clock);
      clock.defer(() => {
        clock.defer(() => runs.add('inner'));
        runs.add('outer');
      });
      clock.defer(() => runs.add('second'));
      await runs.count(3);
      mustEqual(runs.items, ['outer', 'second', 'inner'], 'the order');
    },
  },
];

/** What every engine keeps that offers a clock. */
export const clockLaws: readonly Law<ClockSubject>[] = [...timeLaws, ...timerLaws, ...deferLaws];
