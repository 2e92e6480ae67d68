/** The log on NATS: what it sends, and what it makes of answers that real servers seldom give. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { NatsReply } from '../../../src/engines/nats/client.ts';
import { openNatsLog } from '../../../src/engines/nats/log.ts';
import { placeOf } from '../../../src/engines/nats/log-subjects.ts';
import { decodeFrame, encodeFrame, lastSeqOf } from '../../../src/engines/nats/record-frame.ts';
import { wantedStreams } from '../../../src/engines/nats/streams.ts';
import { decodeWakeEntry, encodeWakeEntry } from '../../../src/engines/nats/wake-entry.ts';
import type { Log } from '../../../src/ports/log.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { TestTime } from '../../../src/testing/test-time.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import {
  FakeNatsClient,
  natsAnswer,
  natsRefusal,
  natsUnavailable,
  natsUnknown,
  type SentToNats,
} from '../../helpers/fake-nats-client.ts';

const layout = { cluster: 'x', shardCount: 4, streamCount: 1 };
const place = placeOf(layout, 'a/1');
const wakeSubject = place.subject.replace('.log.', '.wake.');
const owner = { label: 'test', isAlive: true, isPaused: false, held: [] };
const record = (text: string, isSnapshot = false) => ({ bytes: Buffer.from(text), isSnapshot });
const other = 'ffffffffffffffff';

let client: FakeNatsClient;
let time: TestTime;
let log: Log;

beforeEach(async () => {
  client = new FakeNatsClient();
  log = await open(true);
});

async function open(isDirect: boolean): Promise<Log> {
  for (const config of wantedStreams({ layout, replicas: 1 })) {
    client.next(natsAnswer({ config: { ...config, allow_direct: isDirect } }));
  }
  const random = new SimRandom('nats-log');
  time = new TestTime(random);
  const opened = await openNatsLog({ client, clock: time.clockFor(owner), random, ...layout });
  client.requests.length = 0;
  return opened;
}

const ack = (seq: number) => natsAnswer({ stream: place.stream, seq });
const marksAck = (seq: number) => natsAnswer({ stream: 'tp_x_marks', seq });

function stored(seq: number, more: object = {}, texts = ['text']): NatsReply {
  const head = { previous: 0, snapshotBefore: 0, wakeAt: Number.POSITIVE_INFINITY };
  const frame = { name: 'a/1', writer: other, number: 1, ...head, ...more };
  const data = Buffer.from(
    encodeFrame(
      frame,
      texts.map(text => record(text, text.startsWith('S'))),
    ),
  ).toString('base64');
  return natsAnswer({ message: { subject: place.subject, seq, data } });
}

function storedMark(seq: number, dueAt: number): NatsReply {
  const payload = encodeWakeEntry({ name: 'a/1', dueAt, writer: other });
  const data = Buffer.from(payload).toString('base64');
  return natsAnswer({ message: { subject: wakeSubject, seq, data } });
}

const none = natsRefusal(10037, 'no message found');
const sent = (index: number): SentToNats => {
  const found = client.requests[index];
  if (found === undefined) throw new Error(`there is no request ${index}`);
  return found;
};
const expectedOf = (index: number) => sent(index).headers['Nats-Expected-Last-Subject-Sequence'];
const subjects = () => client.requests.map(({ subject }) => subject);

describe('an append', () => {
  it('is one message that says all, sent before the call returns', async () => {
    client.next(ack(7));
    const appending = log.append('a/1', 0, [record('one'), record('two', true)]);
    expect(subjects()).toEqual([place.subject]);
    expect(expectedOf(0)).toBe('0');
    expect(await appending).toEqual({ status: 'accepted', seq: lastSeqOf(7) });
    expect(decodeFrame(sent(0).payload, 7, 'a/1')).toMatchObject({
      previous: 0,
      snapshotBefore: 0,
      wakeAt: Number.POSITIVE_INFINITY,
      records: [{ isSnapshot: false }, { isSnapshot: true }],
    });
  });

  it('names the message before it and the newest snapshot', async () => {
    client.next(ack(7), ack(9), ack(12));
    await log.append('a/1', 0, [record('one', true)]);
    await log.append('a/1', lastSeqOf(7), [record('two')]);
    await log.append('a/1', lastSeqOf(9), [record('three')]);
    const frames = [0, 1, 2].map(index => decodeFrame(sent(index).payload, 1));
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
    client.next(stored(7, { snapshotBefore: 3, wakeAt: 5 }), ack(9));
    await log.append('a/1', lastSeqOf(7), [record('two')]);
    expect(JSON.parse(Buffer.from(sent(0).payload).toString())).toEqual({ seq: 7 });
    expect(decodeFrame(sent(1).payload, 9)).toMatchObject({ snapshotBefore: 3, wakeAt: 5 });
  });

  it.each<[string, NatsReply]>([
    ['there is none', none],
    ['it is that of another log', natsAnswer({ message: { subject: 'other', seq: 7, data: '' } })],
  ])('is a conflict when %s where one is expected', async (_, reply) => {
    client.next(reply);
    const result = await log.append('a/1', lastSeqOf(7), [record('two')]);
    expect(result).toEqual({ status: 'conflict' });
    expect(client.requests).toHaveLength(1);
  });

  it('asks nobody about a place that no append ends at', async () => {
    for (const expected of [1, 99, lastSeqOf(7) - 1, lastSeqOf(7) + 1, 0.5, Number.NaN]) {
      expect(await log.append('a/1', expected, [record('x')])).toEqual({ status: 'conflict' });
    }
    expect(client.requests).toEqual([]);
  });

  it.each<[string, NatsReply]>([
    ['nobody takes it', { status: 'nobody' }],
    ['another one is in process', natsRefusal(10164)],
    ['the system is not available', natsRefusal(10008)],
    ['a new leader catches up', natsRefusal(10163)],
    ['there is no connection', natsUnavailable()],
  ])('is sent again when %s', async (_, reply) => {
    client.next(reply, reply, ack(7));
    const appending = log.append('a/1', 0, [record('one')]);
    await time.advance('1s');
    expect(await appending).toMatchObject({ status: 'accepted' });
    expect(client.requests).toHaveLength(3);
    expect(sent(2)).toEqual(sent(0));
  });

  it('is unavailable when that lasts for 10 s, and then surely not stored', async () => {
    const appending = log.append('a/1', 0, [record('one')]);
    await time.advance('10s');
    const result = await appending;
    expect(result).toMatchObject({
      status: 'unavailable',
      cause: { code: 'NO_QUORUM', outcome: 'not-executed' },
    });
    expect(client.requests.length).toBeGreaterThan(10);
    expect(client.requests.length).toBeLessThan(60);
  });

  it('is never sent again when its fate is open, also after attempts that did nothing', async () => {
    client.next({ status: 'nobody' }, natsUnknown(), ack(7));
    const appending = log.append('a/1', 0, [record('one')]);
    await time.advance('10s');
    expect(await appending).toMatchObject({ status: 'unknown', cause: { outcome: 'unknown' } });
    expect(client.answersLeft).toBe(1);
  });

  it('waits for the one before it in its log, and for none of another', async () => {
    const answers: ((reply: NatsReply) => void)[] = [];
    client.standing = () => new Promise(resolve => answers.push(resolve));
    const results = [
      log.append('a/1', 0, [record('first')]),
      log.append('a/1', 0, [record('second')]),
      log.append('a/2', 0, [record('other')]),
    ];
    expect(answers).toHaveLength(2);
    answers[0]?.(ack(7));
    await results[0];
    await time.advance('1ms');
    expect(answers).toHaveLength(3);
    answers[2]?.(natsRefusal(10071, 'wrong last sequence: 7'));
    expect(await results[1]).toEqual({ status: 'conflict' });
  });

  it('takes the bytes as they are, also when it has to wait', async () => {
    let answer: (reply: NatsReply) => void = () => undefined;
    client.next(() => new Promise(resolve => (answer = resolve)), ack(9));
    const first = log.append('a/1', 0, [record('first')]);
    const bytes = Buffer.from('mine');
    const second = log.append('a/1', lastSeqOf(7), [{ bytes }]);
    bytes.fill(0);
    answer(ack(7));
    await Promise.all([first, second]);
    const [found] = decodeFrame(sent(1).payload, 9).records;
    expect(Buffer.from(found?.bytes ?? []).toString()).toBe('mine');
  });

  it('refuses what no message holds', async () => {
    const many = Array.from({ length: 4_097 }, () => record(''));
    expect((await failureOf(log.append('a/1', 0, many))).code).toBe('PAYLOAD_TOO_LARGE');
    const large = { bytes: new Uint8Array(log.capabilities.recordBytesMax + 1) };
    expect((await failureOf(log.append('a/1', 0, [large]))).code).toBe('PAYLOAD_TOO_LARGE');
    expect((await failureOf(log.append('a/1', 0, []))).code).toBe('INVARIANT_BROKEN');
    expect(client.requests).toEqual([]);
  });

  it('fails for good when the connection is closed', async () => {
    const failures: unknown[] = [];
    log.onFailure(error => failures.push(error));
    await client.close();
    expect(failures).toMatchObject([{ code: 'ENGINE_FAILED' }]);
    const result = await log.append('a/1', 0, [record('one')]);
    expect(result).toMatchObject({ status: 'unavailable', cause: { code: 'ENGINE_FAILED' } });
  });
});

describe('an append that gives work', () => {
  it('writes its mark first, and sends nothing before the mark is there', async () => {
    let answer: (reply: NatsReply) => void = () => undefined;
    client.next(() => new Promise(resolve => (answer = resolve)), ack(7));
    const appending = log.append('a/1', 0, [record('one')], { wakeAt: 500 });
    await time.advance('1s');
    expect(subjects()).toEqual([wakeSubject]);
    expect(decodeWakeEntry(sent(0).payload, 1)).toMatchObject({ name: 'a/1', dueAt: 500 });
    answer(marksAck(3));
    await appending;
    expect(subjects()).toEqual([wakeSubject, place.subject]);
  });

  it('needs no mark for none, or a later time than the mark says', async () => {
    client.next(marksAck(3), ack(7), ack(8), ack(9), ack(10));
    const wakeTimes = [500, Number.POSITIVE_INFINITY, 900, 500];
    let tail = 0;
    for (const wakeAt of wakeTimes) {
      const result = await log.append('a/1', tail, [record('x')], { wakeAt });
      if (result.status === 'accepted') tail = result.seq;
    }
    expect(subjects()).toEqual([wakeSubject, ...wakeTimes.map(() => place.subject)]);
    client.next(marksAck(4), ack(11));
    await log.append('a/1', tail, [record('x')], { wakeAt: 499 });
    expect(expectedOf(5)).toBe('3');
    expect(decodeWakeEntry(sent(5).payload, 1).dueAt).toBe(499);
  });

  it('keeps the earlier time of a mark that somebody else wrote', async () => {
    const conflict = natsRefusal(10071, 'wrong last sequence: 8');
    client.next(conflict, storedMark(8, 100), marksAck(9), ack(7));
    const appending = log.append('a/1', 0, [record('one')], { wakeAt: 500 });
    await time.advance('1s');
    expect(await appending).toMatchObject({ status: 'accepted' });
    expect(expectedOf(2)).toBe('8');
    expect(decodeWakeEntry(sent(2).payload, 1).dueAt).toBe(100);
  });

  it('writes its mark anew when the old one may be gone', async () => {
    client.next(marksAck(3), ack(7));
    await log.append('a/1', 0, [record('one')], { wakeAt: 500 });
    await time.advance('10m');
    client.next(marksAck(4), ack(8));
    await log.append('a/1', lastSeqOf(7), [record('two')], { wakeAt: 500 });
    expect(subjects().slice(2)).toEqual([wakeSubject, place.subject]);
  });

  it('writes its mark anew when somebody else has appended meanwhile', async () => {
    client.next(marksAck(3), ack(7));
    await log.append('a/1', 0, [record('one')], { wakeAt: 500 });
    client.next(stored(8, { previous: 7, wakeAt: 500 }), marksAck(4), ack(9));
    await log.append('a/1', lastSeqOf(8), [record('two')], { wakeAt: 500 });
    expect(subjects().slice(3)).toEqual([wakeSubject, place.subject]);
  });

  it('stores nothing when its mark cannot be written', async () => {
    client.standing = natsUnknown();
    const appending = log.append('a/1', 0, [record('one')], { wakeAt: 500 });
    await time.advance('20s');
    expect(await appending).toMatchObject({ status: 'unavailable' });
    expect(new Set(subjects())).toEqual(new Set([wakeSubject]));
  });
});

describe('a read', () => {
  const got = (seq: number, before: number, more: object = {}): Parameters<typeof arrive>[0] => ({
    payload: encodeFrame(
      {
        name: 'a/1',
        writer: other,
        number: 1,
        previous: before,
        snapshotBefore: 0,
        wakeAt: Number.POSITIVE_INFINITY,
        ...more,
      },
      [record(`${seq}`)],
    ),
    headers: {
      'Nats-Sequence': `${seq}`,
      'Nats-Subject': place.subject,
      'Nats-Last-Sequence': `${before}`,
    },
  });
  const end = (last: number, pending = 0) => ({
    status: 204,
    headers: { 'Nats-Num-Pending': `${pending}`, 'Nats-Last-Sequence': `${last}` },
  });

  function arrive(message: Parameters<FakeNatsClient['arrive']>[1]): void {
    client.arrive('_INBOX.fake.*', { subject: '_INBOX.fake.1', ...message });
  }

  /** Reads all, and lets a replica answer the batch. */
  async function readWith(...messages: Parameters<typeof arrive>[0][]) {
    const reading = log.read('a/1', { after: 0 });
    await time.advance('1ms');
    expect(client.published).toHaveLength(1);
    for (const message of messages) arrive(message);
    await time.advance('13s');
    return reading;
  }
  const textsIn = ({ records }: Awaited<ReturnType<typeof readWith>>) =>
    records.map(({ bytes }) => Buffer.from(bytes).toString());

  it('takes a batch that is whole', async () => {
    client.next(stored(9, { previous: 7 }));
    const slice = await readWith(got(7, 0), got(9, 7), end(9));
    expect(textsIn(slice)).toEqual(['7', '9']);
    expect(slice).toMatchObject({ tail: lastSeqOf(9), isComplete: true, isStale: true });
    expect(client.requests).toHaveLength(1);
  });

  it.each<[string, Parameters<typeof arrive>[0][]]>([
    ['lacks a message', [got(7, 0), got(12, 9), end(12)]],
    ['lacks its last message', [got(7, 0), end(9)]],
    ['does not end', [got(7, 0)]],
    ['does not come', []],
    ['ends with an error', [got(7, 0), { status: 408 }]],
  ])('asks the leader when a batch %s', async (_, messages) => {
    client.next(stored(9, { previous: 7 }), stored(7), stored(9, { previous: 7 }, ['nine']), none);
    expect(textsIn(await readWith(...messages))).toEqual(['text', 'nine']);
  });

  it('asks the leader for what a lagging replica lacks', async () => {
    client.next(stored(9, { previous: 7 }), stored(9, { previous: 7 }, ['nine']), none);
    expect(textsIn(await readWith(got(7, 0), end(7)))).toEqual(['7', 'nine']);
  });

  it('waits for a leader that lags behind what was acknowledged', async () => {
    client.next(ack(9));
    await log.append('a/1', 0, [record('mine')]);
    client.next(none, none, stored(9, {}, ['Snapshot']));
    const reading = log.readLatest('a/1');
    await time.advance('2s');
    expect((await reading).tail).toBe(lastSeqOf(9));
  });

  it('believes in the end that less is there than was acknowledged', async () => {
    client.next(ack(9));
    await log.append('a/1', 0, [record('mine')]);
    client.standing = none;
    const reading = log.readLatest('a/1');
    await time.advance('13s');
    expect(await reading).toMatchObject({ records: [], tail: 0 });
  });

  it('leaves out what was stored beside the log, and appends behind both', async () => {
    client.next(stored(9, { previous: 5 }));
    const slice = await readWith(
      got(5, 0),
      got(7, 5),
      { ...got(9, 7), payload: got(9, 5)?.payload ?? new Uint8Array() },
      end(9),
    );
    expect(textsIn(slice)).toEqual(['5', '7']);
    expect(slice.tail).toBe(lastSeqOf(7));
    client.next(ack(10));
    await log.append('a/1', slice.tail, [record('next')]);
    expect(expectedOf(1)).toBe('9');
    expect(decodeFrame(sent(1).payload, 10).previous).toBe(7);
  });

  it('asks the leader alone where direct gets are off', async () => {
    client = new FakeNatsClient();
    log = await open(false);
    client.next(stored(7), stored(7), none);
    expect((await log.read('a/1', { after: 0 })).tail).toBe(lastSeqOf(7));
    expect(client.published).toEqual([]);
  });

  it('tells damage, and remembers it until a read goes well', async () => {
    const damaged = natsAnswer({ message: { subject: place.subject, seq: 7, data: 'AAAA' } });
    client.next(damaged);
    expect((await failureOf(log.readLatest('a/1'))).code).toBe('LOG_CORRUPT');
    expect((await failureOf(log.append('a/1', 0, [record('x')]))).code).toBe('LOG_CORRUPT');
    client.next(none);
    await log.readLatest('a/1');
    client.next(ack(8));
    expect(await log.append('a/1', 0, [record('x')])).toMatchObject({ status: 'accepted' });
  });

  it('fails when no leader answers for 10 s', async () => {
    const failing = failureOf(log.readLatest('a/1'));
    await time.advance('11s');
    expect((await failing).code).toBe('NO_QUORUM');
  });
});
