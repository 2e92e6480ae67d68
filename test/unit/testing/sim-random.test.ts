/** Seeded randomness: repeatable, spread evenly, and separate by stream. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStreams, hashText, SimRandom } from '../../../src/testing/sim-random.ts';

const draw = (random: SimRandom, count = 50) =>
  Array.from({ length: count }, () => random.uint32());

describe('SimRandom', () => {
  it('draws the same from the same seed and something else from another', () => {
    expect(draw(new SimRandom('a'))).toEqual(draw(new SimRandom('a')));
    expect(draw(new SimRandom('a'))).not.toEqual(draw(new SimRandom('b')));
  });

  it('keeps what it drew once: a change here makes every old seed worthless', () => {
    expect(draw(new SimRandom('fixed'), 4)).toMatchInlineSnapshot(`
      [
        4104788774,
        2115442881,
        122932228,
        367402616,
      ]
    `);
    expect(new SimRandom('fixed').hex(6)).toMatchInlineSnapshot(`"f4aa1b267e17"`);
  });

  it('does not shift one stream when another is used more', () => {
    const [left, right] = [createStreams(7), createStreams(7)];
    draw(left.network, 1_000);
    expect(draw(left.disk)).toEqual(draw(right.disk));
    expect(draw(left.workload)).not.toEqual(draw(left.faults));
  });

  it('forks by seed and name, whatever was drawn before', () => {
    const [left, right] = [new SimRandom('a'), new SimRandom('a')];
    draw(left);
    expect(draw(left.fork('x'))).toEqual(draw(right.fork('x')));
    expect(draw(left.fork('x'))).not.toEqual(draw(left.fork('y')));
  });

  it('draws evenly', () => {
    const random = new SimRandom('even');
    const counts = new Array<number>(10).fill(0);
    for (let count = 0; count < 10_000; count++) {
      const place = random.below(10);
      counts[place] = (counts[place] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
    let sum = 0;
    for (let count = 0; count < 10_000; count++) sum += random.next();
    expect(Math.abs(sum / 10_000 - 0.5)).toBeLessThan(0.02);
    let waited = 0;
    for (let count = 0; count < 10_000; count++) waited += random.exponential(3);
    expect(Math.abs(waited / 10_000 - 3)).toBeLessThan(0.2);
  });

  it('stays within its bounds', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 1_000 }), (seed, limit) => {
        const random = new SimRandom(seed);
        for (let count = 0; count < 20; count++) {
          expect(random.below(limit)).toBeLessThan(limit);
          const value = random.next();
          expect(value >= 0 && value < 1).toBe(true);
        }
        expect(random.hex(5)).toMatch(/^[0-9a-f]{10}$/);
      }),
    );
  });

  it('draws once for a chance, whatever the probability', () => {
    const [left, right] = [new SimRandom('c'), new SimRandom('c')];
    expect(left.chance(0)).toBe(false);
    expect(right.chance(1)).toBe(true);
    expect(left.uint32()).toBe(right.uint32());
  });

  it('shuffles without losing or inventing anything', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(fc.option(fc.integer(), { nil: undefined })),
        (seed, items) => {
          const shuffled = new SimRandom(seed).shuffle(items);
          expect(shuffled.map(String).sort()).toEqual(items.map(String).sort());
        },
      ),
    );
    const seen = new Set<string>();
    const random = new SimRandom('s');
    for (let count = 0; count < 500; count++) seen.add(random.shuffle([1, 2, 3]).join(''));
    expect(seen.size).toBe(6);
  });

  it('picks nothing from nothing', () => {
    expect(new SimRandom('p').pick([])).toBeUndefined();
    expect(new SimRandom('p').pick([4])).toBe(4);
  });

  it('hashes texts apart', () => {
    const hashes = new Set(
      Array.from({ length: 5_000 }, (_, index) => hashText(`text ${index}`, 1)),
    );
    expect(hashes.size).toBeGreaterThan(4_995);
  });
});
