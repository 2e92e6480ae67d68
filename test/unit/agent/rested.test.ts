/** An agent at rest: unpacked, it is what it was when it was packed, with every part. */
import { describe, expect, it } from 'vitest';
import type { LoadedAgent } from '../../../src/agent/fold.ts';
import { packAgent, unpackAgent } from '../../../src/agent/rested.ts';

const bare: LoadedAgent = {
  image: {
    lineage: 'l',
    epoch: 3,
    version: 7,
    at: 1_893_456_000_000.5,
    stateVersion: 2,
    state: { names: new Set(['é', '日本']), at: new Date(5), none: undefined },
    hasState: true,
  },
  chain: String.fromCharCode(...Array.from({ length: 16 }, (_, index) => 255 - index)),
  tail: 4_294_967_299,
  wakeAt: Number.POSITIVE_INFINITY,
  snapshots: [],
  snapshotBytes: 0,
  recordsSinceSnapshot: 6,
  bytesSinceSnapshot: 900,
  needsWhole: false,
  newLineage: undefined,
};

const full: LoadedAgent = {
  ...bare,
  image: {
    ...bare.image,
    streams: new Map([['~a.0', { floor: 2, next: 4, replies: [3, ['ok', 9, 7]], at: 8 }]]),
    keys: new Map([['k', { fingerprint: 'f', reply: null, at: 8 }]]),
    numbers: new Map([['normal b/c', 4]]),
    timers: new Map([['t', { action: 'ring', input: 'x', dueAt: 99 }]]),
    cuts: [{ seq: 1, version: 2 }],
  },
  wakeAt: 99,
  snapshots: [
    { seq: 11, version: 3 },
    { seq: 25, version: 6 },
  ],
  snapshotBytes: 321,
  needsWhole: true,
  newLineage: 'm',
};

describe('an agent at rest', () => {
  it.each([
    ['that has little', bare],
    ['that has every kind of part', full],
  ])('%s is unpacked as it was', (_, agent) => {
    expect(unpackAgent(packAgent(agent))).toEqual(agent);
  });
});
