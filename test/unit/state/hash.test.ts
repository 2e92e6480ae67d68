/** The hash chain, and hexadecimal texts. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chainHash,
  chainHashBytes,
  emptyChain,
  fromHex,
  hexHash,
  toHex,
} from '../../../src/state/hash.ts';

describe('chainHash', () => {
  it('is SHA-256 of what lies before and the bytes, cut to 16 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 10_000 }), bytes => {
        const expected = createHash('sha256').update(emptyChain).update(bytes).digest();
        const chain = chainHash(emptyChain, bytes);
        expect(chain).toEqual(new Uint8Array(expected.subarray(0, chainHashBytes)));
        expect(chain.buffer.byteLength).toBe(chainHashBytes);
      }),
    );
  });

  it('tells apart any change, swap or loss of what lies before', () => {
    const [a, b] = [new Uint8Array([1]), new Uint8Array([2])];
    const both = chainHash(chainHash(emptyChain, a), b);
    expect(chainHash(chainHash(emptyChain, b), a)).not.toEqual(both);
    expect(chainHash(emptyChain, b)).not.toEqual(both);
    expect(chainHash(chainHash(emptyChain, a), b)).toEqual(both);
  });
});

describe('hexadecimal texts', () => {
  it('go to bytes and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        expect(fromHex(toHex(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
    expect(toHex(new Uint8Array([0, 1, 2, 255]).subarray(1))).toBe('0102ff');
    expect(fromHex('0A')).toEqual(new Uint8Array([10]));
    expect(hexHash('')).toBe('e3b0c44298fc1c149afbf4c8996fb924');
    expect(hexHash(new Uint8Array())).toBe(hexHash(''));
  });

  it('are refused when they are none', () => {
    for (const text of ['0', 'zz', '0x00', '00 ']) {
      expect(() => fromHex(text)).toThrow('INVALID_INPUT');
    }
  });
});
