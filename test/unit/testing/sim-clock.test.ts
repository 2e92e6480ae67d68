/** Simulated clocks: drift, jumps, timers that are never early, and lives that end. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimClock, SimMachineClock, simEpochMs } from '../../../src/testing/sim-clock.ts';
import type { SimOwner } from '../../../src/testing/sim-event-heap.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { SimScheduler } from '../../../src/testing/sim-scheduler.ts';
import { SimTrace } from '../../../src/testing/sim-trace.ts';

function make(options: { driftPpm?: number; wallOffsetMs?: number; seed?: string } = {}) {
  const random = new SimRandom(options.seed ?? 'clock');
  const scheduler = new SimScheduler({ random, trace: new SimTrace() });
  const owner: SimOwner = { label: 'node#1', isAlive: true, isPaused: false, held: [] };
  const machine = new SimMachineClock(options);
  return { scheduler, owner, machine, clock: new SimClock({ scheduler, machine, owner, random }) };
}

describe('SimClock', () => {
  it('begins in 2030 and follows virtual time', async () => {
    const { scheduler, clock } = make();
    expect(simEpochMs).toBe(Date.UTC(2030, 0, 1));
    expect(clock.now()).toBe(simEpochMs);
    const zero = clock.monotonic();
    await scheduler.run({ untilMs: 3_600_000 });
    expect(clock.now()).toBe(simEpochMs + 3_600_000);
    expect(clock.monotonic() - zero).toBeCloseTo(3_600_000, 6);
  });

  it('drifts by parts of a million, both clocks alike', async () => {
    const { scheduler, clock } = make({ driftPpm: 200, wallOffsetMs: -5_000 });
    const zero = clock.monotonic();
    await scheduler.run({ untilMs: 1_000_000 });
    expect(clock.monotonic() - zero).toBeCloseTo(1_000_200, 3);
    expect(clock.now()).toBe(simEpochMs + 1_000_200 - 5_000);
  });

  it('lets the wall clock jump without touching the monotonic one', () => {
    const { machine, clock } = make();
    const before = clock.monotonic();
    machine.jump(-3_600_000);
    expect(clock.now()).toBe(simEpochMs - 3_600_000);
    expect(clock.monotonic()).toBe(before);
  });

  it('never runs a timer early, at any drift', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -500, max: 500 }),
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        async (driftPpm, delayMs) => {
          const { scheduler, clock } = make({ driftPpm });
          const dueMs = clock.monotonic() + delayMs;
          let firedMs = -1;
          clock.setTimer(delayMs, () => {
            firedMs = clock.monotonic();
          });
          await scheduler.run({ untilMs: 2e7 });
          expect(firedMs).toBeGreaterThanOrEqual(dueMs);
          expect(firedMs).toBeLessThan(dueMs + 2);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('cancels timers and never runs one of infinite delay', async () => {
    const { scheduler, clock } = make();
    const seen: string[] = [];
    const timer = clock.setTimer(5, () => void seen.push('cancelled'));
    clock.setTimer(Number.POSITIVE_INFINITY, () => void seen.push('infinite')).cancel();
    clock.setTimer(-1, () => void seen.push('negative'));
    timer.cancel();
    await scheduler.run({ untilMs: 100 });
    timer.cancel();
    expect(seen).toEqual(['negative']);
    expect(() => clock.setTimer(Number.NaN, () => undefined)).toThrow('INVARIANT_BROKEN');
  });

  it('defers in the order of asking', async () => {
    const { scheduler, clock } = make();
    const seen: number[] = [];
    for (let number = 0; number < 20; number++) clock.defer(() => void seen.push(number));
    expect(seen).toEqual([]);
    await scheduler.run({ untilMs: 0 });
    expect(seen).toEqual(Array.from({ length: 20 }, (_, number) => number));
  });

  it('runs nothing of a life that ended, not even what it asks for afterwards', async () => {
    const { scheduler, owner, clock } = make();
    const seen: string[] = [];
    clock.setTimer(1, () => void seen.push('timer'));
    clock.defer(() => void seen.push('defer'));
    owner.isAlive = false;
    clock.setTimer(1, () => void seen.push('late timer')).cancel();
    clock.defer(() => void seen.push('late defer'));
    await scheduler.run({ untilMs: 100 });
    expect(seen).toEqual([]);
  });

  it('holds timers of a paused life and runs them when it resumes', async () => {
    const { scheduler, owner, clock } = make();
    const seen: string[] = [];
    clock.setTimer(20, () => void seen.push('later'));
    clock.setTimer(10, () => void seen.push('sooner'));
    owner.isPaused = true;
    await scheduler.run({ untilMs: 1_000 });
    expect(seen).toEqual([]);
    owner.isPaused = false;
    scheduler.release(owner);
    await scheduler.run({ untilMs: 1_000 });
    expect(seen).toEqual(['sooner', 'later']);
  });
});
