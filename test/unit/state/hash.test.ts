/** The hashes of records, and of texts. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chainHash,
  chainHashBytes,
  chainHex,
  emptyChain,
  hexHash,
} from '../../../src/state/hash.ts';

describe('chainHash', () => {
  it('is SHA-256 of the record, cut to 16 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 10_000 }), bytes => {
        const expected = createHash('sha256').update(bytes).digest('hex');
        expect(chainHex(chainHash(bytes))).toBe(expected.slice(0, chainHashBytes * 2));
      }),
    );
  });

  it('has the same length before the first record', () => {
    expect(chainHash(new Uint8Array())).toHaveLength(emptyChain.length);
    expect(chainHex(emptyChain)).toBe('0'.repeat(chainHashBytes * 2));
  });
});

describe('hexHash', () => {
  it('is the same of a text and of its bytes', () => {
    expect(hexHash('')).toBe('e3b0c44298fc1c149afbf4c8996fb924');
    expect(hexHash(new Uint8Array())).toBe(hexHash(''));
  });
});
