/** The laws of reading: from a place, in pages, and from the newest snapshot on. */
import { must, mustEqual, started } from './law-checks.ts';
import type { Law } from './laws.ts';
import {
  type LogSubject,
  put,
  putEach,
  readAll,
  readAllLatest,
  snapshot,
  textsOf,
} from './log-law-steps.ts';

/** See {@link LogSubject}. */
export const logReadLaws: readonly Law<LogSubject>[] = [
  {
    name: 'reads a log that was never written as empty and complete',
    async run({ log }) {
      const empty = { records: [], tail: 0, isComplete: true };
      for (const slice of [await log.read('a/1', { after: 0 }), await log.readLatest('a/1')]) {
        const { records, tail, isComplete } = slice;
        mustEqual({ records, tail, isComplete }, empty, 'the answer');
      }
    },
  },
  {
    name: 'reads what lies behind a place, without the record at the place',
    async run({ log }) {
      const texts = ['one', 'two', 'three', 'four'];
      const seqs = await putEach(log, 'a/1', texts);
      for (const [index, seq] of seqs.entries()) {
        const slice = await readAll(log, 'a/1', seq);
        mustEqual(textsOf(slice), texts.slice(index + 1), `what lies behind record ${index}`);
        mustEqual(slice.tail, seqs.at(-1), 'the tail');
      }
    },
  },
  {
    name: 'reads behind a place that no record has',
    async run({ log }) {
      const [first = 0, second = 0] = await putEach(log, 'a/1', ['one', 'two']);
      mustEqual(textsOf(await readAll(log, 'a/1', second - 1)), ['two'], 'behind the place before');
      mustEqual(textsOf(await readAll(log, 'a/1', first - 1)), ['one', 'two'], 'before the first');
    },
  },
  {
    name: 'reads nothing behind the tail or beyond it, and says where the tail is',
    async run({ log }) {
      const tail = await put(log, 'a/1', 0, ['one', 'two']);
      for (const after of [tail, tail + 1, tail + 1_000_000]) {
        const slice = await log.read('a/1', { after });
        mustEqual(
          { texts: textsOf(slice), tail: slice.tail, isComplete: slice.isComplete },
          { texts: [], tail, isComplete: true },
          `the answer behind ${after}`,
        );
      }
    },
  },
  {
    name: 'reads 1,000 records in pages that miss and repeat nothing',
    async run({ log }) {
      const texts = Array.from({ length: 1_000 }, (_, index) => `record ${index}`);
      let tail = 0;
      for (let start = 0; start < texts.length; start += 100) {
        tail = await put(log, 'a/1', tail, texts.slice(start, start + 100));
      }
      for (const recordsMax of [97, 250, 1_000]) {
        const slice = await readAll(log, 'a/1', 0, recordsMax);
        mustEqual(textsOf(slice), texts, `what is read in pages of ${recordsMax}`);
        mustEqual(slice.tail, tail, 'the tail');
      }
    },
  },
  {
    name: 'gives no more records than asked for, and says whether there are more',
    async run({ log }) {
      const tail = await put(log, 'a/1', 0, ['one', 'two', 'three']);
      for (const recordsMax of [1, 2]) {
        const slice = await log.read('a/1', { after: 0, recordsMax });
        must(slice.records.length <= recordsMax, `at most ${recordsMax} records`);
        mustEqual([slice.isComplete, slice.tail], [false, tail], 'complete, and the tail');
      }
      const last = await readAll(log, 'a/1', 0, 3);
      mustEqual([last.records.length, last.isComplete], [3, true], 'records, and complete');
    },
  },
  {
    name: 'gives at most 1,000 records when no number is asked for',
    async run({ log }) {
      const texts = Array.from({ length: 1_100 }, (_, index) => `${index}`);
      const tail = await put(log, 'a/1', 0, texts);
      const slice = await log.read('a/1', { after: 0 });
      must(slice.records.length <= 1_000, 'at most 1,000 records');
      mustEqual([slice.isComplete, slice.tail], [false, tail], 'complete, and the tail');
      mustEqual(textsOf(await readAll(log, 'a/1')), texts, 'what all pages hold');
    },
  },
  {
    name: 'shows every acknowledged append to a read that begins later',
    async run({ log }) {
      if (!log.capabilities.hasLinearizableReads) return;
      let tail = 0;
      for (let round = 0; round < 50; round++) {
        tail = await put(log, 'a/1', tail, [`${round}`]);
        const slice = await log.read('a/1', { after: tail - 1 });
        mustEqual([textsOf(slice), slice.tail], [[`${round}`], tail], 'what is read at once');
        mustEqual(slice.isStale, false, 'stale');
      }
    },
  },
  {
    name: 'shows a prefix of the log to reads during appends',
    async run({ log }) {
      const texts = Array.from({ length: 60 }, (_, index) => `${index}`);
      const appending = started(putEach(log, 'a/1', texts));
      let lengthBefore = 0;
      for (let round = 0; round < 30; round++) {
        const slice = await readAll(log, 'a/1');
        mustEqual(textsOf(slice), texts.slice(0, slice.records.length), 'what is read');
        if (log.capabilities.hasLinearizableReads) {
          must(slice.records.length >= lengthBefore, 'a later read shows no less');
        }
        lengthBefore = slice.records.length;
      }
      await appending;
      mustEqual(textsOf(await readAll(log, 'a/1')), texts, 'what is read in the end');
    },
  },
  {
    name: 'gives bytes of its own: changing what was read changes nothing',
    async run({ log }) {
      await put(log, 'a/1', 0, [snapshot('mine')]);
      for (const read of [() => log.read('a/1', { after: 0 }), () => log.readLatest('a/1')]) {
        (await read()).records[0]?.bytes.fill(0);
        mustEqual(textsOf(await read()), ['mine'], 'what is read after that');
      }
    },
  },
  {
    name: 'keeps which records are snapshots',
    async run({ log }) {
      await put(log, 'a/1', 0, ['one', snapshot('two'), 'three', snapshot('four')]);
      const { records } = await readAll(log, 'a/1');
      const marks = records.map(each => each.isSnapshot);
      mustEqual(marks, [false, true, false, true], 'the marks');
    },
  },
  {
    name: 'reads a log without a snapshot from its beginning',
    async run({ log }) {
      const tail = await put(log, 'a/1', 0, ['one', 'two']);
      const slice = await log.readLatest('a/1');
      mustEqual([textsOf(slice), slice.tail], [['one', 'two'], tail], 'the latest');
    },
  },
  {
    name: 'begins the latest at the newest snapshot',
    async run({ log }) {
      const tail = await put(log, 'a/1', 0, ['one', snapshot('two'), 'three', snapshot('four')]);
      mustEqual(textsOf(await log.readLatest('a/1')), ['four'], 'a snapshot at the tail');
      await put(log, 'a/1', tail, ['five', 'six']);
      const slice = await log.readLatest('a/1');
      mustEqual(textsOf(slice), ['four', 'five', 'six'], 'records behind the snapshot');
      mustEqual(slice.records[0]?.isSnapshot, true, 'whether it begins with the snapshot');
    },
  },
  {
    name: 'begins the latest at a snapshot in the middle of an append',
    async run({ log }) {
      const tail = await put(log, 'a/1', 0, [snapshot('old')]);
      await put(log, 'a/1', tail, ['a', snapshot('b'), 'c']);
      mustEqual(textsOf(await log.readLatest('a/1')), ['b', 'c'], 'the latest');
    },
  },
  {
    name: 'reads on behind the latest when it is too long for one answer',
    async run({ log }) {
      const texts = Array.from({ length: 1_200 }, (_, index) => `${index}`);
      const tail = await put(log, 'a/1', 0, ['old', snapshot('cut'), ...texts]);
      const slice = await readAllLatest(log, 'a/1');
      mustEqual(textsOf(slice), ['cut', ...texts], 'the latest and what lies behind');
      mustEqual(slice.tail, tail, 'the tail');
    },
  },
];
