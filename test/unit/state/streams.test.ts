/** Deduplication by numbers: what runs, what is a repetition, what has to wait, what is too old. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, consume, type Stream, streamKey } from '../../../src/state/streams.ts';

const sender = 'node/1';
const key = streamKey(sender, 1);

/** The stream after the numbers 1 to `count`, answered by themselves, with a floor of 1. */
function streamOf(count: number): Stream | undefined {
  const streams = new Map<string, Stream>();
  for (let number = 1; number <= count; number += 1) {
    const reply = ['ok', number, number] as const;
    consume(streams, { sender, lane: 1, number, floor: 1, reply, at: number });
  }
  return streams.get(key);
}

describe('a number', () => {
  it('runs when it is the next one', () => {
    expect(admit(streamOf(0), { sender, number: 1, floor: 1 })).toEqual({ kind: 'run' });
    expect(admit(streamOf(3), { sender, number: 4, floor: 1 })).toEqual({ kind: 'run' });
  });

  it('above the floor that was consumed is answered as it was', () => {
    for (const number of [1, 2, 3]) {
      const admitted = admit(streamOf(3), { sender, number, floor: 1 });
      expect(admitted).toEqual({ kind: 'duplicate', reply: ['ok', number, number] });
    }
  });

  it('waits for lower ones, unless they were given up', () => {
    expect(admit(streamOf(1), { sender, number: 4, floor: 1 })).toEqual({ kind: 'early' });
    const some = { sender, number: 4, floor: 1, abandoned: [2] };
    expect(admit(streamOf(1), some)).toEqual({ kind: 'early' });
    const all = { sender, number: 4, floor: 1, abandoned: [2, 3] };
    expect(admit(streamOf(1), all)).toEqual({ kind: 'run' });
    expect(admit(streamOf(1), { sender, number: 4, floor: 4 })).toEqual({ kind: 'run' });
  });

  it('whose answer is no longer kept has expired', () => {
    const streams = new Map([[key, streamOf(3) as Stream]]);
    consume(streams, { sender, lane: 1, number: 4, floor: 3, reply: null, at: 4 });
    const stream = streams.get(key);
    expect(admit(stream, { sender, number: 2, floor: 1 })).toEqual({ kind: 'expired' });
    expect(admit(stream, { sender, number: 3, floor: 3 })).toMatchObject({ kind: 'duplicate' });
  });
});

it('runs each number once and in order, however often and in whatever order it comes', () => {
  const arrivals = fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 60 });
  fc.assert(
    fc.property(arrivals, numbers => {
      const streams = new Map<string, Stream>();
      const ran: number[] = [];
      for (const number of numbers) {
        const admitted = admit(streams.get(key), { sender, number, floor: 1 });
        if (admitted.kind === 'run') {
          ran.push(number);
          consume(streams, { sender, lane: 1, number, floor: 1, reply: null, at: 0 });
        } else if (admitted.kind === 'early') expect(number).toBeGreaterThan(ran.length + 1);
        else expect(ran).toContain(number);
      }
      expect(ran).toEqual(ran.map((_, place) => place + 1));
    }),
  );
});
