/** Lives of a process that go on although another one has begun. */
import { describe, expect, it } from 'vitest';
import type { SimPorts, SimProcess } from '../../../src/testing/sim-process.ts';
import type { SimWorld } from '../../../src/testing/sim-world.ts';
import { echo, inWorld, outcome } from '../../helpers/echo-world.ts';

describe('a life that was left behind', () => {
  async function twoLives(world: SimWorld) {
    const node = world.addProcess({ name: 'node', boot: echo });
    // A process is a process, whatever runs in it.
    const any = node as unknown as SimProcess;
    expect(world.leaveBehind(any)).toBeUndefined();
    node.start();
    await world.run({ untilMs: 10 });
    const left = world.leaveBehind(any);
    if (left === undefined) throw new Error('a running life can be left');
    const ask = () => node.call('echo', each => each.echo('a'));
    return { node, left, ask };
  }

  it('answers alone until another one has begun, and beside it from then on', () =>
    inWorld(async world => {
      const { node, ask, left } = await twoLives(world);
      expect([node.isAlive, node.isLiving(1), node.leftCount]).toEqual([false, true, 1]);
      expect(await outcome(world, ask(), 4)).toBe('open');
      await world.run({ untilMs: 5_000 });
      expect([node.incarnation, node.isLiving(1), node.isLiving(2)]).toEqual([2, true, true]);
      const answers = await Promise.all(
        Array.from({ length: 40 }, () => outcome(world, ask(), 20)),
      );
      expect(new Set(answers)).toEqual(new Set(['a from node#1', 'a from node#2']));
      left.end();
      expect([node.isLiving(1), node.leftCount]).toEqual([false, 0]);
      expect(await outcome(world, ask())).toBe('a from node#2');
    }));

  it('keeps its callers waiting while it stands still, and loses them when it is ended', () =>
    inWorld(async world => {
      const { node, ask, left } = await twoLives(world);
      left.pause();
      const waiting = ask();
      expect(await outcome(world, waiting, 2)).toBe('open');
      left.resume();
      expect(await outcome(world, waiting, 20)).toBe('a from node#1');
      left.pause();
      const last = ask();
      const restarts = world.crashRestarts;
      left.end();
      left.end();
      expect([world.crashRestarts, node.leftCount]).toEqual([restarts + 1, 0]);
      expect(await outcome(world, last, 1)).toBe('NODE_UNREACHABLE unknown');
    }));

  it('passes fault points unharmed', () =>
    inWorld(async world => {
      const { node, left } = await twoLives(world);
      let ports: SimPorts | undefined;
      const take = node.call('ports', async each => {
        ports = each.ports;
      });
      await outcome(world, take, 2);
      world.faultPoints.crashProbability = 1;
      const pass = async () => ports?.onFaultPoint('p', 'before-durable');
      expect(await outcome(world, pass(), 2)).toBeUndefined();
      left.end();
      expect(await outcome(world, pass(), 2)).toBe('open');
    }));
});
