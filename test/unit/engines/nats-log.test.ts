/** Appending to the log on NATS: what is sent, and what is made of answers seldom given. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { NatsReply } from '../../../src/engines/nats/client.ts';
import { decodeFrame, lastSeqOf } from '../../../src/engines/nats/record-frame.ts';
import { decodeWakeEntry } from '../../../src/engines/nats/wake-entry.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import {
  natsAnswer,
  natsRefusal,
  natsUnavailable,
  natsUnknown,
} from '../../helpers/fake-nats-client.ts';
import {
  type NatsLogDesk,
  natsLogAck,
  natsLogDesk,
  natsLogPlace,
  natsLogStored,
  natsMarkAck,
  natsMarkStored,
  natsWakeSubject,
  noMessage,
  recordOf,
} from '../../helpers/nats-log-desk.ts';

const stored = (previous: number) => natsLogStored(9, { previous });

let desk: NatsLogDesk;

beforeEach(async () => {
  desk = await natsLogDesk();
});

describe('an append', () => {
  it('is one message that says all, sent before the call returns', async () => {
    desk.client.next(natsLogAck(7));
    const appending = desk.log.append('a/1', 0, [recordOf('one'), recordOf('Stwo')]);
    expect(desk.subjects()).toEqual([natsLogPlace.subject]);
    expect(desk.expectedOf(0)).toBe('0');
    expect(await appending).toEqual({ status: 'accepted', seq: lastSeqOf(7) });
    expect(decodeFrame(desk.sent(0).payload, 7, 'a/1')).toMatchObject({
      previous: 0,
      snapshotBefore: 0,
      wakeAt: Number.POSITIVE_INFINITY,
      records: [{ isSnapshot: false }, { isSnapshot: true }],
    });
  });

  it('names the message before it and the newest snapshot', async () => {
    desk.client.next(natsLogAck(7), natsLogAck(9), natsLogAck(12));
    await desk.log.append('a/1', 0, [recordOf('Sone')]);
    await desk.log.append('a/1', lastSeqOf(7), [recordOf('two')]);
    await desk.log.append('a/1', lastSeqOf(9), [recordOf('three')]);
    const frames = [0, 1, 2].map(index => decodeFrame(desk.sent(index).payload, 1));
    const told = frames.map(({ previous, snapshotBefore }) => [previous, snapshotBefore]);
    expect(told).toEqual([
      [0, 0],
      [7, 7],
      [9, 7],
    ]);
    expect(new Set(frames.map(({ writer }) => writer)).size).toBe(1);
    expect(frames.map(({ number }) => number)).toEqual([1, 2, 3]);
  });

  it('reads the message before it when it does not know it', async () => {
    desk.client.next(natsLogStored(7, { snapshotBefore: 3, wakeAt: 5 }), natsLogAck(9));
    await desk.log.append('a/1', lastSeqOf(7), [recordOf('two')]);
    expect(JSON.parse(Buffer.from(desk.sent(0).payload).toString())).toEqual({ seq: 7 });
    expect(decodeFrame(desk.sent(1).payload, 9)).toMatchObject({ snapshotBefore: 3, wakeAt: 5 });
  });

  it.each<[string, NatsReply]>([
    ['there is none', noMessage],
    ['it is that of another log', natsAnswer({ message: { subject: 'other', seq: 7, data: '' } })],
  ])('is a conflict when %s where one is expected', async (_, reply) => {
    desk.client.next(reply);
    const result = await desk.log.append('a/1', lastSeqOf(7), [recordOf('two')]);
    expect(result).toEqual({ status: 'conflict' });
    expect(desk.client.requests).toHaveLength(1);
  });

  it('asks nobody about a place that no append ends at', async () => {
    for (const expected of [1, 99, lastSeqOf(7) - 1, lastSeqOf(7) + 1, 0.5, Number.NaN]) {
      expect(await desk.log.append('a/1', expected, [recordOf('x')])).toEqual({
        status: 'conflict',
      });
    }
    expect(desk.client.requests).toEqual([]);
  });

  it.each<[string, NatsReply]>([
    ['nobody takes it', { status: 'nobody' }],
    ['another one is in process', natsRefusal(10164)],
    ['the system is not available', natsRefusal(10008)],
    ['a new leader catches up', natsRefusal(10163)],
    ['there is no connection', natsUnavailable()],
  ])('is sent again when %s', async (_, reply) => {
    desk.client.next(reply, reply, natsLogAck(7));
    const appending = desk.log.append('a/1', 0, [recordOf('one')]);
    await desk.time.advance('1s');
    expect(await appending).toMatchObject({ status: 'accepted' });
    expect(desk.client.requests).toHaveLength(3);
    expect(desk.sent(2)).toEqual(desk.sent(0));
  });

  it('is unavailable when that lasts for 10 s, and then surely not stored', async () => {
    const appending = desk.log.append('a/1', 0, [recordOf('one')]);
    await desk.time.advance('10s');
    const result = await appending;
    expect(result).toMatchObject({
      status: 'unavailable',
      cause: { code: 'NO_QUORUM', outcome: 'not-executed' },
    });
    expect(desk.client.requests.length).toBeGreaterThan(10);
    expect(desk.client.requests.length).toBeLessThan(60);
  });

  it('is never sent again when its fate is open, also after others that did nothing', async () => {
    desk.client.next({ status: 'nobody' }, natsUnknown(), natsLogAck(7));
    const appending = desk.log.append('a/1', 0, [recordOf('one')]);
    await desk.time.advance('10s');
    expect(await appending).toMatchObject({ status: 'unknown', cause: { outcome: 'unknown' } });
    expect(desk.client.answersLeft).toBe(1);
  });

  const declined = natsRefusal(10164);
  const conflict = (lastSeq: number) => natsRefusal(10071, `wrong last sequence: ${lastSeq}`);
  const own = () => {
    const data = Buffer.from(desk.sent(0).payload).toString('base64');
    return natsAnswer({ message: { subject: natsLogPlace.subject, seq: 8, data } });
  };

  it.each<[string, NatsReply[], object]>([
    ['beyond the place', [conflict(9)], { status: 'conflict' }],
    ['before it, and nothing there', [conflict(3), noMessage], { status: 'unknown' }],
    ['before it, and another there', [conflict(3), stored(7)], { status: 'conflict' }],
    ['before it, and another further on', [conflict(3), stored(8)], { status: 'unknown' }],
    ['before it, and nobody to ask', [conflict(3)], { status: 'unknown' }],
    [
      'beyond it, but an attempt before was declined, and nothing there',
      [declined, conflict(9), noMessage],
      { status: 'unknown' },
    ],
    [
      'beyond it, an attempt declined, and another there',
      [declined, conflict(9), stored(7)],
      { status: 'conflict' },
    ],
    [
      'beyond it, after nobody took it, an attempt declined, and nothing there',
      [{ status: 'nobody' }, declined, conflict(9), noMessage],
      { status: 'unknown' },
    ],
    [
      'beyond it, after nobody took it',
      [{ status: 'nobody' }, conflict(9)],
      { status: 'conflict' },
    ],
  ])('is told that the log ends %s', async (_, replies, expected) => {
    desk.client.next(natsLogStored(7), ...replies);
    const appending = desk.log.append('a/1', lastSeqOf(7), [recordOf('one')]);
    await desk.time.advance('20s');
    expect(await appending).toMatchObject(expected);
    expect(desk.client.answersLeft).toBe(0);
  });

  it('is accepted when a server declined it and another one has it', async () => {
    desk.client.next(declined, conflict(8), own);
    const appending = desk.log.append('a/1', 0, [recordOf('one')]);
    await desk.time.advance('1s');
    expect(await appending).toEqual({ status: 'accepted', seq: lastSeqOf(8) });
    desk.client.next(natsLogAck(9));
    await desk.log.append('a/1', lastSeqOf(8), [recordOf('two')]);
    expect(desk.expectedOf(3)).toBe('8');
  });

  it('takes an earlier append of the same writer for what it is', async () => {
    desk.client.next(natsUnknown());
    await desk.log.append('a/1', 0, [recordOf('one')]);
    desk.client.next(declined, conflict(8), own);
    const appending = desk.log.append('a/1', 0, [recordOf('two')]);
    await desk.time.advance('1s');
    expect(await appending).toEqual({ status: 'conflict' });
  });

  it('is in doubt when it was declined for 10 s, and nothing is there', async () => {
    desk.client.standing = ({ subject }) =>
      subject === natsLogPlace.subject ? natsRefusal(10008) : noMessage;
    const appending = desk.log.append('a/1', 0, [recordOf('one')]);
    await desk.time.advance('20s');
    expect(await appending).toMatchObject({ status: 'unknown', cause: { outcome: 'unknown' } });
  });

  it('waits for the one before it in its log, and for none of another', async () => {
    const answers: ((reply: NatsReply) => void)[] = [];
    desk.client.standing = () => new Promise(resolve => answers.push(resolve));
    const results = [
      desk.log.append('a/1', 0, [recordOf('first')]),
      desk.log.append('a/1', 0, [recordOf('second')]),
      desk.log.append('a/2', 0, [recordOf('other')]),
    ];
    expect(answers).toHaveLength(2);
    answers[0]?.(natsLogAck(7));
    await results[0];
    await desk.time.advance('1ms');
    expect(answers).toHaveLength(3);
    answers[2]?.(natsRefusal(10071, 'wrong last sequence: 7'));
    expect(await results[1]).toEqual({ status: 'conflict' });
  });

  it('takes the bytes as they are, also when it has to wait', async () => {
    let answer: (reply: NatsReply) => void = () => undefined;
    desk.client.next(() => new Promise(resolve => (answer = resolve)), natsLogAck(9));
    const first = desk.log.append('a/1', 0, [recordOf('first')]);
    const bytes = Buffer.from('mine');
    const second = desk.log.append('a/1', lastSeqOf(7), [{ bytes }]);
    bytes.fill(0);
    answer(natsLogAck(7));
    await Promise.all([first, second]);
    const [found] = decodeFrame(desk.sent(1).payload, 9).records;
    expect(Buffer.from(found?.bytes ?? []).toString()).toBe('mine');
  });

  it('refuses what no message holds', async () => {
    const many = Array.from({ length: 4_097 }, () => recordOf(''));
    expect((await failureOf(desk.log.append('a/1', 0, many))).code).toBe('PAYLOAD_TOO_LARGE');
    const large = { bytes: new Uint8Array(desk.log.capabilities.recordBytesMax + 1) };
    expect((await failureOf(desk.log.append('a/1', 0, [large]))).code).toBe('PAYLOAD_TOO_LARGE');
    expect((await failureOf(desk.log.append('a/1', 0, []))).code).toBe('INVARIANT_BROKEN');
    expect(desk.client.requests).toEqual([]);
  });

  it('fails for good when the connection is closed', async () => {
    const failures: unknown[] = [];
    desk.log.onFailure(error => failures.push(error));
    await desk.client.close();
    expect(failures).toMatchObject([{ code: 'ENGINE_FAILED' }]);
    const result = await desk.log.append('a/1', 0, [recordOf('one')]);
    expect(result).toMatchObject({ status: 'unavailable', cause: { code: 'ENGINE_FAILED' } });
  });
});

describe('an append that gives work', () => {
  it('writes its mark first, and sends nothing before the mark is there', async () => {
    let answer: (reply: NatsReply) => void = () => undefined;
    desk.client.next(() => new Promise(resolve => (answer = resolve)), natsLogAck(7));
    const appending = desk.log.append('a/1', 0, [recordOf('one')], { wakeAt: 500 });
    await desk.time.advance('1s');
    expect(desk.subjects()).toEqual([natsWakeSubject]);
    expect(decodeWakeEntry(desk.sent(0).payload, 1)).toMatchObject({ name: 'a/1', dueAt: 500 });
    answer(natsMarkAck(3));
    await appending;
    expect(desk.subjects()).toEqual([natsWakeSubject, natsLogPlace.subject]);
  });

  it('needs no mark for noMessage, or a later time than the mark says', async () => {
    desk.client.next(natsMarkAck(3), natsLogAck(7), natsLogAck(8), natsLogAck(9), natsLogAck(10));
    const wakeTimes = [500, Number.POSITIVE_INFINITY, 900, 500];
    let tail = 0;
    for (const wakeAt of wakeTimes) {
      const result = await desk.log.append('a/1', tail, [recordOf('x')], { wakeAt });
      if (result.status === 'accepted') tail = result.seq;
    }
    expect(desk.subjects()).toEqual([
      natsWakeSubject,
      ...wakeTimes.map(() => natsLogPlace.subject),
    ]);
    desk.client.next(natsMarkAck(4), natsLogAck(11));
    await desk.log.append('a/1', tail, [recordOf('x')], { wakeAt: 499 });
    expect(desk.expectedOf(5)).toBe('3');
    expect(decodeWakeEntry(desk.sent(5).payload, 1).dueAt).toBe(499);
  });

  it('keeps the earlier time of a mark that somebody else wrote', async () => {
    const conflict = natsRefusal(10071, 'wrong last sequence: 8');
    desk.client.next(conflict, natsMarkStored(8, 100), natsMarkAck(9), natsLogAck(7));
    const appending = desk.log.append('a/1', 0, [recordOf('one')], { wakeAt: 500 });
    await desk.time.advance('1s');
    expect(await appending).toMatchObject({ status: 'accepted' });
    expect(desk.expectedOf(2)).toBe('8');
    expect(decodeWakeEntry(desk.sent(2).payload, 1).dueAt).toBe(100);
  });

  it('writes its mark anew when the old one may be gone', async () => {
    desk.client.next(natsMarkAck(3), natsLogAck(7));
    await desk.log.append('a/1', 0, [recordOf('one')], { wakeAt: 500 });
    await desk.time.advance('10m');
    desk.client.next(natsMarkAck(4), natsLogAck(8));
    await desk.log.append('a/1', lastSeqOf(7), [recordOf('two')], { wakeAt: 500 });
    expect(desk.subjects().slice(2)).toEqual([natsWakeSubject, natsLogPlace.subject]);
  });

  it('writes its mark anew when somebody else has appended meanwhile', async () => {
    desk.client.next(natsMarkAck(3), natsLogAck(7));
    await desk.log.append('a/1', 0, [recordOf('one')], { wakeAt: 500 });
    desk.client.next(natsLogStored(8, { previous: 7, wakeAt: 500 }), natsMarkAck(4), natsLogAck(9));
    await desk.log.append('a/1', lastSeqOf(8), [recordOf('two')], { wakeAt: 500 });
    expect(desk.subjects().slice(3)).toEqual([natsWakeSubject, natsLogPlace.subject]);
  });

  it('stores nothing when its mark cannot be written', async () => {
    desk.client.standing = natsUnknown();
    const appending = desk.log.append('a/1', 0, [recordOf('one')], { wakeAt: 500 });
    await desk.time.advance('20s');
    expect(await appending).toMatchObject({ status: 'unavailable' });
    expect(new Set(desk.subjects())).toEqual(new Set([natsWakeSubject]));
  });
});
