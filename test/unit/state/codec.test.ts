/** The codec: exact round trips, and one error for damaged bytes. */
import fc from 'fast-check';
import { unpack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import {
  decodeValue,
  encodeParts,
  encodeValue,
  type PartWriter,
} from '../../../src/state/codec.ts';
import { encodedDepthMax } from '../../../src/state/codec-format.ts';
import { plainValues } from '../../helpers/plain-values.ts';
import { fingerprint } from '../../helpers/same-value.ts';

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

/** Decodes what may be anything: a value, or the one error there is. */
function tryDecode(bytes: Uint8Array): unknown {
  try {
    return decodeValue(bytes);
  } catch (error) {
    expect(TroupeError.is(error)).toBe(true);
    expect((error as TroupeError).code).toBe('LOG_CORRUPT');
    return undefined;
  }
}

describe('the codec', () => {
  it('returns what it was given, exactly', () => {
    fc.assert(
      fc.property(plainValues, value => {
        expect(fingerprint(decodeValue(encodeValue(value)))).toBe(fingerprint(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps the edges of every range', () => {
    const lengths = [15, 16, 31, 32, 255, 256, 65_535, 65_536];
    const values: unknown[] = [
      ...[-33, -32, -1, 0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1],
      ...[2 ** 32, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53, 0.1, 5e-324, Number.MAX_VALUE],
      ...lengths.map(length => 'x'.repeat(length)),
      ...lengths.map(length => 'é'.repeat(length)),
      ...lengths.map(length => '\ud800'.repeat(length)),
      ...lengths.map(length => new Uint8Array(length).fill(7)),
      ...lengths.map(length => new Array(length).fill(null)),
      ...lengths.map(length => new Set(new Array(length).keys())),
      ...[15, 16, 300].map(length =>
        Object.fromEntries(new Array(length).fill(0).map((_, index) => [`key${index}`, index])),
      ),
      ...[1, 7, 8, 9, 63, 64, 65, 2_100].flatMap(bits => [
        2n ** BigInt(bits),
        2n ** BigInt(bits) - 1n,
        -(2n ** BigInt(bits)),
        -(2n ** BigInt(bits)) - 1n,
      ]),
      ...[8.64e15, -8.64e15, -1, 0.4, Number.NaN].map(time => new Date(time)),
      { ['k'.repeat(100)]: 1, é: 2, '\ud800': 3, '': 4 },
    ];
    for (const value of values) {
      expect(fingerprint(decodeValue(encodeValue(value)))).toBe(fingerprint(value));
    }
  });

  it('is MessagePack where MessagePack has a word for it', () => {
    const json = fc.jsonValue().filter(value => !Object.is(value, -0));
    fc.assert(
      fc.property(json, value => {
        const plain = JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto'));
        const text = JSON.stringify(plain);
        fc.pre(text.isWellFormed() && !text.includes('\\ud'));
        expect(unpack(encodeValue(plain))).toEqual(plain);
      }),
    );
  });

  it('pins format 1', () => {
    const value = {
      n: [1, -1, 300, -300, 70_000, 0.5, -0],
      u: undefined,
      d: new Date(1),
      b: -129n,
      s: '\ud800',
      m: new Map([[1, new Set(['x'])]]),
      y: new Uint8Array([1, 2]),
    };
    expect(Buffer.from(encodeValue(value)).toString('hex')).toBe(
      '87a16e9701ffcd012cd2fffffed4ce00011170cb3fe0000000000000cb8000000000000000' +
        'a175d40000a164d7013ff0000000000000a162c70202ff7fa173c7020300d8' +
        'a16dd404009201d4050091a178a179c4020102',
    );
  });

  it('makes ordinary objects of objects without a prototype, and bytes of a Buffer', () => {
    const bare = Object.assign(Object.create(null), { x: Buffer.from('ab') });
    const back = decodeValue(encodeValue(bare)) as { x: Uint8Array };
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(back.x.constructor).toBe(Uint8Array);
    expect(back.x).toEqual(new Uint8Array([97, 98]));
  });

  it('gives bytes that nothing written later changes', () => {
    const first = encodeValue({ text: 'first' });
    const kept = first.slice();
    for (let round = 0; round < 100; round++) encodeValue({ text: 'x'.repeat(round * 1_000) });
    expect(first).toEqual(kept);
    expect(first.buffer.byteLength).toBe(first.length);
    expect(first.constructor).toBe(Uint8Array);
  });

  it('gives values that share no memory with the bytes', () => {
    const bytes = encodeValue({ text: 'some text that is longer', bytes: new Uint8Array([1, 2]) });
    const value = decodeValue(bytes);
    bytes.fill(0);
    expect(value).toEqual({ text: 'some text that is longer', bytes: new Uint8Array([1, 2]) });
  });

  it('decodes a part of a larger buffer', () => {
    const bytes = encodeValue({ text: 'ümläut', big: 2n ** 80n, more: 'y'.repeat(50) });
    const larger = new Uint8Array(bytes.length + 20).fill(0xff);
    larger.set(bytes, 7);
    const part = larger.subarray(7, 7 + bytes.length);
    expect(decodeValue(part)).toEqual(decodeValue(bytes));
    expect(decodeValue(Buffer.from(bytes))).toEqual(decodeValue(bytes));
  });

  it('writes lists part by part as it would write them whole', () => {
    const lists: unknown[][] = Array.from({ length: 400 }, (_, index) => [
      index,
      { text: 'x'.repeat(index * 7) },
    ]);
    const written = lists.map(list => encodeParts(writeList, list));
    lists.forEach((list, index) => {
      expect(written[index]).toEqual(encodeValue(list));
    });
  });

  it('writes strings of bytes as bytes', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const text = Buffer.from(bytes).toString('latin1');
    expect(encodeParts((writer, given) => writer.latin1(given), text)).toEqual(encodeValue(bytes));
  });

  it('leaves what was written before as it was when a part is refused', () => {
    const before = encodeParts(writeList, [1]);
    expect(() => encodeParts(writeList, ['x'.repeat(50_000), () => 1])).toThrow(
      'value[1] is a function',
    );
    const after = encodeParts(writeList, [2]);
    expect(decodeValue(before)).toEqual([1]);
    expect(decodeValue(after)).toEqual([2]);
  });

  it('refuses what is no plain data', () => {
    const cases: [unknown, string][] = [
      [() => 1, 'value is a function'],
      [{ a: [Symbol('s')] }, 'value.a[0] is a symbol'],
      [{ a: /x/ }, 'value.a is an instance of RegExp'],
      [JSON.parse('{"__proto__":1}'), 'value.__proto__ has a name'],
      [nested(encodedDepthMax + 1), 'lies deeper than'],
      [Object.create(Date.prototype), 'cannot be read'],
    ];
    for (const [value, text] of cases) {
      expect(() => encodeValue(value)).toThrow(`NOT_SERIALIZABLE: `);
      expect(() => encodeValue(value)).toThrow(text);
    }
  });

  it('survives a getter that encodes', () => {
    const value = {
      before: 1,
      get inner() {
        return encodeValue('x'.repeat(100_000)).length;
      },
      after: 2,
    };
    expect(decodeValue(encodeValue(value))).toEqual({ before: 1, inner: 100_005, after: 2 });
  });

  it('reads back the greatest depth it writes', () => {
    const deepest = nested(encodedDepthMax);
    expect(decodeValue(encodeValue(deepest))).toEqual(deepest);
  });
});

describe('decoding damaged bytes', () => {
  it('refuses every truncation, and what follows a value', () => {
    fc.assert(
      fc.property(plainValues, fc.nat(), (value, seed) => {
        const bytes = encodeValue(value);
        expect(() => decodeValue(bytes.subarray(0, seed % bytes.length))).toThrow('LOG_CORRUPT');
        expect(() => decodeValue(new Uint8Array([...bytes, 0]))).toThrow('follow the value');
      }),
    );
  });

  it('ends in a value or one error, and touches no prototype', () => {
    const before = Reflect.ownKeys(Object.prototype).length;
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(plainValues, flips, (value, places) => {
        const bytes = encodeValue(value);
        for (const [place, byte] of places) bytes[place % bytes.length] = byte;
        const back = tryDecode(bytes);
        // Whatever came to life is plain data: it can be encoded.
        encodeValue(back);
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => void tryDecode(bytes)),
      {
        numRuns: 2_000,
      },
    );
    expect(Reflect.ownKeys(Object.prototype)).toHaveLength(before);
  });

  it('refuses what the format does not know', () => {
    const cases: [number[], string][] = [
      [[], 'ends too early'],
      [[0xc1], 'no meaning'],
      [[0xca, 0, 0, 0, 0], 'no meaning'],
      [[0xd3, 0, 0, 0, 0, 0, 0, 0, 0], 'no meaning'],
      [[0xd4, 9, 0], 'no meaning'],
      [[0xd4, 0, 1], 'no meaning'],
      [[0xd4, 4, 0, 0x91, 1], 'lacks its last value'],
      [[0xd4, 5, 0, 0x01], 'lacks its items'],
      [[0xd7, 9, 0, 0, 0, 0, 0, 0, 0, 0], 'no meaning'],
      [[0xc7, 1, 0x65, 1], 'no meaning'],
      [[0xc7, 0, 2], 'no meaning'],
      [[0xc7, 1, 3, 1], 'no meaning'],
      [[0x81, 0x01, 0x01], 'a key is no string'],
      [[0x81, 0x81, 0xa1, 0x61, 0x01], 'nested deeper'],
      [[0xa1, 0xff], 'not UTF-8'],
      [[0xdd, 0xff, 0xff, 0xff, 0xff], 'ends too early'],
      [[0xdf, 0xff, 0xff, 0xff, 0xff], 'ends too early'],
      [[0xc6, 0xff, 0xff, 0xff, 0xff], 'ends too early'],
      [[0xdb, 0xff, 0xff, 0xff, 0xff], 'ends too early'],
      [new Array(10_000).fill(0x91), 'nested deeper'],
    ];
    for (const [bytes, text] of cases) {
      expect(() => decodeValue(new Uint8Array(bytes))).toThrow('LOG_CORRUPT');
      expect(() => decodeValue(new Uint8Array(bytes))).toThrow(text);
    }
  });

  it('refuses the key __proto__, however it is written', () => {
    const key = [...Buffer.from('__proto__')];
    for (const bytes of [
      [0x81, 0xa9, ...key, 0x80],
      [0x81, 0xd9, 9, ...key, 0x80],
      [0x81, 0xda, 0, 9, ...key, 0x80],
    ]) {
      // Twice, so that no cache of keys lets it through.
      for (let round = 0; round < 2; round++) {
        expect(() => decodeValue(new Uint8Array(bytes))).toThrow('could change a prototype');
      }
    }
  });

  it('takes no more memory than the bytes promise', () => {
    // Each of many nested arrays claims as many elements as bytes are left.
    const bytes = new Uint8Array(200_000);
    for (let level = 0; level < 200; level++) bytes.set([0xdd, 0, 2, 0, 0], level * 5);
    const before = process.memoryUsage().heapUsed;
    tryDecode(bytes);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
  });

  it('goes on after an error', () => {
    tryDecode(new Uint8Array([0xc1]));
    expect(decodeValue(encodeValue({ ok: true }))).toEqual({ ok: true });
  });
});

function writeList(writer: PartWriter, list: readonly unknown[]): void {
  writer.list(list.length);
  for (const part of list) writer.value(part);
}
