/** The laws of keeping and letting go: trimming, opening again, closing. */
import { TroupeError } from '../core/errors.ts';
import { must, mustEqual, mustFail, patternBytes, sameBytes, started } from './law-checks.ts';
import type { Law } from './laws.ts';
import {
  allHeads,
  headOf,
  type LogSubject,
  put,
  putEach,
  readAll,
  readAllLatest,
  record,
  snapshot,
  textsOf,
} from './log-law-steps.ts';

const history = ['one', 'two', snapshot('three'), 'four', snapshot('five'), 'six'];

/** See {@link LogSubject}. */
export const logTrimLaws: readonly Law<LogSubject>[] = [
  {
    name: 'trims what lies before a place and keeps the rest',
    async run({ log }) {
      const seqs = await putEach(log, 'a/1', history);
      await log.trim('a/1', seqs[2] ?? 0);
      const slice = await readAll(log, 'a/1');
      mustEqual(textsOf(slice), ['three', 'four', 'five', 'six'], 'what is left');
      mustEqual(
        slice.records.map(each => each.seq),
        seqs.slice(2),
        'their places',
      );
      mustEqual(slice.tail, seqs[5], 'the tail');
    },
  },
  {
    name: 'refuses to trim behind the newest snapshot, and changes nothing then',
    async run({ log }) {
      const seqs = await putEach(log, 'a/1', history);
      for (const before of [(seqs[4] ?? 0) + 1, seqs[5] ?? 0, (seqs[5] ?? 0) + 1]) {
        await mustFail(log.trim('a/1', before), 'INVALID_INPUT', `trimming to ${before}`);
      }
      mustEqual((await readAll(log, 'a/1')).records.length, 6, 'the number of records left');
    },
  },
  {
    name: 'refuses to trim a log without a snapshot',
    async run({ log }) {
      const [, second = 0] = await putEach(log, 'a/1', ['one', 'two']);
      await mustFail(log.trim('a/1', second), 'INVALID_INPUT', 'trimming without a snapshot');
      await mustFail(log.trim('a/none', 1), 'INVALID_INPUT', 'trimming a log there is not');
      mustEqual(textsOf(await readAll(log, 'a/1')), ['one', 'two'], 'what is left');
    },
  },
  {
    name: 'never empties a log by trimming',
    async run({ log }) {
      const tail = await put(log, 'a/1', 0, ['one', snapshot('two')]);
      await log.trim('a/1', tail);
      const slice = await readAll(log, 'a/1');
      mustEqual([textsOf(slice), slice.tail], [['two'], tail], 'what is left');
      const again = await log.append('a/1', 0, [record('fresh')]);
      mustEqual(again, { status: 'conflict' }, 'an append behind 0 of a trimmed log');
      const next = await put(log, 'a/1', tail, ['three']);
      must(next > tail, 'places go on rising');
      mustEqual(textsOf(await log.readLatest('a/1')), ['two', 'three'], 'the latest');
    },
  },
  {
    name: 'never shows again what was trimmed',
    async run({ log }) {
      const seqs = await putEach(log, 'a/1', history);
      await log.trim('a/1', seqs[4] ?? 0);
      await log.trim('a/1', seqs[2] ?? 0);
      await log.trim('a/1', 0);
      let tail = seqs[5] ?? 0;
      for (let round = 0; round < 5; round++) {
        const seq = await put(log, 'a/1', tail, [snapshot(`cut ${round}`)]);
        must(seq > tail, 'a new place is above all that ever were');
        tail = seq;
        await log.trim('a/1', tail);
        mustEqual(textsOf(await readAll(log, 'a/1')), [`cut ${round}`], 'what is left');
      }
    },
  },
  {
    name: 'pages and reads from a place that was trimmed as if nothing had been there',
    async run({ log }) {
      const seqs = await putEach(log, 'a/1', history);
      await log.trim('a/1', seqs[2] ?? 0);
      const behindFirst = await readAll(log, 'a/1', seqs[0], 1);
      mustEqual(textsOf(behindFirst), ['three', 'four', 'five', 'six'], 'behind the first');
    },
  },
  {
    name: 'leaves other logs and the time to wake alone when it trims',
    async run({ log }) {
      const other = await putEach(log, 'a/10', history);
      const tail = await put(log, 'a/1', 0, ['one']);
      await log.append('a/1', tail, [snapshot('two')], { wakeAt: 77 });
      const head = await headOf(log, 'a/1');
      await log.trim('a/1', head?.tail ?? 0);
      mustEqual(await headOf(log, 'a/1'), head, 'the head');
      mustEqual((await readAll(log, 'a/10')).tail, other[5], 'the tail of the other log');
      mustEqual((await readAll(log, 'a/10')).records.length, 6, 'records of the other log');
    },
  },
];

/** See {@link LogSubject}. */
export const logReopenLaws: readonly Law<LogSubject>[] = [
  {
    name: 'has everything that was acknowledged after it is opened again',
    needs: ['reopen'],
    async run({ log, reopen }) {
      const names = Array.from({ length: 20 }, (_, index) => `kept/${index}`);
      await Promise.all(names.map(name => putEach(log, name, history)));
      const large = patternBytes(100_000);
      await log.append('kept/large', 0, [{ bytes: large }], { wakeAt: 1_900_000_000_000 });
      const headsBefore = sortedByName(await allHeads(log));

      const again = (await reopen?.()) ?? log;
      for (const name of names) {
        const { records } = await readAll(again, name);
        mustEqual(records.length, history.length, `the number of records of ${name}`);
        mustEqual(textsOf(await readAllLatest(again, name)), ['five', 'six'], 'the latest');
      }
      const kept = (await readAll(again, 'kept/large')).records[0]?.bytes ?? new Uint8Array();
      must(sameBytes(kept, large), 'the large record is the same');
      mustEqual(sortedByName(await allHeads(again)), headsBefore, 'the heads');
    },
  },
  {
    name: 'expects the same places after it is opened again',
    needs: ['reopen'],
    async run({ log, reopen }) {
      let current = log;
      let tail = 0;
      for (let round = 0; round < 5; round++) {
        const seq = await put(current, 'a/1', tail, [`${round}`]);
        current = (await reopen?.()) ?? log;
        const late = await current.append('a/1', tail, [record('late')]);
        mustEqual(late, { status: 'conflict' }, `a late append in round ${round}`);
        tail = seq;
      }
      mustEqual(textsOf(await readAll(current, 'a/1')), ['0', '1', '2', '3', '4'], 'what is read');
    },
  },
  {
    name: 'does not show what was trimmed after it is opened again',
    needs: ['reopen'],
    async run({ log, reopen }) {
      const seqs = await putEach(log, 'a/1', history);
      await log.trim('a/1', seqs[4] ?? 0);
      const again = (await reopen?.()) ?? log;
      mustEqual(textsOf(await readAll(again, 'a/1')), ['five', 'six'], 'what is left');
      const seq = await put(again, 'a/1', seqs[5] ?? 0, ['seven']);
      must(seq > (seqs[5] ?? 0), 'places go on rising');
    },
  },
  {
    name: 'has every append that was accepted while it was being closed',
    needs: ['reopen'],
    async run({ log, reopen }) {
      const names = Array.from({ length: 30 }, (_, index) => `last/${index}`);
      const appending = names.map(name => log.append(name, 0, [record(name)]));
      const [again = log, ...results] = await Promise.all([reopen?.(), ...appending]);
      for (const [index, name] of names.entries()) {
        if (results[index]?.status !== 'accepted') continue;
        mustEqual(textsOf(await readAll(again, name)), [name], `what is read from ${name}`);
      }
    },
  },
];

/** See {@link LogSubject}. */
export const logDamageLaws: readonly Law<LogSubject>[] = [
  {
    name: 'answers for a damaged log with LOG_CORRUPT, and serves the others',
    needs: ['damage'],
    async run({ log, damage }) {
      const [, second = 0] = await putEach(log, 'a/1', ['one', 'text to be damaged']);
      const other = await put(log, 'a/2', 0, ['sound']);
      await damage?.('a/1', 'text to be damaged');
      await mustFail(readAll(log, 'a/1'), 'LOG_CORRUPT', 'reading');
      await mustFail(log.readLatest('a/1'), 'LOG_CORRUPT', 'reading the latest');
      const appending = log.append('a/1', second, [record('three')]);
      await mustFail(appending, 'LOG_CORRUPT', 'appending to a log that is known to be damaged');
      await put(log, 'a/2', other, ['still']);
      mustEqual(textsOf(await readAll(log, 'a/2')), ['sound', 'still'], 'the other log');
    },
  },
];

/** See {@link LogSubject}. */
export const logCloseLaws: readonly Law<LogSubject>[] = [
  {
    name: 'answers appends that are in flight before it is closed',
    async run({ log }) {
      const appending = Array.from({ length: 20 }, (_, index) =>
        log.append(`a/${index}`, 0, [record('x')]),
      );
      let isAnswered = false;
      const answered = started(
        Promise.all(appending).finally(() => {
          isAnswered = true;
        }),
      );
      await log.close();
      // An answer takes a few turns of the microtask queue from the engine to here.
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      must(isAnswered, 'closing waits for appends in flight');
      for (const { status } of await answered) mustEqual(status, 'accepted', 'the answer');
    },
  },
  {
    name: 'may be closed twice and refuses everything after that',
    async run({ log }) {
      await put(log, 'a/1', 0, [snapshot('one')]);
      await Promise.all([log.close(), log.close()]);
      await log.close();
      await mustFail(log.append('a/1', 0, [record('x')]), 'NOT_STARTED', 'an append');
      await mustFail(log.read('a/1', { after: 0 }), 'NOT_STARTED', 'a read');
      await mustFail(log.readLatest('a/1'), 'NOT_STARTED', 'reading the latest');
      await mustFail(log.trim('a/1', 1), 'NOT_STARTED', 'trimming');
      await mustFail(log.heads({}), 'NOT_STARTED', 'listing');
    },
  },
  {
    name: 'answers what is asked for while it is being closed, or refuses it, but ends it',
    async run({ log }) {
      await put(log, 'a/1', 0, ['one']);
      const closing = log.close();
      const refusals: Promise<unknown>[] = [];
      for (let turn = 0; turn < 100; turn++) {
        refusals.push(refusalOf(log.append(`late/${turn}`, 0, [record('x')])));
        refusals.push(refusalOf(log.read('a/1', { after: 0 })), refusalOf(log.heads({})));
        await Promise.resolve();
      }
      await closing;
      refusals.push(refusalOf(log.readLatest('a/1')));
      for (const code of await Promise.all(refusals)) {
        if (code !== undefined) mustEqual(code, 'NOT_STARTED', 'why it was refused');
      }
    },
  },
  {
    name: 'reports no failure when it is closed in good order',
    async run({ log }) {
      const failures: unknown[] = [];
      log.onFailure(error => failures.push(error));
      await put(log, 'a/1', 0, ['one']);
      await log.close();
      mustEqual(failures.length, 0, 'the number of failures');
    },
  },
];

/** Why a request was refused; nothing when it was not. */
async function refusalOf(request: Promise<unknown>): Promise<unknown> {
  try {
    await request;
    return undefined;
  } catch (error) {
    return TroupeError.is(error) ? error.code : error;
  }
}

function sortedByName<Head extends { readonly name: string }>(heads: readonly Head[]): Head[] {
  return heads.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}
