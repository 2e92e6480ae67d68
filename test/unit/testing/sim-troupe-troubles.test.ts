/** Troubles of a simulated node: what each does to its lives, and when it is over. */
import { describe, expect, it } from 'vitest';
import { SimNatsCluster } from '../../../src/testing/sim-nats-cluster.ts';
import type { SimProcess } from '../../../src/testing/sim-process.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { NodeTroubles, nodeTroubleKinds } from '../../../src/testing/sim-troupe-troubles.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';

interface Bench {
  readonly world: SimWorld;
  readonly node: SimProcess;
  readonly cluster: SimNatsCluster;
  readonly troubles: NodeTroubles;
  readonly counts: { moves: number; looks: number };
}

async function inTrouble(seed: number, task: (bench: Bench) => Promise<void>): Promise<void> {
  const world = new SimWorld({ seed });
  const { scheduler } = world;
  const cluster = new SimNatsCluster({ scheduler, random: new SimRandom(`${seed}/servers`) });
  const counts = { moves: 0, looks: 0 };
  const added = world.addProcess({
    name: 'node',
    boot: async ({ owner }) => {
      newest = owner;
      return { stop: async () => undefined };
    },
  });
  let newest: Parameters<typeof cluster.cutOwner>[0] | undefined;
  // A process is a process, whatever runs in it.
  const node = added as unknown as SimProcess;
  const troubles = new NodeTroubles({
    world,
    cluster,
    random: new SimRandom(`${seed}/troubles`),
    plan: { kinds: nodeTroubleKinds, gapMs: 60_000 },
    node: () => node,
    owner: () => newest,
    moveOut: () => {
      counts.moves++;
    },
    lookAround: () => {
      counts.looks++;
    },
  });
  node.start();
  await world.run({ untilMs: 10 });
  await task({ world, node, cluster, troubles, counts });
  world.close();
}

describe('a trouble', () => {
  it('freezes the node for its time', () =>
    inTrouble(1, async ({ world, node, troubles }) => {
      troubles.happen('node-frozen', 20_000);
      expect([node.isPaused, world.faultCounts.get('node-frozen')]).toEqual([true, 1]);
      await world.run({ untilMs: 20_011 });
      expect([node.isPaused, node.incarnation]).toEqual([false, 1]);
    }));

  it('moves the node to another machine', () =>
    inTrouble(1, async ({ world, node, troubles, counts }) => {
      troubles.happen('node-moved', 1);
      expect([node.isAlive, counts.moves]).toEqual([false, 1]);
      await world.run({ untilMs: 4_000 });
      expect([node.incarnation, node.leftCount]).toEqual([2, 0]);
      expect(troubles.isRefusalDue).toBe(false);
    }));

  it('leaves a life behind, beside which another one begins, and ends it in the end', () =>
    inTrouble(2, async ({ world, node, troubles, counts }) => {
      troubles.happen('node-left-frozen', 20_000);
      expect([node.isLiving(1), counts.moves, troubles.isRefusalDue]).toEqual([true, 1, true]);
      // Two lives are enough.
      troubles.happen('node-left-alive', 20_000);
      expect(node.leftCount).toBe(1);
      await world.run({ untilMs: 10_000 });
      expect([node.isLiving(1), node.isLiving(2)]).toEqual([true, true]);
      await world.run({ untilMs: 20_000 + 60_100 });
      expect([node.isLiving(1), node.isLiving(2)]).toEqual([false, true]);
      await world.run({ untilMs: world.nowMs + 30_001 });
      expect(troubles.isRefusalDue).toBe(false);
    }));

  it('ends for a life that fails, and for all when the world heals', () =>
    inTrouble(3, async ({ world, node, troubles }) => {
      troubles.happen('node-left-cut', 60_000);
      troubles.end(1);
      troubles.end(1);
      expect([node.isLiving(1), node.leftCount]).toEqual([false, 0]);
      await world.run({ untilMs: 5_000 });
      troubles.happen('node-left-alive', 60_000);
      troubles.heal();
      expect([node.isLiving(2), node.leftCount]).toEqual([false, 0]);
    }));

  it('has somebody look at all agents when two lives meet', async () => {
    const looks: number[] = [];
    for (let seed = 1; seed <= 6; seed++) {
      await inTrouble(seed, async ({ world, troubles, counts }) => {
        troubles.happen('node-left-frozen', 30_000);
        await world.run({ untilMs: 10_000 });
        looks.push(counts.looks);
      });
    }
    expect(new Set(looks)).toEqual(new Set([0, 5]));
  });

  it('comes by itself until its time is over, each kind in turn', () =>
    inTrouble(4, async ({ world, troubles }) => {
      for (const kind of nodeTroubleKinds) world.faultCounts.set(kind, 0);
      troubles.begin(8 * 3_600_000);
      await world.run({ untilMs: 8 * 3_600_000 });
      const kinds = nodeTroubleKinds.map(kind => world.faultCounts.get(kind) ?? 0);
      expect(Math.min(...kinds)).toBeGreaterThan(10);
      await world.run({ untilMs: world.nowMs + 600_000 });
      expect(nodeTroubleKinds.map(kind => world.faultCounts.get(kind) ?? 0)).toEqual(kinds);
    }));
});

it('cuts the clients of one life off from all servers, and no others', () =>
  inTrouble(5, async ({ cluster }) => {
    const life = (label: string) => ({ label, isAlive: true, isPaused: false, held: [] });
    const [cut, other] = [life('cut'), life('other')];
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('there is a server');
    cluster.cutOwner(cut);
    expect([cluster.canEnter(server, cut), cluster.canEnter(server, other)]).toEqual([false, true]);
    cluster.healOwner(cut);
    expect(cluster.canEnter(server, cut)).toBe(true);
    cluster.cutOwner(cut);
    cluster.healAll();
    expect(cluster.canEnter(server, cut)).toBe(true);
  }));
