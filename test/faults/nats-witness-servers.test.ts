/**
 * Witnesses of what several servers do to a client when some of them die, freeze, are cut off or
 * lag: seeds in which the model shows each weakness that was measured on real servers.
 */
import { describe, expect, it } from 'vitest';
import { type NatsCaller, natsCaller } from '../helpers/nats-caller.ts';
import { inNatsModel, type NatsModel, type NatsModelOptions } from '../helpers/nats-model.ts';

type World = NatsModel & {
  readonly caller: NatsCaller;
  /** Repeats something until it holds; how long that took. */
  until(holds: () => Promise<boolean>): Promise<number>;
};

const expectOne = { expected: 0 };

/** A stream on three servers, or one, with a client. */
function inWorld<Result>(
  options: NatsModelOptions,
  task: (world: World) => Promise<Result>,
): Promise<Result> {
  return inNatsModel({ servers: 3, ...options }, async model => {
    const caller = natsCaller(await model.connect());
    const num_replicas = options.servers ?? 3;
    const body = { name: 'S', subjects: ['s.>'], num_replicas, allow_direct: true };
    expect(await caller.api('STREAM.CREATE.S', body)).toMatchObject({ did_create: true });
    const until = async (holds: () => Promise<boolean>) => {
      const startMs = model.cluster.scheduler.nowMs;
      while (!(await holds())) await model.sleep(50);
      return model.cluster.scheduler.nowMs - startMs;
    };
    return task({ ...model, caller, until });
  });
}

/** A client of the server that leads the stream, or of another one. */
async function callerAt(world: World, isAtLeader: boolean): Promise<NatsCaller> {
  for (;;) {
    const client = await world.connect();
    const isThere = client.server.name === world.cluster.leaderOf('S')?.name;
    if (isThere === isAtLeader) return natsCaller(client);
    await client.close();
  }
}

function leaderIn({ cluster }: World) {
  const leader = cluster.leaderOf('S');
  if (leader === undefined) throw new Error('there is no leader');
  return leader;
}

function lagFollowers(world: World): void {
  const leader = leaderIn(world);
  for (const each of world.cluster.servers) if (each !== leader) world.cluster.lag(each, 5_000);
}

const isStored = async (caller: NatsCaller) =>
  (await caller.put('s.probe', 'x', { timeoutMs: 500 })).seq !== undefined;

describe('a leader that dies', () => {
  it('leaves writes without a taker for the 4 to 9 s of an election', async () => {
    const times = [];
    for (let seed = 1; seed <= 8; seed++) {
      times.push(
        await inWorld({ seed }, async world => {
          const caller = await callerAt(world, false);
          world.cluster.kill(leaderIn(world));
          expect(await caller.put('s.a', 'one')).toEqual({ status: 'nobody' });
          return world.until(() => isStored(caller));
        }),
      );
    }
    expect(Math.min(...times)).toBeGreaterThan(3_900);
    expect(Math.max(...times)).toBeLessThan(10_000);
    // The election was won by whoever was first to stand, and it was not the same each time.
    expect(new Set(times.map(Math.round)).size).toBeGreaterThan(4);
  });

  it('breaks the connections of its clients, which come back elsewhere', async () => {
    await inWorld({ seed: 21 }, async world => {
      const { client, put } = await callerAt(world, true);
      const seen: string[] = [];
      client.onStatus(status => seen.push(status));
      const leader = leaderIn(world);
      const inFlight = put('s.a', 'one');
      world.cluster.kill(leader);
      expect(await inFlight).toEqual({ status: 'unknown' });
      expect(client.status).toBe('disconnected');
      expect(client.publish('s.a', new Uint8Array())).toBe(false);
      expect(await put('s.a', 'one')).toEqual({ status: 'unavailable' });
      await expect(client.subscribe('x', () => undefined)).rejects.toMatchObject({
        code: 'ENGINE_UNAVAILABLE',
        outcome: 'not-executed',
      });
      await world.sleep(2_000);
      expect(seen).toEqual(['disconnected', 'connected']);
      expect(client.server.name).not.toBe(leader.name);
    });
  });

  it('keeps what it had stored alone from nobody once it is back', async () => {
    await inWorld({ seed: 22, servers: 1 }, async ({ caller, cluster, sleep }) => {
      expect(await caller.put('s.a', 'one', expectOne)).toMatchObject({ seq: 1 });
      const [server] = cluster.servers;
      if (server !== undefined) cluster.kill(server);
      await sleep(1_000);
      expect(caller.client.status).toBe('disconnected');
      if (server !== undefined) cluster.start(server);
      await sleep(5_000);
      expect(await caller.last('S', 's.a')).toBe('one');
    });
  });
});

describe('two of three servers that die', () => {
  it('leave writes to time out and to be stored when the servers are back', async () => {
    await inWorld({ seed: 23 }, async world => {
      const caller = await callerAt(world, true);
      const others = world.cluster.servers.filter(each => each !== leaderIn(world));
      for (const each of others) world.cluster.kill(each);
      expect(await caller.put('s.a', 'one', expectOne)).toEqual({ status: 'unknown' });
      expect(await caller.last('S', 's.a')).toBeUndefined();
      await world.sleep(2_000);
      for (const each of others) world.cluster.start(each);
      await world.sleep(10_000);
      expect(await caller.last('S', 's.a')).toBe('one');
    });
  });

  it('make the API unavailable after a while; direct gets and core messages go on', async () => {
    await inWorld({ seed: 24 }, async world => {
      const caller = await callerAt(world, true);
      await caller.put('s.a', 'one');
      await world.sleep(1_000);
      const leader = leaderIn(world);
      for (const each of world.cluster.servers) if (each !== leader) world.cluster.kill(each);
      const isRefused = async () => {
        const { error } = await caller.api('STREAM.INFO.S');
        return (error as { err_code?: number } | undefined)?.err_code === 10008;
      };
      const afterMs = await world.until(isRefused);
      expect(afterMs).toBeGreaterThan(7_900);
      expect(afterMs).toBeLessThan(13_000);
      expect(await caller.put('s.b', 'two')).toEqual({ status: 'nobody' });
      expect(await caller.lastAnywhere('S', 's.a')).toBe('one');
      let heard = 0;
      await caller.client.subscribe('core.>', () => heard++);
      caller.client.publish('core.x', new Uint8Array());
      await world.sleep(10);
      expect(heard).toBe(1);
    });
  });
});

describe('a leader that is cut off with its client', () => {
  it('shows the past for 8 to 11 s, while the others go on', async () => {
    const times = [];
    for (let seed = 31; seed <= 36; seed++) {
      times.push(
        await inWorld({ seed }, async world => {
          const [inside, outside] = [await callerAt(world, true), await callerAt(world, false)];
          await inside.put('s.a', 'old');
          world.cluster.isolate(leaderIn(world));
          let isStale = false;
          const writesAgainMs = await world.until(async () => {
            const answer = await outside.put('s.a', 'new', { timeoutMs: 500 });
            return answer.seq !== undefined;
          });
          const staleMs = await world.until(async () => {
            const found = await inside.last('S', 's.a');
            isStale ||= found === 'old';
            return found === undefined;
          });
          expect(await outside.last('S', 's.a')).toBe('new');
          return { isStale, staleMs: writesAgainMs + staleMs, writesAgainMs };
        }),
      );
    }
    expect(times.some(each => each.isStale)).toBe(true);
    for (const { staleMs, writesAgainMs } of times) {
      expect(writesAgainMs).toBeGreaterThan(3_900);
      expect(staleMs).toBeGreaterThan(7_900);
      expect(staleMs).toBeLessThan(14_000);
    }
  });

  it('loses what it took meanwhile, when others decided otherwise', async () => {
    await inWorld({ seed: 37 }, async world => {
      const [inside, outside] = [await callerAt(world, true), await callerAt(world, false)];
      const leader = leaderIn(world);
      world.cluster.isolate(leader);
      expect(await inside.put('s.a', 'lost', expectOne)).toEqual({ status: 'unknown' });
      await world.until(() => isStored(outside));
      expect(await outside.put('s.a', 'kept', expectOne)).toMatchObject({ status: 'answered' });
      world.cluster.heal(leader);
      await world.sleep(20_000);
      expect(await inside.last('S', 's.a')).toBe('kept');
      const info = await inside.api('STREAM.INFO.S', { subjects_filter: 's.a' });
      expect(info).toMatchObject({ state: { subjects: { 's.a': 1 } } });
    });
  });
});

describe('a follower', () => {
  it('costs a healthy majority its leader when it comes back from being cut off', async () => {
    await inWorld({ seed: 41, version: '2.9.10' }, async world => {
      const caller = await callerAt(world, true);
      const leader = leaderIn(world);
      const follower = world.cluster.servers.find(each => each !== leader);
      if (follower === undefined) throw new Error('there is no follower');
      world.cluster.isolate(follower);
      await world.sleep(15_000);
      expect(await isStored(caller)).toBe(true);
      world.cluster.heal(follower);
      let refused = 0;
      for (let count = 0; count < 400; count++) {
        if (!(await isStored(caller))) refused++;
        await world.sleep(50);
      }
      expect(refused).toBeGreaterThan(20);
      expect(await isStored(caller)).toBe(true);
    });
  });

  it('answers direct gets with the past while it lags', async () => {
    await inWorld({ seed: 42 }, async world => {
      const { caller } = world;
      await caller.put('s.a', 'old');
      await world.sleep(100);
      lagFollowers(world);
      await caller.put('s.a', 'new');
      const found = new Set();
      for (let count = 0; count < 20; count++) found.add(await caller.lastAnywhere('S', 's.a'));
      expect(found).toEqual(new Set(['old', 'new']));
      expect(await caller.last('S', 's.a')).toBe('new');
      await world.sleep(6_000);
      for (let count = 0; count < 20; count++) {
        expect(await caller.lastAnywhere('S', 's.a')).toBe('new');
      }
    });
  });

  it('feeds a reader that sees nothing of what the leader has', async () => {
    await inWorld({ seed: 43 }, async world => {
      const { caller } = world;
      lagFollowers(world);
      const heard: string[] = [];
      await caller.client.subscribe('here', ({ subject }) => heard.push(subject));
      const config = { deliver_subject: 'here', ack_policy: 'none', mem_storage: true };
      let isLate = false;
      for (let count = 0; count < 12 && !isLate; count++) {
        await caller.api(`CONSUMER.CREATE.S.r${count}`, { stream_name: 'S', config });
        await world.sleep(200);
        const before = heard.length;
        await caller.put(`s.${count}`, 'x');
        await world.sleep(200);
        isLate = heard.length < before + count + 1;
      }
      expect(isLate).toBe(true);
    });
  });
});

describe('messages between servers', () => {
  const listenAcross = async (world: World) => {
    const [near, far] = [await callerAt(world, true), await callerAt(world, false)];
    const arrivals: number[] = [];
    await far.client.subscribe('core.x', () => arrivals.push(world.cluster.scheduler.nowMs));
    await world.sleep(100);
    return { near, arrivals };
  };

  it('come up to 10 s late with default pings', async () => {
    await inWorld({ seed: 51, pings: 'default' }, async world => {
      const { near, arrivals } = await listenAcross(world);
      const leader = leaderIn(world);
      world.cluster.isolate(leader);
      near.client.publish('core.x', new Uint8Array());
      await world.sleep(10_000);
      expect(arrivals).toEqual([]);
      const healedMs = world.cluster.scheduler.nowMs;
      world.cluster.heal(leader);
      await world.sleep(15_000);
      expect(arrivals).toHaveLength(1);
      expect((arrivals[0] ?? 0) - healedMs).toBeGreaterThan(500);
    });
  });

  it('are lost with short pings, and after some seconds nobody is there', async () => {
    await inWorld({ seed: 52 }, async world => {
      const { near, arrivals } = await listenAcross(world);
      const leader = leaderIn(world);
      world.cluster.isolate(leader);
      near.client.publish('core.x', new Uint8Array());
      const ask = () => near.client.request('core.x', new Uint8Array(), { timeoutMs: 200 });
      expect((await ask()).status).toBe('unknown');
      await world.sleep(5_000);
      expect((await ask()).status).toBe('nobody');
      world.cluster.heal(leader);
      await world.sleep(15_000);
      expect(arrivals).toEqual([]);
      await ask();
      expect(arrivals).toHaveLength(1);
    });
  });

  it('of a client that is cut off arrive after it has given up', async () => {
    await inWorld({ seed: 53, servers: 1, pings: 'default' }, async world => {
      const { caller, cluster } = world;
      const [server] = cluster.servers;
      if (server === undefined) throw new Error('there is no server');
      cluster.cutClients(server);
      expect(await caller.put('s.a', 'late', { timeoutMs: 1_000 })).toEqual({ status: 'unknown' });
      await world.sleep(8_000);
      expect(caller.client.status).toBe('disconnected');
      cluster.heal(server);
      await world.sleep(15_000);
      expect(await caller.last('S', 's.a')).toBe('late');
    });
  });

  it('of a server that was frozen come when it goes on', async () => {
    await inWorld({ seed: 54, pings: 'default' }, async world => {
      const caller = await callerAt(world, false);
      const leader = leaderIn(world);
      world.cluster.pause(leader);
      expect(await caller.put('s.a', 'one', { timeoutMs: 1_000 })).toEqual({ status: 'unknown' });
      world.cluster.heal(leader);
      await world.sleep(10_000);
      expect(await caller.last('S', 's.a')).toBe('one');
    });
  });
});

describe('servers that lose their power', () => {
  const loseAll = async (isFlushed: boolean) =>
    inWorld({ seed: 61, isFlushed }, async world => {
      const { caller, cluster } = world;
      for (let count = 0; count < 50; count++) await caller.put('s.a', `${count}`);
      for (const each of cluster.servers) cluster.kill(each, true);
      for (const each of cluster.servers) cluster.start(each);
      await world.sleep(20_000);
      return Number(await caller.last('S', 's.a'));
    });

  it('forget the newest of what they acknowledged, unless they flush', async () => {
    expect(await loseAll(false)).toBeLessThan(49);
    expect(await loseAll(true)).toBe(49);
  });

  it('can be made to forget the end of one stream', async () => {
    await inWorld({ seed: 62 }, async ({ caller, cluster, sleep }) => {
      for (const text of ['1', '2', '3']) await caller.put('s.a', text);
      await sleep(100);
      expect(cluster.regress('S', 2)).toBe(2);
      expect(await caller.last('S', 's.a')).toBe('1');
      expect(await caller.put('s.a', 'again', { expected: 1 })).toMatchObject({ seq: 2 });
    });
  });
});

describe('contenders for one place', () => {
  const roundsWithSeveralWinners = (version: string) =>
    inWorld({ seed: 71, version }, async world => {
      const callers = await Promise.all(
        Array.from({ length: 6 }, async () => natsCaller(await world.connect())),
      );
      let several = 0;
      let expected = 0;
      for (let round = 0; round < 300; round++) {
        const answers = await Promise.all(
          callers.map((each, place) => each.put('s.a', `${round}/${place}`, { expected })),
        );
        const seqs = answers.flatMap(({ seq }) => (Number(seq) > 0 ? [Number(seq)] : []));
        if (seqs.length > 1) several++;
        expected = Math.max(expected, ...seqs);
        await world.sleep(5);
      }
      return several;
    });

  it('may all win on three servers of 2.9.10, and never on newer ones', async () => {
    expect(await roundsWithSeveralWinners('2.9.10')).toBeGreaterThan(100);
    expect(await roundsWithSeveralWinners('2.10.27')).toBe(0);
    expect(await roundsWithSeveralWinners('2.15.1')).toBe(0);
  });
});
