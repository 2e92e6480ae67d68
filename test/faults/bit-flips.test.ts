/** Many places of small logs; `store-flips.test.ts` does it with agents on the disk. */
import { describe, expect, it } from 'vitest';
import { countVerdicts, flipBits } from './bit-flips.ts';

const small = { segmentBytes: 20_000, checkpointBytesMin: 8_000, reserveBytes: 512 };

describe('a flipped bit', () => {
  for (const isClosed of [true, false]) {
    it(`is never silent in a store that was ${isClosed ? 'closed' : 'killed'}`, async () => {
      const flips = await flipBits({
        seed: `small-${isClosed}`,
        logCount: 30,
        recordCount: 1_500,
        places: 150,
        isClosed,
        limits: small,
      });
      const silent = flips.filter(flip => flip.verdict === 'silent');
      expect(silent).toEqual([]);
      const counts = countVerdicts(flips);
      expect(counts.reported).toBeGreaterThan(0);
      expect(counts.repaired).toBeGreaterThan(0);
    });
  }
});
