/** The log of a node fails for good with the node's lease, once, and appends nothing any more. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { OwnLeaseState } from '../../../src/cluster/lease.ts';
import type { TroupeError } from '../../../src/core/errors.ts';
import { memoryLogs } from '../../../src/engines/memory/log.ts';
import { defineAgent, implement, turn } from '../../../src/index.ts';
import { leasedLog } from '../../../src/node/leased-log.ts';
import type { TroupeHandle } from '../../../src/node/troupe.ts';
import { troupeOn } from '../../helpers/troupe-on.ts';

const counter = defineAgent('counter', {
  state: z.object({ count: z.number().default(0) }),
  actions: { add: turn({ input: z.number(), output: z.number() }) },
});
const counterAgent = implement(counter, {
  add(ctx, by) {
    ctx.state.count += by;
    return ctx.state.count;
  },
});

function world(state: OwnLeaseState = 'held') {
  const listeners = new Set<(state: OwnLeaseState) => void>();
  const lease = {
    state,
    isHeld: state === 'held',
    onState(listener: (state: OwnLeaseState) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    become(next: OwnLeaseState) {
      lease.state = next;
      lease.isHeld = next === 'held';
      for (const listener of listeners) listener(next);
    },
  };
  const logs = memoryLogs();
  const failures: TroupeError[] = [];
  const log = leasedLog(logs.open(), lease, 'a in the cluster shop');
  log.onFailure(error => failures.push(error));
  return { lease, logs, log, failures, listeners };
}

const bytes = new Uint8Array([1]);

describe('the log of a node in a cluster', () => {
  it('is the log of the engine', async () => {
    const { log, logs, listeners } = world();
    expect(log.capabilities).toEqual(logs.capabilities);
    const first = await log.append('a/1', 0, [{ bytes, isSnapshot: true }], { wakeAt: 5 });
    const tail = first.status === 'accepted' ? first.seq : 0;
    const second = await log.append('a/1', tail, [{ bytes, isSnapshot: true }]);
    expect((await log.read('a/1', { after: 0 })).records).toHaveLength(2);
    await log.trim('a/1', second.status === 'accepted' ? second.seq : 0);
    expect((await log.read('a/1', { after: 0 })).records).toHaveLength(1);
    expect((await log.readLatest('a/1')).records).toHaveLength(1);
    expect((await log.heads({ dueAt: 9 })).heads).toMatchObject([{ name: 'a/1', wakeAt: 5 }]);
    await log.close();
    expect(listeners.size).toBe(0);
  });

  it('goes on while the lease has only lapsed, and fails once when it is lost', async () => {
    const { lease, log, logs, failures } = world();
    lease.become('lapsed');
    expect(await log.append('a/1', 0, [{ bytes }])).toMatchObject({ status: 'accepted' });
    expect(failures).toEqual([]);
    lease.become('lost');
    lease.become('lost');
    logs.fail();
    expect(failures).toHaveLength(1);
    expect(failures[0]?.detail).toMatch(/the lease of a in the cluster shop was lost/);
    const refused = await log.append('a/1', 1, [{ bytes }]);
    expect(refused).toMatchObject({ status: 'unavailable', cause: { code: 'ENGINE_FAILED' } });
    const late: TroupeError[] = [];
    log.onFailure(error => late.push(error));
    expect(late).toHaveLength(1);
  });

  it('has failed already when the lease was lost before', async () => {
    const { failures } = world('lost');
    expect(failures).toHaveLength(1);
  });

  it('stops its node when the lease is lost', async () => {
    const { lease, log } = world();
    const troupe = troupeOn({ agents: [counterAgent], log, lease });
    await troupe.start();
    const one = troupe.agents.get(counter, 'one');
    expect(await one.execute('add', 1)).toBe(1);
    lease.become('lapsed');
    const lapsed = { code: 'NO_QUORUM', outcome: 'not-executed' };
    await expect(one.execute('add', 1)).rejects.toMatchObject(lapsed);
    lease.become('lost');
    const failed = { code: 'ENGINE_FAILED', outcome: 'not-executed' };
    await expect(one.execute('add', 1)).rejects.toMatchObject(failed);
    await troupe.stop({ drain: 0 });
  });

  it('lets no node serve that opens with a lease that has lapsed', async () => {
    const { lease, log } = world('lapsed');
    const troupe = troupeOn({ agents: [counterAgent], log, lease });
    await troupe.start();
    const one = troupe.agents.get(counter, 'one');
    await expect(one.execute('add', 1)).rejects.toMatchObject({ code: 'NO_QUORUM' });
    const { node } = troupe as unknown as TroupeHandle;
    expect(node.mayServe).toBe(false);
    lease.become('held');
    expect(node.mayServe).toBe(true);
    expect(await one.execute('add', 1)).toBe(1);
    await troupe.stop();
  });
});
