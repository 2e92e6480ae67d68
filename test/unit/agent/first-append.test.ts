/**
 * Engines whose reads may be old: nothing leaves an activation before an append on the tail that it
 * read was accepted, and one such append is enough for an epoch.
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type MemoryLogOptions, memoryLogs } from '../../../src/engines/memory/log.ts';
import { defineAgent, implement, read, task, turn } from '../../../src/index.ts';
import type { NodePorts } from '../../../src/node/node.ts';
import type { TroupeHandle } from '../../../src/node/troupe.ts';
import { decodeRecord, encodeRecord } from '../../../src/state/record.ts';
import { LeaseWorld } from '../../helpers/lease-world.ts';
import { troupeOn } from '../../helpers/troupe-on.ts';

const counter = defineAgent('counter', {
  state: z.object({ count: z.number().default(0) }),
  limits: { snapshotEvery: 4 },
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    check: turn({ output: z.number() }),
    count: read({ output: z.number() }),
    once: task(),
  },
});

const stepsRun: string[] = [];

const counterAgent = implement(counter, {
  add(ctx, by) {
    ctx.state.count += by;
    return ctx.state.count;
  },
  check: ctx => ctx.state.count,
  count: ctx => ctx.state.count,
  async once(ctx) {
    await ctx.step('pay', null, () => {
      stepsRun.push('pay');
      return null;
    });
    await ctx.sleep('1h');
  },
});

const name = 'counter/one';

/** A store whose reads may be old, and lives of a node on it, each with an epoch of its own. */
function world(options: MemoryLogOptions = {}) {
  const logs = memoryLogs({ hasLinearizableReads: false, ...options });
  let epoch = 0;
  const start = async (ports: Partial<NodePorts> = {}) => {
    epoch += 1;
    const troupe = troupeOn({ agents: [counterAgent], log: logs.open(), epoch, ...ports });
    await troupe.start();
    const { node } = troupe as unknown as TroupeHandle;
    const passivate = () => {
      const resident = node.residents.get(name);
      return resident !== undefined && node.residents.passivate(resident);
    };
    return { troupe, one: troupe.agents.get(counter, 'one'), passivate, node };
  };
  const kinds = async () => {
    const { records } = await logs.open().read(name, { after: 0 });
    return records.map(({ bytes }) => decodeRecord(bytes, name).ops.map(([kind]) => kind));
  };
  const ownersOf = async () => (await kinds()).flat().filter(kind => kind === 'owner').length;
  return { logs, start, kinds, ownersOf };
}

describe('the first append of an agent under an epoch', () => {
  it('keeps a read from being answered with what an old read of the log shows', async () => {
    const { logs, start } = world();
    const first = await start();
    await first.one.execute('add', 1);
    await first.one.execute('add', 1);
    await first.troupe.stop();
    const second = await start();
    logs.faults.next('stale', { name, hidden: 1, times: 3 });
    expect(await second.one.execute('count')).toBe(2);
    expect(logs.faults.fired('stale')).toBe(3);
    await second.troupe.stop();
  });

  it('keeps a turn that changes nothing from being so answered', async () => {
    const { logs, start } = world();
    const first = await start();
    await first.one.execute('add', 5);
    await first.troupe.stop();
    const second = await start();
    logs.faults.next('stale', { name });
    expect(await second.one.execute('check')).toBe(5);
    await second.troupe.stop();
  });

  it('keeps a recorded step from running again because its record was not seen', async () => {
    const { logs, start } = world();
    stepsRun.length = 0;
    const first = await start();
    first.one.request('once');
    await expect.poll(async () => (await first.one.runs.list())[0]?.steps.length).toBe(2);
    await first.troupe.stop();
    expect(stepsRun).toEqual(['pay']);
    logs.faults.next('stale', { name, hidden: 2, times: 2 });
    const second = await start();
    await expect.poll(async () => (await second.one.runs.list())[0]?.steps.length).toBe(2);
    expect(stepsRun).toEqual(['pay']);
    await second.troupe.stop();
  });

  it('is made once in an epoch, however often the agent leaves memory', async () => {
    const { start, ownersOf } = world();
    const { troupe, one, passivate } = await start();
    for (let round = 0; round < 5; round++) {
      expect(await one.execute('count')).toBe(0);
      expect(passivate()).toBe(true);
    }
    expect(await ownersOf()).toBe(1);
    await troupe.stop();
    const second = await start();
    await second.one.execute('count');
    expect(await ownersOf()).toBe(2);
    await second.troupe.stop();
  });

  it('is made again when the log does not reach as far as it is known to', async () => {
    const { logs, start, ownersOf } = world();
    const { troupe, one, passivate } = await start();
    await one.execute('add', 1);
    expect(passivate()).toBe(true);
    logs.faults.next('stale', { name });
    expect(await one.execute('count')).toBe(1);
    expect(passivate()).toBe(true);
    expect(await one.execute('count')).toBe(1);
    // The old read was read again: nothing was appended on it.
    expect(await ownersOf()).toBeLessThanOrEqual(2);
    await troupe.stop();
  });

  it('is made again when what is missing has no version, as the outcome of a step', async () => {
    const { logs, start } = world();
    stepsRun.length = 0;
    const { troupe, one, passivate } = await start();
    one.request('once');
    await expect.poll(async () => (await one.runs.list())[0]?.steps.length).toBe(2);
    expect(passivate()).toBe(true);
    // The last record but one; behind it is a snapshot.
    logs.faults.next('stale', { name, hidden: 2 });
    const [run] = await one.runs.list();
    expect(run?.steps.map(({ kind, status }) => [kind, status])).toEqual([
      ['step', 'done'],
      ['sleep', 'waiting'],
    ]);
    expect(stepsRun).toEqual(['pay']);
    await troupe.stop();
  });

  it('is made again after an append that was not accepted, which may still land', async () => {
    const { logs, start, ownersOf } = world();
    const { troupe, one, passivate } = await start();
    await one.execute('add', 1);
    logs.faults.next('full');
    await expect(one.execute('add', 1)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(passivate()).toBe(true);
    await one.execute('count');
    expect(await ownersOf()).toBe(2);
    await troupe.stop();
  });

  it('fences a write of an earlier life that lands late', async () => {
    const { logs, start, kinds } = world();
    const first = await start();
    await first.one.execute('add', 1);
    logs.faults.next('unknown-late', { name, afterOperations: 8, times: 10 });
    const late = first.one.execute('add', 10, { timeout: '50ms' }).catch(error => error.outcome);
    expect(await late).toBe('unknown');
    logs.faults.clear();
    const second = await start();
    const seen = await second.one.execute('count');
    const before = (await kinds()).length;
    for (let round = 0; round < 20; round++) await logs.open().read(name, { after: 0 });
    expect(await kinds()).toHaveLength(before);
    expect(await second.one.execute('check')).toBe(seen);
    await second.troupe.stop();
    await first.troupe.stop({ drain: 0 });
  });

  it('tells callers that nothing ran when it is refused', async () => {
    const { logs, start } = world();
    const { troupe, one } = await start();
    logs.faults.next('full', { times: 2 });
    const refused = { code: 'DISK_FULL', outcome: 'not-executed' };
    await expect(one.execute('count')).rejects.toMatchObject(refused);
    await expect(one.execute('add', 1)).rejects.toMatchObject(refused);
    expect(await one.execute('add', 1)).toBe(1);
    await troupe.stop();
  });

  it('finds its own record when the answer was lost', async () => {
    const { logs, start, ownersOf } = world();
    const { troupe, one } = await start();
    logs.faults.next('unknown-stored');
    expect(await one.execute('count')).toBe(0);
    expect(await ownersOf()).toBe(1);
    await troupe.stop();
  });

  it('is refused under an epoch that is over', async () => {
    const { logs, start } = world();
    const { troupe, one } = await start();
    const record = {
      ...{ id: 'other-1', previous: '', epoch: 7, version: 0, at: 1, stateVersion: 1 },
      ...{ origin: undefined, ops: [['owner', 'other']] as const },
    };
    const previous = '\0'.repeat(16);
    const bytes = encodeRecord({ ...record, previous });
    await logs.open().append(name, 0, [{ bytes }]);
    const late = await one.execute('count', undefined, { timeout: '100ms' }).catch(error => error);
    expect(late).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'not-executed' });
    expect(late.cause).toMatchObject({ code: 'STALE_EPOCH' });
    await troupe.stop();
  });

  it('tells an old read from a log that lost its end', async () => {
    const sim = new LeaseWorld('regressed');
    const { clock } = sim.start('node');
    const { logs, start } = world();
    const { troupe, one, passivate, node } = await sim.settled(start({ clock }));
    await sim.settled(one.execute('add', 1));
    await sim.settled(one.execute('add', 1));
    expect(passivate()).toBe(true);
    logs.faults.next('stale', { name, hidden: 1, times: 8 });
    expect(await sim.settled(one.execute('count'))).toBe(2);
    expect(passivate()).toBe(true);
    logs.regress(name, 1);
    const startedMs = clock.monotonic();
    const lost = one.execute('count', undefined, { timeout: '1m' });
    await expect(sim.settled(lost)).rejects.toMatchObject({ code: 'LOG_REGRESSED' });
    expect(clock.monotonic() - startedMs).toBeGreaterThan(11_000);
    expect(node.residents.get(name)).toBeUndefined();
    await sim.settled(troupe.stop({ drain: 0 }));
  });

  it('is announced as the birth of nothing: an agent is created by its first turn', async () => {
    const { start } = world();
    const { troupe, one } = await start();
    const created: string[] = [];
    troupe.bus.subscribe('agent.lifecycle.created', ({ agent }) => created.push(agent));
    await one.execute('count');
    await one.execute('add', 1);
    await expect.poll(() => created).toEqual([name]);
    await troupe.stop();
  });

  it('is a snapshot when one pays, so that an agent that is only read does not grow', async () => {
    const { start, kinds } = world();
    for (let life = 0; life < 10; life++) {
      const { troupe, one } = await start();
      if (life === 0) await one.execute('add', 3);
      expect(await one.execute('count')).toBe(3);
      await troupe.stop();
    }
    const whole = (await kinds()).filter(ops => ops.includes('image'));
    expect(whole.length).toBeGreaterThanOrEqual(2);
    expect(whole.every(ops => ops[0] === 'owner')).toBe(true);
  });

  it('is not made on engines that show all there is', async () => {
    const { start, ownersOf } = world({ hasLinearizableReads: true });
    const { troupe, one, passivate } = await start();
    await one.execute('count');
    expect(passivate()).toBe(true);
    await one.execute('add', 1);
    expect(await ownersOf()).toBe(0);
    await troupe.stop();
  });
});
