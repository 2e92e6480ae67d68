/**
 * Randomness from the operating system. Bytes are drawn in blocks, because one call into the
 * generator costs a microsecond and most callers want eight bytes.
 */
import { randomFillSync } from 'node:crypto';
import type { Random } from '../../ports/random.ts';

const poolBytes = 4_096;

/** A source of random values that cannot be guessed. */
export function systemRandom(): Random {
  const pool = Buffer.alloc(poolBytes);
  let used = poolBytes;

  function take(bytes: number): Buffer {
    if (bytes > poolBytes) return randomFillSync(Buffer.alloc(bytes));
    if (used + bytes > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    used += bytes;
    return pool.subarray(used - bytes, used);
  }

  return {
    next() {
      // A double holds 53 bits: 21 from the first word, 32 from the second.
      const bytes = take(8);
      return ((bytes.readUInt32LE(0) >>> 11) * 2 ** 32 + bytes.readUInt32LE(4)) / 2 ** 53;
    },
    hex: bytes => take(bytes).toString('hex'),
  };
}
