/** A few places of a small store of the real runtime; `npm run bit-flips` does a thousand. */
import { expect, it } from 'vitest';
import { countVerdicts } from './bit-flips.ts';
import { flipStore } from './store-flips.ts';

it('never lets a flipped bit change or shorten what agents were acknowledged', async () => {
  const flips = await flipStore({
    seed: 'small',
    turns: 1_000,
    agentCount: 40,
    places: 30,
    threads: 1,
    limits: { segmentBytes: 60_000, checkpointBytesMin: 30_000, reserveBytes: 2_000 },
  });

  expect(flips.filter(({ verdict }) => verdict === 'silent')).toEqual([]);
  expect(flips).toHaveLength(30);
  expect(countVerdicts(flips).reported).toBeGreaterThan(0);
});
