/** When a node leaves its server: only after it could not renew its lease for longer than usual. */
import { describe, expect, it } from 'vitest';
import { leaveSilentServers } from '../../../src/node/silent-server.ts';
import { LeaseWorld } from '../../helpers/lease-world.ts';

function watched() {
  const world = new LeaseWorld('silence');
  const { scheduler } = world;
  const { clock } = world.start('a');
  let renewedAt = 0;
  const left: number[] = [];
  const stop = leaveSilentServers({
    lease: {
      get silentMs() {
        return scheduler.nowMs - renewedAt;
      },
    },
    clock,
    leave: () => left.push(Math.round(scheduler.nowMs / 1_000)),
  });
  return {
    left,
    stop,
    /** Lets so much time pass, in which the lease is renewed every so often, if at all. */
    async pass(seconds: number, everySeconds = Number.POSITIVE_INFINITY) {
      for (let second = 1; second <= seconds; second += 1) {
        await world.pass(1_000);
        if (second % everySeconds === 0) renewedAt = scheduler.nowMs;
      }
    },
  };
}

describe('a node that cannot renew its lease', () => {
  it('stays while renewals are accepted, late as they may be', async () => {
    const { left, pass } = watched();
    await pass(60, 5);
    expect(left).toEqual([]);
  });

  it('leaves its server after 6 s, and the next one after as long again', async () => {
    const { left, pass } = watched();
    await pass(20);
    expect(left).toHaveLength(3);
    expect(left[0]).toBeOneOf([6, 7]);
    expect((left[1] ?? 0) - (left[0] ?? 0)).toBeOneOf([6, 7]);
  });

  it('gives a server that took a renewal as much time as the first', async () => {
    const { left, pass } = watched();
    await pass(8);
    expect(left).toHaveLength(1);
    await pass(1, 1);
    await pass(5);
    expect(left).toHaveLength(1);
    await pass(3);
    expect(left).toHaveLength(2);
  });

  it('does nothing more when it is stopped', async () => {
    const { left, pass, stop } = watched();
    stop();
    await pass(20);
    expect(left).toEqual([]);
  });
});
