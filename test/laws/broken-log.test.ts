/**
 * Laws can fail: small lies wrapped around the memory engine, each rejected by at least one law.
 */
import { expect, it } from 'vitest';
import { memoryLogs } from '../../src/engines/memory/log.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import type { AppendResult, Log, LogSlice, NewRecord } from '../../src/ports/log.ts';
import { checkLaws } from '../../src/testing/laws.ts';
import type { LogSubject } from '../../src/testing/log-law-steps.ts';
import { logLaws } from '../../src/testing/log-laws.ts';

/** What a lie replaces, made anew for each subject. */
type Lie = (log: Log) => Partial<Log>;

const lies: Readonly<Record<string, Lie>> = {
  'append ignores what is expected': log => ({
    async append(name, _, records, options) {
      const { tail } = await log.read(name, { after: 0, recordsMax: 1 });
      return log.append(name, tail, records, options);
    },
  }),
  'append checks what is expected only against what it has seen': log => ({
    async append(name, expected, records, options) {
      const { tail } = await log.read(name, { after: 0 });
      if (tail !== expected) return { status: 'conflict' };
      await Promise.resolve();
      const now = await log.read(name, { after: 0 });
      return log.append(name, now.tail, records, options);
    },
  }),
  'append stores records one by one': log => ({
    async append(name, expected, records, options) {
      let result: AppendResult = { status: 'conflict' };
      let tail = expected;
      for (const each of records) {
        result = await log.append(name, tail, [each], options);
        if (result.status !== 'accepted') return result;
        tail = result.seq;
      }
      return result;
    },
  }),
  'append loses its last record': log => ({
    append: (name, expected, records, options) =>
      log.append(name, expected, records.length > 1 ? records.slice(0, -1) : records, options),
  }),
  'append takes the same bytes only once': log => {
    const seen = new Map<string, AppendResult>();
    return {
      async append(name, expected, records, options) {
        const key = `${name} ${records.map(each => Buffer.from(each.bytes).toString('hex'))}`;
        const known = seen.get(key);
        if (known !== undefined) return known;
        const result = await log.append(name, expected, records, options);
        if (result.status === 'accepted') seen.set(key, result);
        return result;
      },
    };
  },
  'a large record is cut short': log => ({
    append: (name, expected, records, options) =>
      log.append(name, expected, records.map(cutShort), options),
  }),
  'snapshots are not marked': log => ({
    append: (name, expected, records, options) =>
      log.append(
        name,
        expected,
        records.map(({ bytes }) => ({ bytes })),
        options,
      ),
  }),
  'when to wake is lost': log => ({
    append: (name, expected, records) => log.append(name, expected, records),
  }),
  'when to wake is forgotten when it is left out': log => ({
    append: (name, expected, records, options) =>
      log.append(name, expected, records, { wakeAt: options?.wakeAt ?? Number.POSITIVE_INFINITY }),
  }),
  'when to wake changes on a conflict': log => {
    const wakes = new Map<string, number>();
    return {
      append(name, expected, records, options) {
        if (options?.wakeAt !== undefined) wakes.set(name, options.wakeAt);
        return log.append(name, expected, records, options);
      },
      async heads(options) {
        const page = await log.heads(options);
        const heads = page.heads.map(head => ({
          ...head,
          wakeAt: wakes.get(head.name) ?? head.wakeAt,
        }));
        return { ...page, heads };
      },
    };
  },
  'reads alias': log => {
    const shown = new Map<string, LogSlice>();
    return {
      async read(name, options) {
        const slice = await log.read(name, options);
        const key = `${name} ${JSON.stringify(options)} ${slice.tail}`;
        const known = shown.get(key) ?? slice;
        shown.set(key, known);
        return known;
      },
    };
  },
  'reads include the record at the place': log => ({
    read: (name, options) => log.read(name, { ...options, after: options.after - 1 }),
  }),
  'reads call a page complete': log => ({
    read: async (name, options) => ({ ...(await log.read(name, options)), isComplete: true }),
  }),
  'reads give the last record shown as the tail': log => ({
    async read(name, options) {
      const slice = await log.read(name, options);
      return { ...slice, tail: slice.records.at(-1)?.seq ?? 0 };
    },
  }),
  'reads show the last record late': log => ({
    async read(name, options) {
      const slice = await log.read(name, options);
      const records = slice.records.slice(0, -1);
      return { ...slice, records, tail: records.at(-1)?.seq ?? 0 };
    },
  }),
  'the latest is the whole log': log => ({
    readLatest: name => log.read(name, { after: 0, recordsMax: 100_000 }),
  }),
  'the latest begins behind the snapshot': log => ({
    async readLatest(name) {
      const slice = await log.readLatest(name);
      return { ...slice, records: slice.records.filter(each => !each.isSnapshot) };
    },
  }),
  'trim does nothing': () => ({ trim: async () => undefined }),
  'trim drops one record more': log => ({
    trim: (name, before) => log.trim(name, before + 1),
  }),
  'trim accepts any place': log => ({
    async trim(name, before) {
      await log.trim(name, before).catch(() => undefined);
    },
  }),
  'trim drops the newest snapshot': log => ({
    async trim(name, before) {
      await log.trim(name, before);
      trimmed.set(log, name);
    },
    async read(name, options) {
      const slice = await log.read(name, options);
      if (trimmed.get(log) !== name) return slice;
      const newest = slice.records.findLast(each => each.isSnapshot);
      return { ...slice, records: slice.records.filter(each => each !== newest) };
    },
  }),
  'names are compared without case': log => ({
    append: (name, ...rest) => log.append(name.toLowerCase(), ...rest),
    read: (name, options) => log.read(name.toLowerCase(), options),
  }),
  'names are normalised': log => ({
    append: (name, ...rest) => log.append(name.normalize('NFC'), ...rest),
    read: (name, options) => log.read(name.normalize('NFC'), options),
  }),
  'a beginning is taken for a whole word': log => ({
    async heads(options) {
      const page = await log.heads(options);
      const { prefix = '' } = options;
      const isWord = (name: string) => name === prefix || name.startsWith(`${prefix}/`);
      return { ...page, heads: page.heads.filter(head => prefix === '' || isWord(head.name)) };
    },
  }),
  'listing skips what the limit cut off': log => ({
    heads: async options => ({ heads: (await log.heads(options)).heads }),
  }),
  'listing forgets what is due': log => ({
    heads: ({ dueAt: _, ...rest }) => log.heads(rest),
  }),
  'listing invents a log': log => ({
    async heads(options) {
      const page = await log.heads(options);
      return { ...page, heads: [...page.heads, { name: 'a/ghost', tail: 1, wakeAt: 0 }] };
    },
  }),
  'an empty log never ends': log => ({
    async read(name, options) {
      const slice = await log.read(name, options);
      return { ...slice, isComplete: slice.isComplete && slice.tail > 0 };
    },
  }),
  'closing does not refuse what comes later': log => ({
    close: async () => undefined,
    append: (name, ...rest) => log.append(name, ...rest),
  }),
  'closing twice fails': log => {
    let isClosed = false;
    return {
      async close() {
        if (isClosed) throw new Error('closed twice');
        isClosed = true;
        await log.close();
      },
    };
  },
};

/** The laws that have rejected something. */
const rejecting = new Set<string>();

const trimmed = new WeakMap<Log, string>();

const stores: Readonly<Record<string, () => LogSubject>> = {
  'a restart that loses everything': () => ({
    log: memoryLogs().open(),
    reopen: async () => memoryLogs().open(),
  }),
  'a restart that loses the last record of each log': () => {
    const store = memoryLogs();
    const log = store.open();
    return {
      log,
      async reopen() {
        const { heads } = await store.open().heads({});
        for (const { name } of heads) store.regress(name, 1);
        return store.open();
      },
    };
  },
  'a log whose answers are lost': () => {
    const store = memoryLogs();
    store.faults.next('unknown-stored', { times: 1_000_000 });
    return { log: store.open() };
  },
};

it('keeps every law with nothing wrapped around it, so that a wrapper is what fails', async () => {
  expect(await broken(truthful)).toEqual([]);
});

for (const [name, lie] of Object.entries(lies)) {
  it(`rejects a log where ${name}`, async () => {
    expect((await broken(() => subjectWith(lie))).length).toBeGreaterThan(0);
  });
}

for (const [name, open] of Object.entries(stores)) {
  it(`rejects ${name}`, async () => {
    expect((await broken(open)).length).toBeGreaterThan(0);
  });
}

it('has no law that rejects nothing', () => {
  expect(logLaws.map(law => law.name).filter(name => !rejecting.has(name))).toEqual([]);
});

function truthful(): LogSubject {
  return subjectWith(() => ({}));
}

/** A memory log of which some methods are replaced, and which lies the same way when reopened. */
function subjectWith(lie: Lie): LogSubject {
  const store = memoryLogs();
  const wrapped = (): Log => {
    const log = store.open();
    const honest: Log = {
      capabilities: log.capabilities,
      append: (...input) => log.append(...input),
      read: (...input) => log.read(...input),
      readLatest: name => log.readLatest(name),
      trim: (...input) => log.trim(...input),
      heads: options => log.heads(options),
      onFailure: listener => log.onFailure(listener),
      close: () => log.close(),
    };
    return { ...honest, ...lie(log) };
  };
  return {
    log: wrapped(),
    reopen: async () => wrapped(),
    damage: async name => store.damage(name),
  };
}

/** The names of the laws that a subject breaks. */
async function broken(open: () => LogSubject): Promise<string[]> {
  // A law that cannot be checked would count as broken, and prove nothing about the lie.
  const offered = open();
  const suite = {
    port: 'Log',
    engine: 'a lie',
    laws: logLaws.filter(law => law.needs?.every(need => offered[need] !== undefined) ?? true),
    open: async () => ({ ...open(), [Symbol.asyncDispose]: async () => undefined }),
  };
  const results = await checkLaws(suite, systemClock());
  const names = results.filter(result => result.status === 'broken').map(result => result.law);
  for (const name of names) rejecting.add(name);
  return names;
}

function cutShort(each: NewRecord): NewRecord {
  return { ...each, bytes: each.bytes.subarray(0, 1_000_000) };
}
