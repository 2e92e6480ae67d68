/** The laws of listing logs: names, pages, and who has work that is due. */
import { must, mustEqual } from './law-checks.ts';
import type { Law } from './laws.ts';
import {
  allHeads,
  headOf,
  type LogSubject,
  put,
  readAll,
  record,
  textsOf,
} from './log-law-steps.ts';

/** Names that are easily mistaken: for each other, for a path, a pattern, or an escape. */
const oddNames: readonly string[] = [
  'type/key',
  'type/Key',
  'type/key/deeper',
  'type/key.with.dots',
  'type/key with spaces ',
  'type/ ',
  'type/*',
  'type/>',
  'type/..',
  'type/../../escape',
  'type/.',
  'type/%2F',
  'type//',
  'type/\\',
  'type/"quotes\'`',
  'type/$,;:!?&=+#@|<()[]{}~^_-',
  'type/\u00e9',
  'type/e\u0301',
  'type/日本語',
  'type/🦊',
  'type/\u202Ertl',
  'type/__proto__',
  'type/constructor',
  `type/${'k'.repeat(512)}`,
  `type/${'é'.repeat(256)}`,
];

/** See {@link LogSubject}. */
export const logHeadLaws: readonly Law<LogSubject>[] = [
  {
    name: 'lists nothing when there is nothing',
    async run({ log }) {
      const page = await log.heads({});
      mustEqual([page.heads, page.cursor === undefined], [[], true], 'the page');
    },
  },
  {
    name: 'lists a log from its first append on, with its tail',
    async run({ log }) {
      let tail = 0;
      for (let round = 0; round < 5; round++) {
        tail = await put(log, 'a/1', tail, ['x']);
        mustEqual(
          await allHeads(log),
          [{ name: 'a/1', tail, wakeAt: Number.POSITIVE_INFINITY }],
          'the heads',
        );
      }
    },
  },
  {
    name: 'keeps logs with odd names apart',
    async run({ log }) {
      for (const name of oddNames) await put(log, name, 0, [`of ${name}`]);
      for (const name of oddNames) {
        mustEqual(textsOf(await readAll(log, name)), [`of ${name}`], `what is read from ${name}`);
      }
      const listed = (await allHeads(log)).map(head => head.name);
      mustEqual(listed.toSorted(), oddNames.toSorted(), 'the names listed');
    },
  },
  {
    name: 'lists names that begin so, and takes the beginning as it is',
    async run({ log }) {
      const names = ['a/1', 'a/10', 'a/2', 'ab/1', 'b/a/1', 'a%/1', 'a_/1', 'a*/1', 'A/1'];
      for (const name of names) await put(log, name, 0, ['x']);
      for (const prefix of ['a/', 'a/1', 'a', 'a%', 'a_', 'a*', 'b/', '', 'zz']) {
        const listed = (await allHeads(log, { prefix })).map(head => head.name);
        const expected = names.filter(name => name.startsWith(prefix));
        mustEqual(listed.toSorted(), expected.toSorted(), `the names that begin with "${prefix}"`);
      }
    },
  },
  {
    name: 'lists each log once, in pages of at most the size asked for',
    async run({ log }) {
      const names = Array.from({ length: 50 }, (_, index) => `page/${index}`);
      await Promise.all(names.map(name => put(log, name, 0, ['x'])));
      for (const limit of [1, 7, 50, 1_000]) {
        const page = await log.heads({ limit });
        must(page.heads.length <= limit, `at most ${limit} heads`);
        const listed = (await allHeads(log, { limit })).map(head => head.name);
        mustEqual(listed.toSorted(), names.toSorted(), `the names in pages of ${limit}`);
      }
    },
  },
  {
    name: 'lists in the same order each time',
    async run({ log }) {
      const names = Array.from({ length: 30 }, (_, index) => `order/${(index * 7) % 30}`);
      for (const name of names) await put(log, name, 0, ['x']);
      const first = await allHeads(log, { limit: 4 });
      mustEqual(await allHeads(log, { limit: 11 }), first, 'the second listing');
    },
  },
  {
    name: 'goes on behind a cursor while logs are written and added',
    async run({ log }) {
      const names = Array.from({ length: 20 }, (_, index) => `old/${index}`);
      for (const name of names) await put(log, name, 0, ['x']);
      const listed: string[] = [];
      let page = await log.heads({ limit: 3 });
      for (let round = 0; round < 100; round++) {
        listed.push(...page.heads.map(head => head.name));
        if (page.cursor === undefined) break;
        await put(log, `new/${round}`, 0, ['x']);
        const { name, tail } = page.heads[0] ?? { name: 'old/0', tail: 0 };
        await put(log, name, tail, ['y']);
        page = await log.heads({ limit: 3, cursor: page.cursor });
      }
      const old = listed.filter(name => name.startsWith('old/'));
      mustEqual(old.toSorted(), names.toSorted(), 'the logs there were at the beginning');
      mustEqual(new Set(listed).size, listed.length, 'the number of different names');
    },
  },
  {
    name: 'keeps when a log next has work until it is told otherwise',
    async run({ log }) {
      let tail = 0;
      const steps: readonly (readonly [number | undefined, number])[] = [
        [undefined, Number.POSITIVE_INFINITY],
        [1_900_000_000_000, 1_900_000_000_000],
        [undefined, 1_900_000_000_000],
        [0, 0],
        [undefined, 0],
        [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
        [5, 5],
        [undefined, 5],
      ];
      for (const [wakeAt, expected] of steps) {
        const result = await log.append('a/1', tail, [record('x')], { wakeAt });
        must(result.status === 'accepted', 'the append is accepted');
        tail = result.seq;
        mustEqual((await headOf(log, 'a/1'))?.wakeAt, expected, `when to wake after ${wakeAt}`);
      }
    },
  },
  {
    name: 'keeps when a log next has work when it is opened again',
    needs: ['reopen'],
    async run({ log, reopen }) {
      const times = [0, 1, 1_900_000_000_000, Number.POSITIVE_INFINITY];
      for (const [index, wakeAt] of times.entries()) {
        await log.append(`a/${index}`, 0, [record('x')], { wakeAt });
      }
      const again = (await reopen?.()) ?? log;
      for (const [index, wakeAt] of times.entries()) {
        mustEqual((await headOf(again, `a/${index}`))?.wakeAt, wakeAt, 'when to wake');
      }
    },
  },
  {
    name: 'lists the logs whose work is due, and never those without work',
    async run({ log }) {
      const times = { 'a/0': 0, 'a/5': 5, 'b/5': 5, 'a/9': 9, 'a/none': Number.POSITIVE_INFINITY };
      for (const [name, wakeAt] of Object.entries(times)) {
        await log.append(name, 0, [record('x')], { wakeAt });
      }
      await put(log, 'a/never', 0, ['x']);
      const due = async (dueAt: number, prefix?: string) =>
        (await allHeads(log, { dueAt, prefix, limit: 2 })).map(head => head.name).toSorted();
      mustEqual(await due(0), ['a/0'], 'due at 0');
      mustEqual(await due(4), ['a/0'], 'due at 4');
      mustEqual(await due(5), ['a/0', 'a/5', 'b/5'], 'due at 5');
      mustEqual(await due(5, 'a/'), ['a/0', 'a/5'], 'due at 5 among some');
      mustEqual(await due(Number.MAX_SAFE_INTEGER), ['a/0', 'a/5', 'a/9', 'b/5'], 'due ever');
      mustEqual(await due(Number.POSITIVE_INFINITY), ['a/0', 'a/5', 'a/9', 'b/5'], 'due at last');
    },
  },
];
