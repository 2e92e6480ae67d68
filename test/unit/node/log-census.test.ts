/** Counting logs: the chain of each is checked, and the same logs come to the same digest. */
import { describe, expect, it } from 'vitest';
import { memoryLog } from '../../../src/engines/memory/log.ts';
import { censusOf, LogCensus } from '../../../src/node/log-census.ts';
import type { StoredRecord } from '../../../src/ports/log.ts';
import { chainHash, emptyChain } from '../../../src/state/hash.ts';
import { encodeRecord } from '../../../src/state/record.ts';
import { thrownBy } from '../../helpers/thrown-by.ts';

/** So many records of one log, each behind the one before. */
function chainOf(count: number, id: string, previous = emptyChain): StoredRecord[] {
  const records: StoredRecord[] = [];
  let before = previous;
  for (let version = 1; version <= count; version += 1) {
    const rest = { epoch: 1, at: version, stateVersion: 1, origin: undefined, ops: [] };
    const bytes = encodeRecord({ id: `${id}${version}`, previous: before, version, ...rest });
    records.push({ seq: version * 10, bytes, isSnapshot: false });
    before = chainHash(bytes);
  }
  return records;
}

function counted(logs: Readonly<Record<string, readonly StoredRecord[]>>, wakeAt = 5): LogCensus {
  const census = new LogCensus();
  for (const [name, records] of Object.entries(logs)) census.add(name, records, wakeAt);
  return census;
}

const snapshotOf = (record: StoredRecord | undefined): StoredRecord[] =>
  record === undefined ? [] : [{ ...record, isSnapshot: true }];

describe('a census of logs', () => {
  const [one, two] = [chainOf(3, 'one'), chainOf(2, 'two')];

  it('is the same for the same logs, wherever and in which parts they are read', () => {
    const moved = one.map(record => ({ ...record, seq: record.seq + 7 }));
    const report = counted({ a: one, b: two }).report();
    expect(report).toMatchObject({ logCount: 2, recordCount: 5 });
    expect(report.digest).toMatch(/^[0-9a-f]{64}$/);
    const parts = counted({ b: two, a: moved.slice(0, 1) });
    parts.add('a', moved.slice(1), 5);
    expect(parts.report()).toEqual(report);
  });

  it('differs when a record, an agent or its name does', () => {
    const { digest } = counted({ a: one, b: two }).report();
    for (const other of [{ a: one }, { a: one.slice(0, 2), b: two }, { b: one, a: two }]) {
      expect(counted(other).report().digest).not.toBe(digest);
    }
  });

  it('refuses a record that does not follow, and a log without its beginning', () => {
    const [first, second, third] = one;
    const gap = () => counted({ a: [first, third].filter(record => record !== undefined) });
    expect(thrownBy(gap)).toMatchObject({
      code: 'LOG_CORRUPT',
      detail: 'a: the record at 30 does not follow the one before it (its hash differs)',
    });
    const headless = counted({ a: one.slice(1) });
    expect(thrownBy(() => headless.report())).toMatchObject({ code: 'LOG_CORRUPT' });
    expect(counted({ a: snapshotOf(second) }).report()).toMatchObject({ recordCount: 1 });
    headless.add(
      'a',
      snapshotOf(chainOf(1, 'x', third === undefined ? emptyChain : chainHash(third.bytes))[0]),
      5,
    );
    expect(headless.report()).toMatchObject({ recordCount: 3 });
  });

  it('tells what two sets of logs differ in, the time of waking too', () => {
    const source = counted({ a: one, b: two });
    expect(source.differenceFrom(counted({ b: two, a: one }))).toBeUndefined();
    expect(source.differenceFrom(counted({ a: one }))).toBe('b is missing');
    expect(source.differenceFrom(counted({ a: one, b: two, c: two }))).toMatch(/^c is there/);
    expect(source.differenceFrom(counted({ a: one, b: two }, 6))).toBe('a is not the same');
    expect(source.differenceFrom(counted({ a: one.slice(0, 2), b: two }))).toMatch(/^a is not/);
  });

  it('is taken of a store page by page, without a log that is damaged if it may be', async () => {
    await using log = await filled();
    expect((await censusOf(log)).report()).toEqual(counted({ a: one, b: two }).report());
    const damaged: string[] = [];
    const torn = {
      heads: log.heads.bind(log),
      read: async (name: string, options: { after: number }) => {
        const slice = await log.read(name, options);
        return name === 'a' ? { ...slice, records: slice.records.slice(1) } : slice;
      },
    };
    await expect(censusOf(torn)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    const census = await censusOf(torn, name => damaged.push(name));
    expect([damaged, census.names()]).toEqual([['a'], ['b']]);
  });

  async function filled() {
    const log = memoryLog();
    for (const [name, records] of Object.entries({ a: one, b: two })) {
      await log.append(name, 0, records, { wakeAt: 5 });
    }
    return Object.assign(log, { [Symbol.asyncDispose]: () => log.close() });
  }
});
