/** Faults as data: swarms, pairs of troubles on one machine, and what each kind does to a world. */
import { describe, expect, it } from 'vitest';
import {
  applyFault,
  drawFaults,
  drawSwarm,
  heal,
  type SimFault,
  type SimFaultKind,
  scheduleFaults,
  simFaultKinds,
} from '../../../src/testing/sim-faults.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';

const hourMs = 3_600_000;
const plan = {
  kinds: simFaultKinds,
  targets: ['a', 'b', 'c'],
  fromMs: 1_000,
  untilMs: hourMs,
  gapMs: 10_000,
};

async function inWorld(run: (world: SimWorld) => Promise<void>) {
  const world = new SimWorld({ seed: 3 });
  const stop = async () => undefined;
  world.addProcess({
    name: 'a',
    boot: async ({ disk }) => {
      const file = await disk.open('data', 'create');
      await file.write(0, new Uint8Array(64));
      await file.flush();
      return { stop };
    },
  });
  world.processes[0]?.start();
  await world.run({ untilMs: 100 });
  try {
    await run(world);
  } finally {
    world.close();
  }
}

const fault = (kind: SimFaultKind): SimFault => ({
  atMs: 0,
  kind,
  target: 'a',
  durationMs: 50,
  severity: 1,
});

describe('drawSwarm', () => {
  it('leaves each kind out of three in ten seeds', () => {
    const random = new SimRandom('swarm');
    let kept = 0;
    for (let seed = 0; seed < 1_000; seed++) kept += drawSwarm(random, simFaultKinds).length;
    const share = kept / 1_000 / simFaultKinds.length;
    expect(share).toBeGreaterThan(0.68);
    expect(share).toBeLessThan(0.72);
  });
});

describe('drawFaults', () => {
  const faults = drawFaults(new SimRandom('faults'), plan);

  it('draws the same faults from the same seed, in order of time, within the plan', () => {
    expect(drawFaults(new SimRandom('faults'), plan)).toEqual(faults);
    expect(faults.length).toBeGreaterThan(400);
    for (const [place, each] of faults.entries()) {
      expect(each.atMs).toBeGreaterThanOrEqual(faults[place - 1]?.atMs ?? plan.fromMs);
      expect(plan.targets).toContain(each.target);
      expect(each.durationMs).toBeGreaterThanOrEqual(20);
      expect(each.severity).toBeLessThan(1);
    }
    expect(new Set(faults.map(each => each.kind)).size).toBe(simFaultKinds.length);
  });

  it('follows half of them by another on the same machine within 0.6 to 1.5 s', () => {
    const followed = faults.filter(first =>
      faults.some(({ atMs, target }) => {
        const gapMs = atMs - first.atMs;
        return target === first.target && gapMs >= 600 && gapMs <= 1_500;
      }),
    );
    // A third of all are second ones, which are followed only by chance.
    expect(followed.length / faults.length).toBeGreaterThan(0.28);
    expect(followed.length / faults.length).toBeLessThan(0.5);
  });

  it('draws nothing when there is nothing to draw from', () => {
    expect(drawFaults(new SimRandom('x'), { ...plan, kinds: [] })).toEqual([]);
    expect(drawFaults(new SimRandom('x'), { ...plan, targets: [] })).toEqual([]);
  });
});

describe('applyFault', () => {
  for (const kind of ['kill', 'power-loss'] as const) {
    it(`${kind}: the process dies and comes back`, () =>
      inWorld(async world => {
        applyFault(world, fault(kind));
        expect(world.processes[0]?.isAlive).toBe(false);
        applyFault(world, fault(kind));
        expect(world.faultCounts.get(kind)).toBe(1);
        await world.run({ untilMs: 10_000 });
        expect(world.processes[0]?.incarnation).toBe(2);
      }));
  }

  it('pause, slow disk and full disk last as long as they were drawn', () =>
    inWorld(async world => {
      const [process] = world.processes;
      const state = () => [process?.isPaused, process?.device.slowness, process?.device.isFull];
      for (const kind of ['pause', 'slow-disk', 'disk-full'] as const)
        applyFault(world, fault(kind));
      expect(state()).toEqual([true, 1_000, true]);
      await world.run({ untilMs: world.nowMs + 51 });
      expect(state()).toEqual([false, 1, false]);
      expect([...world.faultCounts.keys()]).toEqual(['pause', 'slow-disk']);
    }));

  it('arms the device, jumps the clock, flips a bit', () =>
    inWorld(async world => {
      const [process] = world.processes;
      for (const kind of ['failed-flush', 'failed-write', 'failed-read'] as const) {
        applyFault(world, fault(kind));
      }
      for (const kind of ['misdirected-write', 'clock-jump', 'bit-flip'] as const) {
        applyFault(world, fault(kind));
      }
      expect(process?.device.failNext).toEqual({ write: 1, flush: 1, read: 1 });
      expect(process?.device.misdirectNext).toBe(1);
      expect(process?.device.damage).toHaveLength(1);
      expect(process?.machineClock.wallOffsetMs).toBe(hourMs);
      heal(world);
      expect(process?.device.failNext).toEqual({ write: 0, flush: 0, read: 0 });
      expect(process?.device.misdirectNext).toBe(0);
    }));

  it('meets nobody: not counted', () =>
    inWorld(async world => {
      applyFault(world, { ...fault('kill'), target: 'nobody' });
      expect(world.faultCounts.size).toBe(0);
    }));

  it('happens at its time; healing ends what lasts and starts what is down', () =>
    inWorld(async world => {
      world.faultPoints.crashProbability = 1;
      const lasting = { ...fault('pause'), durationMs: hourMs };
      scheduleFaults(world, [
        { ...lasting, atMs: 500 },
        { ...fault('slow-disk'), atMs: 400 },
      ]);
      await world.run({ untilMs: 399 });
      expect(world.faultCounts.size).toBe(0);
      await world.run({ untilMs: 600 });
      expect(world.processes[0]?.isPaused).toBe(true);
      heal(world);
      expect(world.processes[0]?.isPaused).toBe(false);
      expect(world.faultPoints.crashProbability).toBe(0);
      world.processes[0]?.crash('kill');
      heal(world);
      await world.run({ untilMs: 700 });
      expect(world.processes[0]?.isAlive).toBe(true);
    }));
});
