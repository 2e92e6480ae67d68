/** Reading the log on NATS: what replicas and leaders may answer, and what is made of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { NatsMessage, NatsReply } from '../../../src/engines/nats/client.ts';
import { decodeFrame, lastSeqOf } from '../../../src/engines/nats/record-frame.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import { natsAnswer } from '../../helpers/fake-nats-client.ts';
import {
  type NatsLogDesk,
  natsLogAck,
  natsLogDesk,
  natsLogMessage,
  natsLogPlace,
  natsLogStored,
  noMessage,
  recordOf,
} from '../../helpers/nats-log-desk.ts';

type Part = Partial<NatsMessage>;

const nobody: NatsReply = { status: 'nobody' };

/** A replica's answer with one message of the log. */
function near(seq: number, part: Part = {}): NatsReply {
  const payload = natsLogMessage(['Snapshot'], { previous: 0 });
  const headers = { 'Nats-Sequence': `${seq}`, 'Nats-Subject': natsLogPlace.subject };
  const message = { subject: '_INBOX.fake.1', payload, headers, status: 0, ...part };
  return { status: 'answered', message };
}

let desk: NatsLogDesk;

beforeEach(async () => {
  desk = await natsLogDesk();
});

describe('a read', () => {
  const got = (seq: number, before: number, previous = before): Part => ({
    payload: natsLogMessage([`${seq}`], { previous }),
    headers: {
      'Nats-Sequence': `${seq}`,
      'Nats-Subject': natsLogPlace.subject,
      'Nats-Last-Sequence': `${before}`,
    },
  });
  const end = (last: number, pending = 0) => ({
    status: 204,
    headers: { 'Nats-Num-Pending': `${pending}`, 'Nats-Last-Sequence': `${last}` },
  });

  function arrive(message: Part): void {
    desk.client.arrive('_INBOX.fake.*', { subject: '_INBOX.fake.1', ...message });
  }

  /** Reads all, and lets a replica answer the batch. */
  async function readWith(...messages: Part[]) {
    const reading = desk.log.read('a/1', { after: 0 });
    await desk.time.advance('1ms');
    expect(desk.client.published).toHaveLength(1);
    for (const message of messages) arrive(message);
    await desk.time.advance('13s');
    return reading;
  }
  const textsIn = ({ records }: Awaited<ReturnType<typeof readWith>>) =>
    records.map(({ bytes }) => Buffer.from(bytes).toString());

  it('takes a batch that is whole', async () => {
    desk.client.next(natsLogStored(9, { previous: 7 }));
    const slice = await readWith(got(7, 0), got(9, 7), end(9));
    expect(textsIn(slice)).toEqual(['7', '9']);
    expect(slice).toMatchObject({ tail: lastSeqOf(9), isComplete: true, isStale: true });
    expect(desk.client.requests).toHaveLength(1);
  });

  it.each<[string, Part[]]>([
    ['lacks a message', [got(7, 0), got(12, 9), end(12)]],
    ['lacks its last message', [got(7, 0), end(9)]],
    ['does not end', [got(7, 0)]],
    ['does not come', []],
    ['ends with an error', [got(7, 0), { status: 408 }]],
  ])('asks the leader when a batch %s', async (_, messages) => {
    desk.client.next(
      natsLogStored(9, { previous: 7 }),
      natsLogStored(7),
      natsLogStored(9, { previous: 7 }, ['nine']),
      noMessage,
    );
    expect(textsIn(await readWith(...messages))).toEqual(['text', 'nine']);
  });

  it('asks the leader for what a lagging replica lacks', async () => {
    desk.client.next(
      natsLogStored(9, { previous: 7 }),
      natsLogStored(9, { previous: 7 }, ['nine']),
      noMessage,
    );
    expect(textsIn(await readWith(got(7, 0), end(7)))).toEqual(['7', 'nine']);
  });

  it('waits for a leader that lags behind what was acknowledged', async () => {
    desk.client.next(natsLogAck(9));
    await desk.log.append('a/1', 0, [recordOf('mine')]);
    desk.client.next(nobody, noMessage, noMessage, natsLogStored(9, {}, ['Snapshot']));
    const reading = desk.log.readLatest('a/1');
    await desk.time.advance('2s');
    expect((await reading).tail).toBe(lastSeqOf(9));
  });

  it('believes in the end that less is there than was acknowledged', async () => {
    desk.client.next(natsLogAck(9));
    await desk.log.append('a/1', 0, [recordOf('mine')]);
    desk.client.standing = noMessage;
    const reading = desk.log.readLatest('a/1');
    await desk.time.advance('13s');
    expect(await reading).toMatchObject({ records: [], tail: 0 });
  });

  it('leaves out what was stored beside the log, and appends behind both', async () => {
    desk.client.next(natsLogStored(9, { previous: 5 }));
    const slice = await readWith(got(5, 0), got(7, 5), got(9, 7, 5), end(9));
    expect(textsIn(slice)).toEqual(['5', '7']);
    expect(slice.tail).toBe(lastSeqOf(7));
    desk.client.next(natsLogAck(10));
    await desk.log.append('a/1', slice.tail, [recordOf('next')]);
    expect(desk.expectedOf(1)).toBe('9');
    expect(decodeFrame(desk.sent(1).payload, 10).previous).toBe(7);
  });

  it('asks the leader alone where direct gets are off', async () => {
    desk = await natsLogDesk(false);
    desk.client.next(natsLogStored(7), natsLogStored(7), noMessage);
    expect((await desk.log.read('a/1', { after: 0 })).tail).toBe(lastSeqOf(7));
    expect(desk.client.published).toEqual([]);
  });

  it('takes the end from any replica', async () => {
    desk.client.next(near(9));
    const slice = await desk.log.readLatest('a/1');
    expect(textsIn(slice)).toEqual(['Snapshot']);
    expect(slice).toMatchObject({ tail: lastSeqOf(9), isComplete: true });
    expect(desk.subjects()).toEqual([`$JS.API.DIRECT.GET.${natsLogPlace.stream}`]);
  });

  it('takes from any replica that there is nothing, while nothing else is known', async () => {
    desk.client.next(near(0, { status: 404, headers: {}, payload: new Uint8Array() }));
    expect(await desk.log.readLatest('a/1')).toMatchObject({ records: [], tail: 0 });
    expect(desk.client.requests).toHaveLength(1);
  });

  it.each<[string, NatsReply]>([
    ['is older than what was acknowledged', near(8)],
    ['knows of nothing that was acknowledged', near(0, { status: 404 })],
    ['is damaged', near(9, { payload: Buffer.from('AAAA') })],
    ['is of another subject', near(9, { headers: { 'Nats-Sequence': '9', 'Nats-Subject': 'b' } })],
    ['does not say which message it is', near(9, { headers: {} })],
    ['refuses', near(9, { status: 408 })],
    ['is not there', nobody],
  ])('asks the leader for the end when a replica %s', async (_, answer) => {
    desk.client.next(natsLogAck(9));
    await desk.log.append('a/1', 0, [recordOf('mine')]);
    desk.client.next(answer, natsLogStored(9, {}, ['Snapshot of the leader']));
    const slice = await desk.log.readLatest('a/1');
    expect(textsIn(slice)).toEqual(['Snapshot of the leader']);
  });

  it('tells damage, and remembers it until a read goes well', async () => {
    const damaged = natsAnswer({
      message: { subject: natsLogPlace.subject, seq: 7, data: 'AAAA' },
    });
    desk.client.next(nobody, damaged);
    expect((await failureOf(desk.log.readLatest('a/1'))).code).toBe('LOG_CORRUPT');
    expect((await failureOf(desk.log.append('a/1', 0, [recordOf('x')]))).code).toBe('LOG_CORRUPT');
    desk.client.next(nobody, noMessage);
    await desk.log.readLatest('a/1');
    desk.client.next(natsLogAck(8));
    expect(await desk.log.append('a/1', 0, [recordOf('x')])).toMatchObject({ status: 'accepted' });
  });

  it('fails when no leader answers for 10 s', async () => {
    const failing = failureOf(desk.log.readLatest('a/1'));
    await desk.time.advance('11s');
    expect((await failing).code).toBe('NO_QUORUM');
  });
});
