/** JetStream's answers: into which class each is put, and what is asked. */
import { describe, expect, it } from 'vitest';
import type { NatsReply } from '../../../src/engines/nats/client.ts';
import { askJetStream, publishAnswerOf, publishInto } from '../../../src/engines/nats/jetstream.ts';
import {
  FakeNatsClient,
  natsAnswer,
  natsMessage,
  natsRefusal,
  natsUnavailable,
  natsUnknown,
} from '../../helpers/fake-nats-client.ts';

const stream = 'tp_x_log_0';
const ack = (more: object = {}) => natsAnswer({ stream, seq: 8, ...more });
const status503: NatsReply = {
  status: 'answered',
  message: { ...natsMessage(''), status: 503 },
};

describe('what became of a message', () => {
  const accepted = { status: 'accepted', seq: 8 };
  const passing = { status: 'unavailable', isPassing: true, cause: { outcome: 'not-executed' } };
  const declined = { ...passing, isSure: false };
  const lasting = { ...passing, isPassing: false, isSure: true };
  const unknown = { status: 'unknown', cause: { outcome: 'unknown' } };

  it.each<[string, NatsReply, object]>([
    ['an acknowledgement', ack(), accepted],
    ['one of a domain', ack({ domain: 'hub' }), accepted],
    ['one that says duplicate', ack({ duplicate: true }), unknown],
    ['one of another stream', ack({ stream: 'other' }), unknown],
    ['one at the expected place', ack({ seq: 7 }), unknown],
    ['one before it', ack({ seq: 3 }), unknown],
    ['one without a place', ack({ seq: undefined }), unknown],
    ['one with a broken place', ack({ seq: 8.5 }), unknown],
    ['nothing', natsAnswer(''), unknown],
    ['no JSON', natsAnswer('+OK'), unknown],
    ['a list', natsAnswer('[]'), unknown],
    ['a status line', status503, unknown],
    ['10071', natsRefusal(10071, 'wrong last sequence: 12'), { status: 'conflict', lastSeq: 12 }],
    ['10071 without a number', natsRefusal(10071, 'wrong'), { status: 'conflict' }],
    ['10164', natsRefusal(10164), { ...declined, cause: { code: 'NO_QUORUM' } }],
    ['10158', natsRefusal(10158), declined],
    ['10163', natsRefusal(10163), declined],
    ['10008', natsRefusal(10008), { ...declined, cause: { code: 'NO_QUORUM' } }],
    ['10009', natsRefusal(10009), declined],
    ['10167', natsRefusal(10167), declined],
    ['10002', natsRefusal(10002), { ...lasting, cause: { code: 'DISK_FULL' } }],
    ['10023', natsRefusal(10023), lasting],
    ['10028', natsRefusal(10028), lasting],
    ['10047', natsRefusal(10047), { ...lasting, cause: { code: 'DISK_FULL' } }],
    ['10054', natsRefusal(10054), { ...lasting, cause: { code: 'PAYLOAD_TOO_LARGE' } }],
    ['10097', natsRefusal(10097), lasting],
    ['10039', natsRefusal(10039), { ...lasting, cause: { code: 'ENGINE_UNAVAILABLE' } }],
    ['10076', natsRefusal(10076), lasting],
    ['10109', natsRefusal(10109), lasting],
    ['10060', natsRefusal(10060), lasting],
    ['10077 at a limit', natsRefusal(10077, 'maximum bytes exceeded'), lasting],
    ['10077 at another', natsRefusal(10077, 'maximum messages exceeded'), lasting],
    ['10077 while writing', natsRefusal(10077, 'no space left on device'), unknown],
    ['10077 of a store that closed', natsRefusal(10077, 'store is closed'), unknown],
    ['a refusal that nobody knows', natsRefusal(19999), unknown],
    ['a refusal without a number', natsAnswer({ error: { code: 503 } }), unknown],
    [
      'nobody there',
      { status: 'nobody' },
      { ...passing, isSure: true, cause: { code: 'NO_QUORUM' } },
    ],
    ['no connection', natsUnavailable(), { ...passing, isSure: true }],
    ['too many requests', natsUnavailable('OVERLOADED'), passing],
    ['no permission', natsUnavailable('UNAUTHORIZED'), lasting],
    ['too large to send', natsUnavailable('PAYLOAD_TOO_LARGE'), lasting],
    ['no answer', natsUnknown(), { ...unknown, cause: { code: 'ENGINE_UNAVAILABLE' } }],
  ])('%s', (_, reply, expected) => {
    expect(publishAnswerOf(reply, stream, 7)).toMatchObject(expected);
  });

  it('believes any place when nothing is expected', () => {
    expect(publishAnswerOf(ack({ seq: 1 }), stream)).toEqual({ status: 'accepted', seq: 1 });
  });
});

describe('publishing', () => {
  it('says what it expects, sends no message id, and leaves before it returns', async () => {
    const client = new FakeNatsClient().next(ack(), ack());
    const answers = [
      publishInto(client, 's.1', Buffer.from('a'), { stream, timeoutMs: 50, expectedSeq: 7 }),
      publishInto(client, 's.2', Buffer.from('b'), { stream, timeoutMs: 60, headers: { a: 'b' } }),
    ];
    expect(client.requests).toEqual([
      {
        subject: 's.1',
        payload: Buffer.from('a'),
        headers: { 'Nats-Expected-Last-Subject-Sequence': '7' },
        timeoutMs: 50,
      },
      { subject: 's.2', payload: Buffer.from('b'), headers: { a: 'b' }, timeoutMs: 60 },
    ]);
    expect(await Promise.all(answers)).toMatchObject([{ seq: 8 }, { seq: 8 }]);
  });
});

describe('the API', () => {
  it('is asked in JSON, or with nothing', async () => {
    const client = new FakeNatsClient().next(natsAnswer({ a: 1 }), natsAnswer({ a: 2 }));
    expect(await askJetStream(client, 'STREAM.INFO.s', undefined, 10)).toEqual({
      status: 'answered',
      value: { a: 1 },
    });
    await askJetStream(client, 'STREAM.PURGE.s', { filter: 'x' }, 10);
    expect(
      client.requests.map(({ subject, payload }) => [subject, Buffer.from(payload).toString()]),
    ).toEqual([
      ['$JS.API.STREAM.INFO.s', ''],
      ['$JS.API.STREAM.PURGE.s', '{"filter":"x"}'],
    ]);
  });

  it.each<[string, NatsReply, object]>([
    [
      'a refusal',
      natsRefusal(10059, 'stream not found'),
      { status: 'refused', refusal: { errorCode: 10059, description: 'stream not found' } },
    ],
    ['a refusal without a number', natsAnswer({ error: {} }), { refusal: { errorCode: 0 } }],
    ['10004', natsRefusal(10004), { status: 'unavailable' }],
    ['10007', natsRefusal(10007), { status: 'unavailable' }],
    ['10008', natsRefusal(10008), { status: 'unavailable', cause: { code: 'NO_QUORUM' } }],
    ['10009', natsRefusal(10009), { status: 'unavailable' }],
    ['no JSON', natsAnswer('no'), { status: 'unknown' }],
    ['nobody there', { status: 'nobody' }, { status: 'unavailable', cause: { code: 'NO_QUORUM' } }],
    ['no permission', natsUnavailable('UNAUTHORIZED'), { cause: { code: 'UNAUTHORIZED' } }],
    ['no answer', natsUnknown(), { status: 'unknown', cause: { outcome: 'unknown' } }],
  ])('answered with %s', async (_, reply, expected) => {
    const answer = await askJetStream(new FakeNatsClient().next(reply), 'X', undefined, 10);
    expect(answer).toMatchObject(expected);
  });
});
