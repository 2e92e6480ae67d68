/** The laws of the KeyValue port: conditions, revisions, listing, watching. */
import type { KeyValue, KeyValueResult } from '../ports/key-value.ts';
import { keyValueModelLaws } from './key-value-model-law.ts';
import { type KeyValueSubject, revisionOf } from './key-value-subject.ts';
import { keyValueWatchLaws } from './key-value-watch-laws.ts';
import {
  bytesOf,
  failureOf,
  must,
  mustEqual,
  mustFail,
  patternBytes,
  readText,
} from './law-checks.ts';
import type { Law } from './laws.ts';

const conflict: KeyValueResult = { status: 'conflict' };

const conditionLaws: readonly Law<KeyValueSubject>[] = [
  {
    name: 'has nothing under a key that was never written',
    async run({ keyValue }) {
      mustEqual(await keyValue.get('a'), undefined, 'what is found');
    },
  },
  {
    name: 'creates a key and gives its value and revision',
    async run({ keyValue }) {
      const revision = revisionOf(await keyValue.create('a', bytesOf('one')));
      must(Number.isSafeInteger(revision) && revision > 0, 'a revision is a whole number above 0');
      mustEqual(
        await keyValue.get('a'),
        { key: 'a', value: bytesOf('one'), revision },
        'what is found',
      );
    },
  },
  {
    name: 'does not create a key that exists',
    async run({ keyValue }) {
      const revision = revisionOf(await keyValue.create('a', bytesOf('one')));
      mustEqual(await keyValue.create('a', bytesOf('two')), conflict, 'the second creation');
      mustEqual(await textAt(keyValue, 'a'), ['one', revision], 'what is found');
    },
  },
  {
    name: 'sets a key that has the revision, and only then',
    async run({ keyValue }) {
      const first = revisionOf(await keyValue.create('a', bytesOf('one')));
      const second = revisionOf(await keyValue.compareAndSet('a', bytesOf('two'), first));
      for (const wrong of [first, second + 1, 0]) {
        const result = await keyValue.compareAndSet('a', bytesOf('late'), wrong);
        mustEqual(result, conflict, `setting at revision ${wrong}`);
      }
      mustEqual(await textAt(keyValue, 'a'), ['two', second], 'what is found');
    },
  },
  {
    name: 'sets no key that does not exist',
    async run({ keyValue }) {
      for (const revision of [0, 1]) {
        const result = await keyValue.compareAndSet('a', bytesOf('one'), revision);
        mustEqual(result, conflict, `setting at revision ${revision}`);
      }
      mustEqual(await keyValue.get('a'), undefined, 'what is found');
    },
  },
  {
    name: 'deletes a key that has the revision, and only then',
    async run({ keyValue }) {
      const first = revisionOf(await keyValue.create('a', bytesOf('one')));
      const second = revisionOf(await keyValue.compareAndSet('a', bytesOf('two'), first));
      for (const wrong of [first, second + 1, 0]) {
        mustEqual(await keyValue.delete('a', wrong), conflict, `deleting at revision ${wrong}`);
      }
      revisionOf(await keyValue.delete('a', second));
      mustEqual(await keyValue.get('a'), undefined, 'what is found');
      mustEqual(await keyValue.delete('a', second), conflict, 'deleting once more');
    },
  },
  {
    name: 'raises the revision of a key with every change, also across its deletion',
    async run({ keyValue }) {
      let last = 0;
      for (let round = 0; round < 5; round++) {
        const created = revisionOf(await keyValue.create('a', bytesOf('same')));
        const set = revisionOf(await keyValue.compareAndSet('a', bytesOf('same'), created));
        const deleted = revisionOf(await keyValue.delete('a', set));
        must(last < created && created < set && set < deleted, 'revisions rise');
        last = deleted;
      }
    },
  },
  {
    name: 'does not take the revision of an earlier life of a key for that of a later one',
    async run({ keyValue }) {
      const old = revisionOf(await keyValue.create('a', bytesOf('same')));
      await keyValue.delete('a', old);
      const fresh = revisionOf(await keyValue.create('a', bytesOf('same')));
      mustEqual(await keyValue.compareAndSet('a', bytesOf('late'), old), conflict, 'a late write');
      mustEqual(await keyValue.delete('a', old), conflict, 'a late deletion');
      mustEqual(await textAt(keyValue, 'a'), ['same', fresh], 'what is found');
    },
  },
  {
    name: 'lets exactly one of many concurrent creations win',
    async run({ keyValue }) {
      for (let round = 0; round < 10; round++) {
        const key = `race-${round}`;
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, index) => keyValue.create(key, bytesOf(`${index}`))),
        );
        const winners = winnersOf(results);
        mustEqual(winners.length, 1, `the number of winners of ${key}`);
        mustEqual((await textAt(keyValue, key))[0], `${winners[0]}`, `what is found at ${key}`);
      }
    },
  },
  {
    name: 'lets exactly one of many concurrent writes at one revision win',
    async run({ keyValue }) {
      let revision = revisionOf(await keyValue.create('a', bytesOf('start')));
      for (let round = 0; round < 10; round++) {
        const at = revision;
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            keyValue.compareAndSet('a', bytesOf(`${round}-${index}`), at),
          ),
        );
        const winners = winnersOf(results);
        mustEqual(winners.length, 1, `the number of winners in round ${round}`);
        const [text, found] = await textAt(keyValue, 'a');
        mustEqual(text, `${round}-${winners[0]}`, 'what is found');
        revision = found;
      }
    },
  },
  {
    name: 'loses no increment of concurrent counters',
    async run({ keyValue }) {
      await keyValue.create('count', bytesOf('0'));
      const increment = async () => {
        for (let attempt = 0; attempt < 1_000; attempt++) {
          const [text, revision] = await textAt(keyValue, 'count');
          const next = bytesOf(`${Number(text) + 1}`);
          const result = await keyValue.compareAndSet('count', next, revision);
          if (result.status === 'accepted') return;
        }
        throw new Error('a counter must get its turn within 1,000 attempts');
      };
      await Promise.all(Array.from({ length: 40 }, increment));
      mustEqual((await textAt(keyValue, 'count'))[0], '40', 'the count');
    },
  },
];

const contentLaws: readonly Law<KeyValueSubject>[] = [
  {
    name: 'lists the keys there are that begin so, sorted',
    async run({ keyValue }) {
      const keys = ['b', 'a/2', 'a/10', 'a', 'a/1', 'A', 'c*', 'c/x'];
      for (const key of keys) await keyValue.create(key, bytesOf(key));
      const gone = revisionOf(await keyValue.create('a/gone', bytesOf('x')));
      await keyValue.delete('a/gone', gone);
      for (const prefix of ['', 'a', 'a/', 'a/1', 'c*', 'none']) {
        const expected = keys.filter(key => key.startsWith(prefix)).sort();
        mustEqual(await keyValue.keys(prefix), expected, `the keys that begin with "${prefix}"`);
      }
    },
  },
  {
    name: 'keeps odd keys apart',
    async run({ keyValue }) {
      const keys = [
        ' ',
        '.',
        '..',
        '../x',
        'a b',
        'a.b',
        'a/b',
        'a//b',
        '*',
        '>',
        '%2F',
        '__proto__',
        '\u00e9',
        'e\u0301',
        '🦊',
        'k'.repeat(512),
        'é'.repeat(256),
      ];
      for (const key of keys) revisionOf(await keyValue.create(key, bytesOf(`of ${key}`)));
      for (const key of keys) {
        mustEqual((await textAt(keyValue, key))[0], `of ${key}`, `what is found at "${key}"`);
      }
      mustEqual((await keyValue.keys('')).toSorted(), keys.toSorted(), 'the keys');
    },
  },
  {
    name: 'refuses a key that is too long or holds control characters',
    async run({ keyValue }) {
      for (const key of ['k'.repeat(513), 'é'.repeat(257), 'a\nb', 'a\u0000b']) {
        const error = await failureOf(keyValue.create(key, bytesOf('x')), 'creating it');
        mustEqual(error.outcome, 'not-executed', 'the outcome');
      }
      mustEqual(await keyValue.keys(''), [], 'the keys');
    },
  },
  {
    name: 'takes values from nothing to 64 KiB, and refuses larger ones',
    async run({ keyValue }) {
      const large = patternBytes(65_536);
      revisionOf(await keyValue.create('empty', new Uint8Array()));
      const revision = revisionOf(await keyValue.create('large', large));
      mustEqual((await keyValue.get('empty'))?.value, new Uint8Array(), 'no bytes');
      mustEqual((await keyValue.get('large'))?.value, large, '64 KiB');
      const tooLarge = new Uint8Array(65_537);
      await mustFail(keyValue.create('more', tooLarge), 'PAYLOAD_TOO_LARGE', 'creating');
      await mustFail(
        keyValue.compareAndSet('large', tooLarge, revision),
        'PAYLOAD_TOO_LARGE',
        'setting',
      );
      mustEqual(await keyValue.keys(''), ['empty', 'large'], 'the keys');
      mustEqual((await keyValue.get('large'))?.revision, revision, 'the revision');
    },
  },
  {
    name: 'shares no bytes with its callers',
    async run({ keyValue }) {
      const buffer = bytesOf('__mine__');
      await keyValue.create('a', buffer.subarray(2, 6));
      buffer.fill(0);
      mustEqual((await textAt(keyValue, 'a'))[0], 'mine', 'after a change of what was passed in');
      (await keyValue.get('a'))?.value.fill(0);
      mustEqual((await textAt(keyValue, 'a'))[0], 'mine', 'after a change of what was returned');
    },
  },
  {
    name: 'has everything that was accepted after it is opened again',
    needs: ['reopen'],
    async run({ keyValue, reopen }) {
      const first = revisionOf(await keyValue.create('a', bytesOf('one')));
      const second = revisionOf(await keyValue.compareAndSet('a', bytesOf('two'), first));
      const gone = revisionOf(await keyValue.create('b', bytesOf('x')));
      const deleted = revisionOf(await keyValue.delete('b', gone));
      const again = (await reopen?.()) ?? keyValue;
      mustEqual(await textAt(again, 'a'), ['two', second], 'what is found');
      mustEqual(await again.keys(''), ['a'], 'the keys');
      const fresh = revisionOf(await again.create('b', bytesOf('y')));
      must(fresh > deleted, 'revisions go on rising');
    },
  },
  {
    name: 'may be closed twice and refuses everything after that',
    async run({ keyValue }) {
      await Promise.all([keyValue.close(), keyValue.close()]);
      await keyValue.close();
      await mustFail(keyValue.get('a'), 'NOT_STARTED', 'reading');
      await mustFail(keyValue.create('a', bytesOf('x')), 'NOT_STARTED', 'creating');
      await mustFail(keyValue.compareAndSet('a', bytesOf('x'), 1), 'NOT_STARTED', 'setting');
      await mustFail(keyValue.delete('a', 1), 'NOT_STARTED', 'deleting');
      await mustFail(keyValue.keys(''), 'NOT_STARTED', 'listing');
      await mustFail(
        keyValue.watch('', () => undefined),
        'NOT_STARTED',
        'watching',
      );
    },
  },
];

/** What every engine keeps that offers keys and values. */
export const keyValueLaws: readonly Law<KeyValueSubject>[] = [
  ...conditionLaws,
  ...contentLaws,
  ...keyValueWatchLaws,
  ...keyValueModelLaws,
];

async function textAt(keyValue: KeyValue, key: string): Promise<[string, number]> {
  const entry = await keyValue.get(key);
  must(entry !== undefined, `"${key}" exists`);
  return [readText(entry.value), entry.revision];
}

function winnersOf(results: readonly KeyValueResult[]): number[] {
  return results.flatMap(({ status }, index) => (status === 'accepted' ? [index] : []));
}
