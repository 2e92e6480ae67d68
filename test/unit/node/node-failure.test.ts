/** An engine that fails for good stops its node: nothing is served, and everybody is told. */
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { openEmbeddedLog } from '../../../src/engines/embedded/log.ts';
import { MemoryLogs } from '../../../src/engines/memory/log.ts';
import { systemRandom } from '../../../src/engines/system/random.ts';
import { defineAgent, implement, read, task, turn } from '../../../src/index.ts';
import { MemoryDisk } from '../../helpers/memory-disk.ts';
import { troupeOn } from '../../helpers/troupe-on.ts';

const counter = defineAgent('counter', {
  state: z.object({ count: z.number().default(0) }),
  signals: { go: z.null() },
  actions: {
    add: turn({ input: z.number(), output: z.number() }),
    hold: turn(),
    count: read({ output: z.number() }),
    wait: task(),
  },
});

function counterAgent(gate: Promise<void> = Promise.resolve(), entered?: () => void) {
  return implement(counter, {
    add(ctx, by) {
      ctx.state.count += by;
      return ctx.state.count;
    },
    async hold(ctx) {
      entered?.();
      await gate;
      ctx.state.count += 100;
    },
    count: ctx => ctx.state.count,
    async wait(ctx) {
      await ctx.waitFor('go');
    },
  });
}

const refused = { code: 'ENGINE_FAILED', outcome: 'not-executed' };

describe('a node whose engine failed', () => {
  it('does not deny a message that is recorded in the inbox', async () => {
    const logs = new MemoryLogs({});
    let open = () => {};
    const gate = new Promise<void>(resolve => {
      open = resolve;
    });
    await using troupe = troupeOn({ agents: [counterAgent(gate)], log: logs.open() });
    await troupe.start();
    const one = troupe.agents.get(counter, 'one');
    // In a lane of its own, so that what comes behind may be recorded.
    const held = one.execute('hold', undefined, { priority: 'high' }).catch(() => undefined);
    const waiting = one.execute('add', 1, { idempotencyKey: 'a' });
    // It is recorded once it has waited for limits.inboxDelay.
    const isRecorded = async () => (await logs.open().read('counter/one', { after: 0 })).tail > 0;
    await vi.waitUntil(isRecorded, { timeout: 5_000 });

    logs.fail();

    await expect(waiting).rejects.toMatchObject({ code: 'ENGINE_FAILED', outcome: 'unknown' });
    open();
    await held;
  });

  it('refuses turns, reads and tasks, also when it is started so', async () => {
    const logs = new MemoryLogs({});
    await using troupe = troupeOn({ agents: [counterAgent()], log: logs.open() });
    await troupe.start();
    const one = troupe.agents.get(counter, 'one');
    await one.execute('add', 1);

    logs.fail();

    await expect(one.execute('add', 1)).rejects.toMatchObject(refused);
    await expect(one.execute('count')).rejects.toMatchObject(refused);
    await expect(one.send('wait')).rejects.toMatchObject(refused);
    await expect(troupe.agents.get(counter, 'new').execute('count')).rejects.toMatchObject(refused);
    const second = troupeOn({ agents: [counterAgent()], log: logs.open() });
    await second.start();
    await expect(second.agents.get(counter, 'one').execute('count')).rejects.toMatchObject(refused);
    await second.stop();
  });

  it('lets what was begun end as it did, and refuses what was not begun', async () => {
    const logs = new MemoryLogs({});
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const agents = [counterAgent(gate.promise, entered.resolve)];
    await using troupe = troupeOn({ agents, log: logs.open() });
    await troupe.start();
    const one = troupe.agents.get(counter, 'one');
    const holding = one.execute('hold');
    await entered.promise;
    const waiting = one.execute('add', 1);
    const elsewhere = troupe.agents.get(counter, 'two').execute('wait');
    const sent = await troupe.agents.get(counter, 'two').send('add', 1);
    expect(sent).toBeDefined();

    logs.fail();

    await expect(waiting).rejects.toMatchObject(refused);
    gate.resolve();
    await expect(holding).rejects.toMatchObject(refused);
    // Its run is recorded and goes on with the next life of the data: nobody knows its end.
    await expect(elsewhere).rejects.toMatchObject({ code: 'ENGINE_FAILED', outcome: 'unknown' });
  });

  it('says `unknown` of the turn whose flush failed, and loses nothing else', async () => {
    const disk = new MemoryDisk(false);
    const log = await openEmbeddedLog({ disk, random: systemRandom() });
    await using troupe = troupeOn({ agents: [counterAgent()], log });
    await troupe.start();
    const one = troupe.agents.get(counter, 'one');
    expect(await one.execute('add', 1)).toBe(1);

    disk.flushFailures = 1;
    const failing = one.execute('add', 1);

    await expect(failing).rejects.toMatchObject({ code: 'ENGINE_FAILED', outcome: 'unknown' });
    await expect(one.execute('add', 1)).rejects.toMatchObject(refused);
    await expect(one.execute('count')).rejects.toMatchObject(refused);
    await troupe.stop();
    const again = troupeOn({
      agents: [counterAgent()],
      log: await openEmbeddedLog({ disk, random: systemRandom() }),
    });
    await again.start();
    expect([1, 2]).toContain(await again.agents.get(counter, 'one').execute('count'));
    await again.stop();
  });
});
