/**
 * The laws of the Random port. They are tests of statistics with bounds of more than seven standard
 * deviations: a sound source breaks one of them less than once in a thousand million runs.
 */
import type { Random } from '../ports/random.ts';
import { must, mustEqual } from './law-checks.ts';
import type { Law } from './laws.ts';

/** A source to check. */
export interface RandomSubject {
  readonly random: Random;
}

const draws = 20_000;

/** What every engine keeps that offers randomness. */
export const randomLaws: readonly Law<RandomSubject>[] = [
  {
    name: 'draws numbers from 0 up to, not including, 1',
    async run({ random }) {
      must(
        drawn(random).every(value => value >= 0 && value < 1),
        'every number lies in [0, 1)',
      );
    },
  },
  {
    name: 'draws numbers with the mean and the spread of a uniform source',
    async run({ random }) {
      const values = drawn(random);
      const mean = values.reduce((sum, value) => sum + value, 0) / draws;
      const spread = values.reduce((sum, value) => sum + (value - 0.5) ** 2, 0) / draws;
      must(Math.abs(mean - 0.5) < 0.015, `the mean is near 0.5 and not ${mean}`);
      must(Math.abs(spread - 1 / 12) < 0.005, `the variance is near 1/12 and not ${spread}`);
    },
  },
  {
    name: 'draws from every part of the range equally often',
    async run({ random }) {
      const counts = new Array<number>(20).fill(0);
      for (const value of drawn(random)) {
        const part = Math.floor(value * 20);
        counts[part] = (counts[part] ?? 0) + 1;
      }
      for (const [part, count] of counts.entries()) {
        must(Math.abs(count - 1_000) < 220, `part ${part} holds about 1,000 numbers, not ${count}`);
      }
    },
  },
  {
    name: 'draws numbers that do not follow from the one before',
    async run({ random }) {
      const values = drawn(random);
      const products = values.slice(1).map((value, index) => {
        const before = values[index] ?? 0;
        return (value - 0.5) * (before - 0.5) * 12;
      });
      const correlation = products.reduce((sum, product) => sum + product, 0) / draws;
      must(Math.abs(correlation) < 0.05, `the correlation is near 0 and not ${correlation}`);
    },
  },
  {
    name: 'draws different numbers',
    async run({ random }) {
      mustEqual(new Set(drawn(random)).size, draws, 'the number of different ones');
    },
  },
  {
    name: 'writes two lower-case hexadecimal digits for each byte',
    async run({ random }) {
      for (const bytes of [1, 2, 3, 8, 16, 33, 4_096, 5_000]) {
        const text = random.hex(bytes);
        mustEqual(text.length, bytes * 2, `the digits of ${bytes} bytes`);
        must(/^[0-9a-f]*$/.test(text), 'all are lower-case hexadecimal digits');
      }
      mustEqual(random.hex(0), '', 'no bytes');
    },
  },
  {
    name: 'writes every digit equally often, at every place',
    async run({ random }) {
      const counts = new Map<string, number>();
      for (let round = 0; round < 4_000; round++) {
        for (const [place, digit] of [...random.hex(2)].entries()) {
          const key = `${digit} at place ${place}`;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
      }
      mustEqual(counts.size, 64, 'the number of digits and places');
      for (const [key, count] of counts) {
        must(Math.abs(count - 250) < 120, `${key} comes about 250 times, not ${count}`);
      }
    },
  },
  {
    name: 'never writes the same id twice',
    async run({ random }) {
      const ids = new Set(Array.from({ length: 10_000 }, () => random.hex(8)));
      mustEqual(ids.size, 10_000, 'the number of different ids');
    },
  },
  {
    name: 'draws ids and numbers that do not depend on each other',
    async run({ random }) {
      const values = Array.from({ length: 2_000 }, () => {
        random.hex(3);
        return random.next();
      });
      mustEqual(new Set(values).size, 2_000, 'the number of different numbers');
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      must(Math.abs(mean - 0.5) < 0.05, `the mean is near 0.5 and not ${mean}`);
    },
  },
];

function drawn(random: Random): number[] {
  return Array.from({ length: draws }, () => random.next());
}
