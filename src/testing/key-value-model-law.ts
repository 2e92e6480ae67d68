/** The model law of keys and values: random operations agree with a plain map. */
import { textOf } from '../core/errors.ts';
import type { KeyValue, KeyValueResult } from '../ports/key-value.ts';
import { type KeyValueSubject, revisionOf } from './key-value-subject.ts';
import { bytesOf, mustEqual, readText } from './law-checks.ts';
import type { Law } from './laws.ts';
import { SimRandom } from './sim-random.ts';

type Model = Map<string, { readonly text: string; readonly revision: number }>;

const keys = ['a', 'a/1', 'a/2', 'b', 'é'];

/** See {@link KeyValueSubject}. */
export const keyValueModelLaws: readonly Law<KeyValueSubject>[] = [
  {
    name: 'agrees with a model over random operations',
    async run({ keyValue }) {
      const model: Model = new Map();
      for (let seed = 1; seed <= 5; seed++) {
        const random = new SimRandom(`key-value-model/${seed}`);
        try {
          for (let count = 0; count < 200; count++) await operate(keyValue, model, random);
        } catch (error) {
          throw new Error(`seed ${seed}: ${textOf(error)}`, { cause: error });
        }
      }
    },
  },
];

async function operate(keyValue: KeyValue, model: Model, random: SimRandom): Promise<void> {
  const key = random.pick(keys) ?? 'a';
  const found = model.get(key);
  const revision = (found?.revision ?? 0) + (random.chance(0.2) ? 1 : 0);
  const text = random.hex(random.below(20));
  const draw = random.below(5);
  if (draw === 0) {
    const result = await keyValue.create(key, bytesOf(text));
    settle(model, { key, text, isDue: found === undefined, result });
  } else if (draw === 1) {
    const result = await keyValue.compareAndSet(key, bytesOf(text), revision);
    settle(model, { key, text, isDue: found?.revision === revision, result });
  } else if (draw === 2) {
    const result = await keyValue.delete(key, revision);
    settle(model, { key, text: undefined, isDue: found?.revision === revision, result });
  } else if (draw === 3) {
    const entry = await keyValue.get(key);
    const actual = entry && { text: readText(entry.value), revision: entry.revision };
    mustEqual(actual, found, `what is found at ${key}`);
  } else {
    const prefix = random.pick(['', 'a', 'a/', 'z']) ?? '';
    const expected = [...model.keys()].filter(each => each.startsWith(prefix)).sort();
    mustEqual(await keyValue.keys(prefix), expected, `the keys that begin with "${prefix}"`);
  }
}

interface Settled {
  readonly key: string;
  readonly text: string | undefined;
  readonly isDue: boolean;
  readonly result: KeyValueResult;
}

function settle(model: Model, { key, text, isDue, result }: Settled): void {
  mustEqual(result.status, isDue ? 'accepted' : 'conflict', `the answer for ${key}`);
  if (!isDue) return;
  if (text === undefined) model.delete(key);
  else model.set(key, { text, revision: revisionOf(result) });
}
