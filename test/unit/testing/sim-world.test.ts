/** Worlds and processes: lives, crashes, pauses, fault points, calls from outside, and counting. */
import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import type { SimPorts, SimProcess } from '../../../src/testing/sim-process.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';
import { echo, inWorld, outcome } from '../../helpers/echo-world.ts';

describe('a simulated process', () => {
  it('starts, answers calls, and stops', () =>
    inWorld(async world => {
      const node = world.addProcess({ name: 'node', boot: echo });
      expect(
        await outcome(
          world,
          node.call('echo', each => each.echo('a')),
        ),
      ).toBe('NODE_UNREACHABLE not-executed');
      node.start();
      node.start();
      await world.run({ untilMs: 1_000 });
      expect([node.isAlive, node.incarnation]).toEqual([true, 1]);
      expect(
        await outcome(
          world,
          node.call('echo', each => each.echo('a')),
        ),
      ).toBe('a from node#1');
      await outcome(world, node.stop());
      expect([node.isAlive, node.program]).toEqual([false, undefined]);
    }));

  it('passes on what the program throws', () =>
    inWorld(async world => {
      const node = world.addProcess({ name: 'node', boot: echo });
      node.start();
      await world.run({ untilMs: 10 });
      const thrown = node.call('fail', async () => {
        throw new TroupeError('REJECTED', { detail: 'no' });
      });
      expect(await outcome(world, thrown)).toBe('REJECTED rolled-back');
    }));

  it('loses its calls in a crash, and answers as a new life after it', () =>
    inWorld(async world => {
      const node = world.addProcess({ name: 'node', boot: echo });
      node.start();
      await world.run({ untilMs: 10 });
      const call = node.call('echo', each => each.echo('a'));
      await world.run({ untilMs: 15 });
      const zombie = node.program?.ports;
      world.crash(node, 'kill');
      expect(node.isAlive).toBe(false);
      expect(await outcome(world, call)).toBe('NODE_UNREACHABLE unknown');
      await world.run({ untilMs: 10_000 });
      expect(
        await outcome(
          world,
          node.call('echo', each => each.echo('b')),
        ),
      ).toBe('b from node#2');
      expect(world.crashRestarts).toBe(1);
      expect(world.faultCounts.get('kill')).toBe(1);
      expect(zombie).toBeDefined();
      const late: string[] = [];
      zombie?.clock.defer(() => void late.push('ran'));
      expect(await outcome(world, zombie?.disk.exists('x') ?? Promise.resolve())).toBe('open');
      expect(late).toEqual([]);
    }));

  it('does not deliver an answer that was given in the instant of the crash', () =>
    inWorld(async world => {
      const node = world.addProcess({ name: 'node', boot: echo });
      node.start();
      await world.run({ untilMs: 10 });
      const call = node.call('echo', async () => {
        world.crash(node, 'kill');
        return 'from the grave';
      });
      expect(await outcome(world, call)).toBe('NODE_UNREACHABLE unknown');
    }));

  it('holds everything while it is paused', () =>
    inWorld(async world => {
      const node = world.addProcess({ name: 'node', boot: echo });
      node.start();
      await world.run({ untilMs: 10 });
      const call = node.call('echo', each => each.echo('a'));
      node.pause();
      expect(node.isPaused).toBe(true);
      expect(await outcome(world, call, 5_000)).toBe('open');
      node.resume();
      node.resume();
      expect(await outcome(world, call)).toBe('a from node#1');
    }));

  it('has clocks, randomness and a disk of its own', () =>
    inWorld(async world => {
      const [a, b] = [
        world.addProcess({ name: 'a', boot: echo, clock: { driftPpm: 200 } }),
        world.addProcess({ name: 'b', boot: echo, clock: { wallOffsetMs: 1_000 } }),
      ];
      a.start();
      b.start();
      await world.run({ untilMs: 3_600_000 });
      const [left, right] = [a.program?.ports, b.program?.ports];
      expect((left?.clock.now() ?? 0) - (right?.clock.now() ?? 0)).toBe(720 - 1_000);
      expect(left?.random.hex(8)).not.toBe(right?.random.hex(8));
      expect(a.device).not.toBe(b.device);
    }));

  it('tells about a boot that failed, and tries again', () =>
    inWorld(async world => {
      let boots = 0;
      const node = world.addProcess({
        name: 'node',
        boot: async ports => {
          if (++boots < 3) throw new TroupeError('DATA_LOCKED', { detail: 'held' });
          return echo(ports);
        },
      });
      node.start();
      await world.run({ untilMs: 10_000 });
      expect(node.incarnation).toBe(3);
      expect(world.violations.map(each => each.check)).toEqual(['boot', 'boot']);
      expect(world.violations[0]?.message).toContain('node#1 did not start: DATA_LOCKED');
    }));

  it('reports what is thrown from an event, and crashes for it as a real process does', () =>
    inWorld(async world => {
      const node = world.addProcess({
        name: 'node',
        boot: async ports => {
          if (ports.incarnation === 1) {
            ports.clock.setTimer(5, () => {
              throw new Error('from a timer');
            });
          }
          return echo(ports);
        },
      });
      node.start();
      await world.run({ untilMs: 10_000 });
      expect(world.violations).toHaveLength(1);
      expect(world.violations[0]?.message).toContain('node#1 threw from an event: from a timer');
      expect(node.incarnation).toBe(2);
    }));

  it('reports a promise that nobody handles, unless a crash cut its handler off', () =>
    inWorld(async world => {
      // The test runner listens too, and would fail the run for what is meant to happen here.
      const listeners = process.listeners('unhandledRejection').slice(0, -1);
      for (const each of listeners) process.off('unhandledRejection', each);
      try {
        const node = world.addProcess({
          name: 'node',
          boot: async ports => {
            ports.clock.setTimer(5, () => void Promise.reject(new Error('forgotten')));
            return echo(ports);
          },
        });
        node.start();
        await world.run({ untilMs: 50 });
        expect(world.violations.map(each => each.message)).toEqual([
          expect.stringContaining('forgotten'),
        ]);
        world.scheduler.schedule({
          delayMs: 5,
          kind: 'crash',
          task: () => {
            void Promise.reject(new Error('cut off'));
            world.crash(node, 'kill');
          },
        });
        await world.run({ untilMs: 56 });
        expect(world.violations).toHaveLength(1);
      } finally {
        for (const each of listeners) process.on('unhandledRejection', each);
      }
    }));

  it('is trapped: a look at the real clock breaks the boot', () =>
    inWorld(async world => {
      const node = world.addProcess({
        name: 'node',
        boot: async ports => {
          Date.now();
          return echo(ports);
        },
      });
      node.start();
      await world.run({ untilMs: 500 });
      expect(world.violations[0]?.message).toContain('simulated code called Date.now');
      expect(Date.now()).toBeGreaterThan(0);
    }));
});

describe('a device that is shared', () => {
  it('takes all its processes along when its power fails, and none when one is killed', () =>
    inWorld(async world => {
      const device = world.addDevice('shared');
      const [a, b] = ['a', 'b'].map(name => world.addProcess({ name, boot: echo, device }));
      const other = world.addProcess({ name: 'other', boot: echo });
      const processes = [a, b, other] as SimProcess[];
      for (const each of processes) each.start();
      await world.run({ untilMs: 10 });
      world.crash(processes[0] as SimProcess, 'kill');
      expect(processes.map(each => each.isAlive)).toEqual([false, true, true]);
      await world.run({ untilMs: 5_000 });
      world.crash(processes[0] as SimProcess, 'power-loss');
      expect(processes.map(each => each.isAlive)).toEqual([false, false, true]);
      await world.run({ untilMs: 10_000 });
      expect(processes.map(each => each.incarnation)).toEqual([3, 2, 1]);
      expect(world.crashRestarts).toBe(3);
    }));
});

describe('fault points', () => {
  const passing = async (ports: SimPorts) => {
    const passed: string[] = [];
    await ports.onFaultPoint('boot.read', 'read-only');
    return {
      passed,
      stop: async () => undefined,
      pass: async (name: string) => {
        await ports.onFaultPoint(name, 'ambiguous');
        passed.push(name);
      },
    };
  };

  it('let code pass, or end its life right there', () =>
    inWorld(
      async world => {
        const node = world.addProcess({ name: 'node', boot: passing });
        node.start();
        await world.run({ untilMs: 10 });
        world.faultPoints.arm('commit', 2);
        const first = node.program;
        await outcome(
          world,
          node.call('pass', each => each.pass('commit')),
        );
        const second = node.call('pass', each => each.pass('commit'));
        expect(await outcome(world, second)).toBe('NODE_UNREACHABLE unknown');
        expect(first?.passed).toEqual(['commit']);
        await world.run({ untilMs: 10_000 });
        expect(node.incarnation).toBe(2);
        expect(await outcome(world, first?.pass('commit') ?? Promise.resolve())).toBe('open');
        expect(Object.fromEntries(world.faultPoints.counts)).toEqual({
          'boot.read': { boundary: 'read-only', hits: 2, fired: 0 },
          commit: { boundary: 'ambiguous', hits: 2, fired: 1 },
          never: { boundary: 'after-durable', hits: 0, fired: 0 },
        });
        expect(world.faultCounts.get('crash-ambiguous')).toBe(1);
      },
      { faultPoints: new Map([['never', 'after-durable']]) },
    ));

  it('crash as often as the probability says', () =>
    inWorld(async world => {
      world.faultPoints.crashProbability = 0.1;
      let fired = 0;
      for (let pass = 0; pass < 2_000; pass++) {
        if (world.faultPoints.pass('any', 'before-durable')) fired++;
      }
      expect(fired).toBeGreaterThan(140);
      expect(fired).toBeLessThan(260);
    }));
});

describe('an engine outside of the process', () => {
  interface Store {
    readonly kind: string;
    put(value: string): Promise<number>;
    onFailure(listener: () => void): string;
  }

  it('answers in the order of asking, keeps what dead lives asked, and never answers them', () =>
    inWorld(async world => {
      const stored: string[] = [];
      const store: Store = {
        kind: 'store',
        put: async value => {
          if (value === 'bad') throw new TroupeError('ENGINE_UNAVAILABLE', { detail: 'bad' });
          return stored.push(value);
        },
        onFailure: () => 'listening',
      };
      const boot = async (ports: SimPorts) => ({
        store: ports.remote(store, ['onFailure']),
        stop: async () => undefined,
      });
      const node = world.addProcess({ name: 'node', boot });
      node.start();
      await world.run({ untilMs: 10 });
      const remote = node.program?.store as Store;
      expect([remote.kind, remote.onFailure(() => undefined)]).toEqual(['store', 'listening']);
      const numbers = Array.from({ length: 20 }, (_, number) => remote.put(`${number}`));
      expect(await outcome(world, Promise.all(numbers))).toEqual(
        numbers.map((_, place) => place + 1),
      );
      expect(await outcome(world, remote.put('bad'))).toBe('ENGINE_UNAVAILABLE not-executed');
      const last = remote.put('last words');
      world.crash(node, 'kill');
      expect(await outcome(world, last)).toBe('open');
      expect(stored.at(-1)).toBe('last words');
      expect(await outcome(world, remote.put('from the grave'))).toBe('open');
      expect(stored.at(-1)).toBe('last words');
    }));
});

describe('a world', () => {
  it('gives the same trace for the same seed, and another for another', async () => {
    const hashOf = async (seed: number, eventsPerYield: number) => {
      const world = new SimWorld({ seed, eventsPerYield });
      const node = world.addProcess({ name: 'node', boot: echo });
      node.start();
      for (let count = 0; count < 30; count++) {
        const call = () => void node.call('echo', each => each.echo('x')).catch(() => undefined);
        world.scheduler.schedule({ delayMs: count * 50, kind: 'call', task: call });
      }
      const crash = () => world.crash(node, 'power-loss');
      world.scheduler.schedule({ delayMs: 700, kind: 'fault', task: crash });
      await world.run({ untilMs: 10_000 });
      world.close();
      return world.trace.hash;
    };
    expect(await hashOf(5, 1_000)).toBe(await hashOf(5, 1));
    expect(await hashOf(5, 1_000)).not.toBe(await hashOf(6, 1_000));
  });
});
