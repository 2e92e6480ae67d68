/** The laws of appending: compare-and-append is what fences writers. */
import {
  bytesOf,
  must,
  mustEqual,
  mustFail,
  patternBytes,
  readText,
  sameBytes,
  started,
} from './law-checks.ts';
import type { Law } from './laws.ts';
import {
  headOf,
  type LogSubject,
  put,
  putEach,
  readAll,
  record,
  snapshot,
  textsOf,
} from './log-law-steps.ts';

/** See {@link LogSubject}. */
export const logAppendLaws: readonly Law<LogSubject>[] = [
  {
    name: 'accepts the first append behind 0 and names the tail',
    async run({ log }) {
      const seq = await put(log, 'a/1', 0, ['one']);
      must(Number.isSafeInteger(seq) && seq > 0, 'a place is a whole number above 0');
      const slice = await readAll(log, 'a/1');
      mustEqual(textsOf(slice), ['one'], 'what is read');
      mustEqual([slice.tail, slice.records[0]?.seq], [seq, seq], 'the tail and the place');
    },
  },
  {
    name: 'answers an append behind an older place with a conflict',
    async run({ log }) {
      const [first = 0] = await putEach(log, 'a/1', ['one', 'two']);
      for (const expected of [0, first]) {
        const result = await log.append('a/1', expected, [record('late')]);
        mustEqual(result, { status: 'conflict' }, `behind ${expected}`);
      }
    },
  },
  {
    name: 'answers an append behind a place that does not exist with a conflict',
    async run({ log }) {
      const seq = await put(log, 'a/1', 0, ['one']);
      const result = await log.append('a/1', seq + 1_000, [record('early')]);
      mustEqual(result, { status: 'conflict' }, 'an append beyond the tail');
    },
  },
  {
    name: 'answers an append to a new log behind another place than 0 with a conflict',
    async run({ log }) {
      const result = await log.append('a/1', 7, [record('early')]);
      mustEqual(result, { status: 'conflict' }, 'an append behind 7 of an empty log');
      mustEqual(await headOf(log, 'a/1'), undefined, 'the head of a log without a record');
      await put(log, 'a/1', 0, ['one']);
    },
  },
  {
    name: 'stores nothing on a conflict, neither records nor the time to wake',
    async run({ log }) {
      const seq = await put(log, 'a/1', 0, ['one']);
      await log.append('a/1', 0, [record('x'), snapshot('y')], { wakeAt: 5 });
      const slice = await readAll(log, 'a/1');
      mustEqual([textsOf(slice), slice.tail], [['one'], seq], 'what is read');
      mustEqual((await headOf(log, 'a/1'))?.wakeAt, Number.POSITIVE_INFINITY, 'when to wake');
    },
  },
  {
    name: 'lets exactly one of many concurrent appends behind one place win',
    async run({ log }) {
      let tail = 0;
      for (let round = 0; round < 10; round++) {
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            log.append('a/1', tail, [record(`${round}-${index}`)]),
          ),
        );
        const winners = results.flatMap((result, index) =>
          result.status === 'accepted' ? [{ index, seq: result.seq }] : [],
        );
        mustEqual(winners.length, 1, `the number of winners in round ${round}`);
        const [winner] = winners;
        const slice = await readAll(log, 'a/1', tail);
        mustEqual(textsOf(slice), [`${round}-${winner?.index}`], 'what is read');
        tail = slice.tail;
        mustEqual(winner?.seq, tail, "the winner's place");
      }
    },
  },
  {
    name: 'decides appends that are issued without waiting in the order of issue',
    async run({ log }) {
      for (let round = 0; round < 20; round++) {
        const results = await Promise.all(
          ['first', 'second', 'third'].map(text => log.append(`a/${round}`, 0, [record(text)])),
        );
        const statuses = results.map(result => result.status);
        mustEqual(statuses, ['accepted', 'conflict', 'conflict'], 'the answers');
      }
    },
  },
  {
    name: 'appends several records at once, in their order',
    async run({ log }) {
      const texts = Array.from({ length: 50 }, (_, index) => `record ${index}`);
      const seq = await put(log, 'a/1', 0, texts);
      const slice = await readAll(log, 'a/1');
      mustEqual(textsOf(slice), texts, 'what is read');
      mustEqual([slice.tail, slice.records.at(-1)?.seq], [seq, seq], 'the place of the last');
    },
  },
  {
    name: 'shows all records of an append or none while it is under way',
    async run({ log }) {
      const batch = ['1', '2', '3', '4', '5'];
      let tail = 0;
      for (let round = 0; round < 20; round++) {
        const appending = started(put(log, 'a/1', tail, batch));
        const seen = await Promise.all([readAll(log, 'a/1'), readAll(log, 'a/1')]);
        for (const slice of seen) {
          mustEqual(slice.records.length % batch.length, 0, 'records of a part of an append');
        }
        tail = await appending;
      }
    },
  },
  {
    name: 'gives rising places',
    async run({ log }) {
      let tail = 0;
      for (let round = 0; round < 10; round++) tail = await put(log, 'a/1', tail, ['x', 'y']);
      const seqs = (await readAll(log, 'a/1')).records.map(each => each.seq);
      mustEqual(seqs.length, 20, 'the number of records');
      must(
        seqs.every((seq, index) => seq > (seqs[index - 1] ?? 0)),
        'each place is above the one before',
      );
    },
  },
  {
    name: 'refuses a record that is too large, and stores nothing of its append',
    async run({ log }) {
      const seq = await put(log, 'a/1', 0, ['one']);
      const large = { bytes: new Uint8Array(log.capabilities.recordBytesMax + 1) };
      await mustFail(
        log.append('a/1', seq, [record('small'), large, record('small')]),
        'PAYLOAD_TOO_LARGE',
        'an append with a record that is too large',
      );
      mustEqual(textsOf(await readAll(log, 'a/1')), ['one'], 'what is read');
      await put(log, 'a/1', seq, ['two']);
    },
  },
  {
    name: 'takes a record of the largest size and gives it back',
    async run({ log }) {
      const bytes = patternBytes(log.capabilities.recordBytesMax);
      const seq = await put(log, 'a/1', 0, [{ bytes }]);
      await put(log, 'a/1', seq, ['small']);
      const { records } = await readAll(log, 'a/1');
      must(sameBytes(records[0]?.bytes ?? new Uint8Array(), bytes), 'the large record is the same');
      mustEqual(readText(records[1]?.bytes ?? new Uint8Array()), 'small', 'the record behind it');
    },
  },
  {
    name: 'keeps every byte, and records without any',
    async run({ log }) {
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      const zeros = new Uint8Array(300);
      const contents = [new Uint8Array(), all, new Uint8Array(), zeros];
      await put(
        log,
        'a/1',
        0,
        contents.map(bytes => ({ bytes })),
      );
      const { records } = await readAll(log, 'a/1');
      mustEqual(
        records.map(each => each.bytes),
        contents,
        'what is read',
      );
    },
  },
  {
    name: 'stores the same bytes twice when they are appended twice',
    async run({ log }) {
      const seq = await put(log, 'a/1', 0, ['same']);
      await put(log, 'a/1', seq, ['same']);
      mustEqual(textsOf(await readAll(log, 'a/1')), ['same', 'same'], 'what is read');
    },
  },
  {
    name: 'answers the repetition of an accepted append with a conflict that shows it',
    async run({ log }) {
      const seq = await put(log, 'a/1', 0, ['one']);
      await put(log, 'a/1', seq, ['own']);
      const again = await log.append('a/1', seq, [record('own')]);
      mustEqual(again, { status: 'conflict' }, 'the second attempt');
      mustEqual(textsOf(await readAll(log, 'a/1', seq)), ['own'], 'what lies behind');
    },
  },
  {
    name: 'takes bytes as they are at the append: changing them afterwards changes nothing',
    async run({ log }) {
      // A view into a larger buffer, because that is what encoders hand over.
      const buffer = bytesOf('__mine__');
      const bytes = buffer.subarray(2, 6);
      await put(log, 'a/1', 0, [{ bytes }]);
      buffer.fill(0);
      mustEqual(textsOf(await readAll(log, 'a/1')), ['mine'], 'what is read');
    },
  },
  {
    name: 'keeps many logs apart, also when they are written at once',
    async run({ log }) {
      const names = Array.from({ length: 100 }, (_, index) => `many/${index}`);
      await Promise.all(
        names.map(name => putEach(log, name, [`${name} 1`, `${name} 2`, `${name} 3`])),
      );
      for (const name of names) {
        const expected = [`${name} 1`, `${name} 2`, `${name} 3`];
        mustEqual(textsOf(await readAll(log, name)), expected, `what is read from ${name}`);
      }
    },
  },
];
