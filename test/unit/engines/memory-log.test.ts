/** Each switch of the logs in memory does its damage, and nothing else. */
import { describe, expect, it } from 'vitest';
import { MemoryLogs, memoryLogs } from '../../../src/engines/memory/log.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import type { AppendResult, Log } from '../../../src/ports/log.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function append(log: Log, expected: number, text: string, name = 'a/1'): Promise<AppendResult> {
  return log.append(name, expected, [{ bytes: encoder.encode(text) }]);
}

async function texts(log: Log, name = 'a/1'): Promise<string[]> {
  const { records } = await log.read(name, { after: 0 });
  return records.map(record => decoder.decode(record.bytes));
}

async function seqOf(appending: Promise<AppendResult>): Promise<number> {
  const result = await appending;
  return result.status === 'accepted' ? result.seq : -1;
}

describe('the faults of an append', () => {
  it('answers with a conflict although the place is right, and stores nothing', async () => {
    const store = memoryLogs();
    const log = store.open();
    store.faults.next('conflict');
    expect(await append(log, 0, 'one')).toEqual({ status: 'conflict' });
    expect(await texts(log)).toEqual([]);
    expect((await append(log, 0, 'one')).status).toBe('accepted');
    expect(store.faults.fired('conflict')).toBe(1);
  });

  it('refuses as unavailable, and stores nothing, now or later', async () => {
    const store = memoryLogs();
    const log = store.open();
    store.faults.next('unavailable', { times: 2 });
    for (let round = 0; round < 2; round++) {
      const result = await append(log, 0, 'one');
      expect(result).toMatchObject({
        status: 'unavailable',
        cause: { code: 'ENGINE_UNAVAILABLE', outcome: 'not-executed' },
      });
    }
    expect(await texts(log)).toEqual([]);
    expect((await append(log, 0, 'two')).status).toBe('accepted');
    expect(await texts(log)).toEqual(['two']);
  });

  it('refuses for want of space, while reads go on, until there is space', async () => {
    const store = memoryLogs();
    const log = store.open();
    const seq = await seqOf(append(log, 0, 'one'));
    store.faults.isFull = true;
    expect(await append(log, seq, 'two')).toMatchObject({
      status: 'unavailable',
      cause: { code: 'DISK_FULL' },
    });
    expect(await texts(log)).toEqual(['one']);
    store.faults.isFull = false;
    expect((await append(log, seq, 'two')).status).toBe('accepted');
    store.faults.next('full');
    expect((await append(log, 0, 'x', 'a/2')).status).toBe('unavailable');
  });

  it('refuses everything while it is unavailable', async () => {
    const store = memoryLogs();
    const log = store.open();
    store.faults.isUnavailable = true;
    expect((await append(log, 0, 'one')).status).toBe('unavailable');
    await expect(log.read('a/1', { after: 0 })).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
    });
    store.faults.clear();
    expect((await append(log, 0, 'one')).status).toBe('accepted');
  });

  it('loses the answer of an append that was stored', async () => {
    const store = memoryLogs();
    const log = store.open();
    store.faults.next('unknown-stored');
    expect(await append(log, 0, 'own')).toMatchObject({
      status: 'unknown',
      cause: { code: 'ENGINE_FAILED', outcome: 'unknown' },
    });
    expect(await append(log, 0, 'own')).toEqual({ status: 'conflict' });
    expect(await texts(log)).toEqual(['own']);
  });

  it('loses an append together with its answer', async () => {
    const store = memoryLogs();
    const log = store.open();
    store.faults.next('unknown-not-stored');
    expect((await append(log, 0, 'own')).status).toBe('unknown');
    expect(await texts(log)).toEqual([]);
    expect((await append(log, 0, 'own')).status).toBe('accepted');
  });

  it('stores nothing of a conflicting append whose answer is lost', async () => {
    const store = memoryLogs();
    const log = store.open();
    await append(log, 0, 'one');
    store.faults.next('unknown-stored');
    expect((await append(log, 0, 'late')).status).toBe('unknown');
    expect(await texts(log)).toEqual(['one']);
  });
});

describe('an append that lands late', () => {
  it('lands after so many other operations, with the bytes of its time', async () => {
    const store = memoryLogs();
    const log = store.open();
    const bytes = encoder.encode('late');
    store.faults.next('unknown-late', { afterOperations: 3 });
    expect((await log.append('a/1', 0, [{ bytes }], { wakeAt: 9 })).status).toBe('unknown');
    bytes.fill(0);
    expect(await texts(log)).toEqual([]);
    expect(await texts(log, 'a/2')).toEqual([]);
    expect(await texts(log)).toEqual([]);
    expect(await texts(log)).toEqual(['late']);
    expect((await log.heads({})).heads[0]).toMatchObject({ name: 'a/1', wakeAt: 9 });
  });

  it('lands no more when its place was taken in the meantime', async () => {
    const store = memoryLogs();
    const log = store.open();
    store.faults.next('unknown-late', { afterOperations: 3 });
    await append(log, 0, 'late');
    await append(log, 0, 'first');
    for (let count = 0; count < 5; count++) await texts(log, 'a/2');
    expect(await texts(log)).toEqual(['first']);
  });

  it('lands between an attempt and its repetition, which then conflicts', async () => {
    const store = memoryLogs();
    const log = store.open();
    store.faults.next('unknown-late', { afterOperations: 1 });
    await append(log, 0, 'own');
    expect(await texts(log)).toEqual([]);
    expect(await append(log, 0, 'own')).toEqual({ status: 'conflict' });
    expect(await texts(log)).toEqual(['own']);
  });

  it('lands after a time on the clock', async () => {
    const timers: (() => void)[] = [];
    const clock = {
      ...systemClock(),
      setTimer: (_: number, task: () => void) => {
        timers.push(task);
        return { cancel: () => undefined };
      },
    };
    const store = memoryLogs({ clock });
    const log = store.open();
    store.faults.next('unknown-late', { afterMs: 500 });
    await append(log, 0, 'late');
    for (let count = 0; count < 20; count++) expect(await texts(log)).toEqual([]);
    for (const task of timers) task();
    expect(await texts(log)).toEqual(['late']);
  });

  it('needs a clock to land after a time', async () => {
    const store = memoryLogs();
    store.faults.next('unknown-late', { afterMs: 500 });
    await expect(append(store.open(), 0, 'x')).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
  });
});

describe('which operation a fault hits', () => {
  it('hits only the log it is meant for, and in the order of asking', async () => {
    const store = memoryLogs();
    const log = store.open();
    store.faults.next('conflict', { name: 'a/2' });
    store.faults.next('unavailable', { name: 'a/1' });
    store.faults.next('unknown-stored', { name: 'a/1' });
    expect((await append(log, 0, 'x', 'a/3')).status).toBe('accepted');
    expect((await append(log, 0, 'x', 'a/1')).status).toBe('unavailable');
    expect((await append(log, 0, 'x', 'a/1')).status).toBe('unknown');
    expect((await append(log, 0, 'x', 'a/2')).status).toBe('conflict');
    expect((await append(log, 0, 'x', 'a/2')).status).toBe('accepted');
  });

  it('hits at the rate asked for, the same ones for the same seed', async () => {
    const run = async (seed: string) => {
      const store = memoryLogs({ random: new SimRandom(seed) });
      const log = store.open();
      store.faults.rate('unavailable', 0.2);
      store.faults.rate('unknown-late', 0.1);
      const statuses: string[] = [];
      for (let index = 0; index < 500; index++) {
        statuses.push((await append(log, 0, 'x', `a/${index}`)).status);
      }
      return { statuses, store };
    };
    const [first, second, other] = [await run('1'), await run('1'), await run('2')];
    expect(first.statuses).toEqual(second.statuses);
    expect(first.statuses).not.toEqual(other.statuses);
    const fired = first.store.faults.fired('unavailable');
    expect(fired).toBe(first.statuses.filter(status => status === 'unavailable').length);
    expect(fired).toBeGreaterThan(60);
    expect(fired).toBeLessThan(140);
    first.store.faults.clear();
    expect((await append(first.store.open(), 0, 'x', 'b/1')).status).toBe('accepted');
  });

  it('refuses a rate without a random source', () => {
    expect(() => memoryLogs().faults.rate('conflict', 0.1)).toThrow(/CONFIG_INVALID/);
  });
});

describe('damage to what is stored', () => {
  it('forgets the newest records, and gives their places again', async () => {
    const store = memoryLogs();
    const log = store.open();
    const first = await seqOf(append(log, 0, 'one'));
    const second = await seqOf(append(log, first, 'two'));
    await append(log, second, 'three');
    store.regress('a/1', 2);
    expect(await texts(log)).toEqual(['one']);
    expect(await seqOf(append(log, first, 'again'))).toBe(second);
    store.regress('a/1', 99);
    expect((await log.read('a/1', { after: 0 })).tail).toBe(0);
  });

  it('answers for a damaged log with LOG_CORRUPT, and others go on', async () => {
    const store = memoryLogs();
    const log = store.open();
    const seq = await seqOf(append(log, 0, 'one'));
    await append(log, 0, 'one', 'a/2');
    store.damage('a/1');
    await expect(log.read('a/1', { after: 0 })).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await expect(log.readLatest('a/1')).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await expect(append(log, seq, 'two')).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await expect(log.trim('a/1', seq)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    expect(await texts(log, 'a/2')).toEqual(['one']);
  });

  it('flips a bit of a record without a word', async () => {
    const store = memoryLogs();
    const log = store.open();
    const seq = await seqOf(append(log, 0, 'a'));
    store.flip('a/1', seq);
    expect(await texts(log)).toEqual(['`']);
    store.flip('a/1', seq, 8_000);
    store.flip('a/none', seq);
    expect(await texts(log)).toEqual(['`']);
  });
});

describe('stale reads', () => {
  it('hide the newest records, and every answer says that it may be stale', async () => {
    const store = memoryLogs({ hasLinearizableReads: false });
    const log = store.open();
    const first = await seqOf(append(log, 0, 'one'));
    const second = await seqOf(append(log, first, 'two'));
    store.faults.next('stale', { hidden: 1 });
    const slice = await log.read('a/1', { after: 0 });
    expect(slice).toMatchObject({ tail: first, isComplete: true, isStale: true });
    expect(slice.records).toHaveLength(1);
    const fresh = await log.read('a/1', { after: 0 });
    expect(fresh).toMatchObject({ tail: second, isStale: true });
  });

  it('hide no snapshot that a trim relied on', async () => {
    const store = memoryLogs({ hasLinearizableReads: false });
    const log = store.open();
    const first = await seqOf(append(log, 0, 'one'));
    const cut = await seqOf(
      log.append('a/1', first, [{ bytes: encoder.encode('cut'), isSnapshot: true }]),
    );
    await append(log, cut, 'two');
    await log.trim('a/1', cut);
    store.faults.next('stale', { hidden: 50 });
    const slice = await log.readLatest('a/1');
    expect(slice.records.map(record => decoder.decode(record.bytes))).toEqual(['cut']);
    expect(slice.tail).toBe(cut);
  });

  it('do not happen where reads are linearizable', async () => {
    const store = memoryLogs();
    const log = store.open();
    await append(log, 0, 'one');
    store.faults.next('stale');
    expect(await log.readLatest('a/1')).toMatchObject({ isStale: false, records: [{}] });
    expect(store.faults.fired('stale')).toBe(0);
  });
});

describe('the store and its handles', () => {
  it('keeps what was stored when a handle is closed, and other handles go on', async () => {
    const store = new MemoryLogs({});
    const [first, second] = [store.open(), store.open()];
    await append(first, 0, 'one');
    await first.close();
    expect(await texts(second)).toEqual(['one']);
    await expect(append(first, 0, 'x')).rejects.toMatchObject({ code: 'NOT_STARTED' });
  });

  it('tells each open handle once that it failed for good, and accepts nothing more', async () => {
    const store = memoryLogs();
    const [open, closed] = [store.open(), store.open()];
    const told: string[] = [];
    open.onFailure(error => told.push(`open ${error.code}`));
    closed.onFailure(error => told.push(`closed ${error.code}`));
    await closed.close();
    store.fail();
    store.fail();
    store.open().onFailure(error => told.push(`late ${error.code}`));
    expect(told).toEqual(['open ENGINE_FAILED', 'late ENGINE_FAILED']);
    expect((await append(open, 0, 'x')).status).toBe('unavailable');
    expect(await texts(open)).toEqual([]);
  });

  it('answers after a while, decided in the order of issue, and closing waits for it', async () => {
    const clock = systemClock();
    const store = memoryLogs({ clock, random: new SimRandom('slow'), answerMsMax: 5 });
    const log = store.open();
    const answered: string[] = [];
    const appends = ['one', 'two', 'three'].map(async text => {
      answered.push(`${text} ${(await append(log, 0, text)).status}`);
    });
    expect(answered).toEqual([]);
    await log.close();
    await Promise.all(appends);
    expect(answered.toSorted()).toEqual(['one accepted', 'three conflict', 'two conflict']);
  });

  it('refuses an append without a record', async () => {
    await expect(memoryLogs().open().append('a/1', 0, [])).rejects.toMatchObject({
      code: 'INVARIANT_BROKEN',
    });
  });

  it('refuses a cursor of another engine', async () => {
    const log = memoryLogs().open();
    await expect(log.heads({ cursor: 'odd' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
