/** The bus on NATS: what is sent, what each answer means, and what becomes of late requests. */
import { beforeEach, describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import { openNatsBus } from '../../../src/engines/nats/bus.ts';
import {
  subjectOfPattern,
  subjectOfTopic,
  topicOfSubject,
} from '../../../src/engines/nats/bus-topic.ts';
import type { Bus } from '../../../src/ports/bus.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { TestTime } from '../../../src/testing/test-time.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import {
  FakeNatsClient,
  natsAnswer,
  natsMessage,
  natsUnavailable,
  natsUnknown,
} from '../../helpers/fake-nats-client.ts';

const prefix = 'tp.x';
const bytes = Uint8Array.from([1, 2, 3]);
const owner = { label: 'test', isAlive: true, isPaused: false, held: [] };

let client: FakeNatsClient;
let time: TestTime;
let clock: Clock;
let bus: Bus;
let thrown: TroupeError[];

beforeEach(() => {
  client = new FakeNatsClient();
  time = new TestTime(new SimRandom('nats-bus'));
  clock = time.clockFor(owner);
  thrown = [];
  bus = openNatsBus({ client, clock, prefix, onError: error => thrown.push(error) });
});

/** A request that arrives; `deadlineMs` is relative to now. */
function ask(topic: string, deadlineMs: number | undefined, reply = '_INBOX.a.1'): void {
  const headers: Record<string, string> =
    deadlineMs === undefined ? {} : { 'Troupe-Deadline': `${clock.now() + deadlineMs}` };
  client.arrive(`tp.x.ask.${topic}`, { payload: bytes, reply, headers });
}

describe('publishing', () => {
  it('goes to the subject of the topic, with bytes of its own', async () => {
    const payload = Uint8Array.from(bytes);
    await bus.publish('agents.a b', payload);
    payload.fill(0);
    expect(client.published).toEqual([
      { subject: 'tp.x.pub.agents.a=20b', payload: bytes, headers: { 'Troupe-From': 'fake 1' } },
    ]);
  });

  it('fails without a connection, or when the message is too large, and nothing left', async () => {
    client.isSending = false;
    const error = await failureOf(bus.publish('a', bytes));
    expect([error.code, error.outcome]).toEqual(['ENGINE_UNAVAILABLE', 'not-executed']);
    client.isSending = true;
    const large = await failureOf(bus.publish('a', new Uint8Array(1_048_576)));
    expect([large.code, large.outcome]).toEqual(['PAYLOAD_TOO_LARGE', 'not-executed']);
    expect(client.published).toEqual([]);
  });

  it('refuses topics that cannot be subjects', async () => {
    for (const topic of ['', 'a..b', 'a.*', '>', 'x'.repeat(1_020), 'é'.repeat(400), '\ud800']) {
      expect((await failureOf(bus.publish(topic, bytes))).code).toBe('INVALID_INPUT');
    }
    for (const pattern of ['', 'a..b', '>.a', '.', 'x'.repeat(1_020)]) {
      const subscribing = bus.subscribe(pattern, () => undefined);
      expect((await failureOf(subscribing)).code).toBe('INVALID_INPUT');
    }
    expect((await failureOf(bus.request('a.*', bytes, 10))).code).toBe('INVALID_INPUT');
    const responding = bus.respond('a.*', async () => bytes);
    expect((await failureOf(responding)).code).toBe('INVALID_INPUT');
  });
});

describe('a request', () => {
  it('carries its deadline, and gives the answer', async () => {
    client.next(natsAnswer('yes'));
    const answer = await bus.request('a.b', bytes, 1_500);
    expect(Buffer.from(answer).toString()).toBe('yes');
    expect(client.requests).toEqual([
      {
        subject: 'tp.x.ask.a.b',
        payload: bytes,
        timeoutMs: 1_500,
        headers: { 'Troupe-Deadline': `${clock.now() + 1_500}` },
      },
    ]);
  });

  it.each([
    ['nobody listens', { status: 'nobody' }, 'NODE_UNREACHABLE', 'not-executed'],
    ['it was not sent', natsUnavailable(), 'ENGINE_UNAVAILABLE', 'not-executed'],
    ['its time is over', natsUnknown(), 'DEADLINE_EXCEEDED', 'unknown'],
    ['the connection broke', natsUnknown('ENGINE_UNAVAILABLE'), 'NODE_UNREACHABLE', 'unknown'],
    [
      'the responder stopped',
      natsAnswer('', { 'Troupe-Answer': 'stopped' }),
      'NODE_UNREACHABLE',
      'not-executed',
    ],
    [
      'it came late',
      natsAnswer('', { 'Troupe-Answer': 'late' }),
      'DEADLINE_EXCEEDED',
      'not-executed',
    ],
    [
      'the responder failed in an unknown way',
      natsAnswer('{"code":"NO_SUCH_CODE"}', { 'Troupe-Answer': 'failed' }),
      'HANDLER_FAILED',
      'unknown',
    ],
    [
      'the failure cannot be read',
      natsAnswer('{', { 'Troupe-Answer': 'failed' }),
      'HANDLER_FAILED',
      'unknown',
    ],
    [
      'the answer is of a kind that is not known',
      natsAnswer('{}', { 'Troupe-Answer': 'later' }),
      'HANDLER_FAILED',
      'unknown',
    ],
  ] as const)('when %s', async (_, answer, code, outcome) => {
    client.next(answer);
    const error = await failureOf(bus.request('a', bytes, 1_000));
    expect([error.code, error.outcome]).toEqual([code, outcome]);
    expect(client.requests).toHaveLength(1);
  });

  it('fails with what the responder threw', async () => {
    const failure = { code: 'MAILBOX_FULL', outcome: 'not-executed', detail: 'full' };
    client.next(natsAnswer(failure, { 'Troupe-Answer': 'failed' }));
    const error = await failureOf(bus.request('a', bytes, 1_000));
    expect(error.toValue()).toEqual(failure);
  });

  it('is refused when it is too large, and not sent', async () => {
    const error = await failureOf(bus.request('a', new Uint8Array(1_048_576), 1_000));
    expect([error.code, client.requests]).toEqual(['PAYLOAD_TOO_LARGE', []]);
  });
});

describe('a responder', () => {
  it('answers, outside the stack of the socket', async () => {
    const asked: string[] = [];
    await bus.respond('a', async ({ topic, payload }) => {
      asked.push(topic);
      return payload.map(byte => byte + 1);
    });
    ask('a', 1_000);
    expect(asked).toEqual([]);
    await time.settled();
    expect(asked).toEqual(['a']);
    const payload = Uint8Array.from([2, 3, 4]);
    expect(client.published).toEqual([{ subject: '_INBOX.a.1', payload, headers: {} }]);
  });

  it('is not run for what comes past its deadline, but for a doubt about the clocks', async () => {
    const asked: string[] = [];
    await bus.respond('a', async () => {
      asked.push('a');
      return bytes;
    });
    ask('a', -2_001);
    await time.settled();
    expect([asked, client.published]).toMatchObject([
      [],
      [{ headers: { 'Troupe-Answer': 'late' } }],
    ]);
    ask('a', -1_999);
    ask('a', undefined);
    await time.settled();
    expect(asked).toHaveLength(2);
  });

  it('declines what comes after its stop, also what waits for this tick', async () => {
    const asked: string[] = [];
    const stop = await bus.respond('a', async () => {
      asked.push('a');
      return bytes;
    });
    ask('a', 1_000);
    stop();
    await time.settled();
    expect(asked).toEqual([]);
    expect(client.published).toMatchObject([{ headers: { 'Troupe-Answer': 'stopped' } }]);
    // Whoever asks right after the stop is told too.
    ask('a', 1_000);
    await time.advance(101);
    expect([asked, client.published.length, client.subscriptionCount]).toEqual([[], 2, 0]);
  });

  it('sends back what it throws, with its outcome, cut to a bound', async () => {
    await bus.respond('a', async () => {
      throw new TroupeError('REJECTED', { detail: 'x'.repeat(100_000) });
    });
    await bus.respond('b', () => {
      throw new Error('thrown on purpose');
    });
    ask('a', 1_000);
    ask('b', 1_000);
    await time.settled();
    const sent = client.published.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()));
    expect(client.published.every(each => each.headers['Troupe-Answer'] === 'failed')).toBe(true);
    sent.sort((left, right) => (left.code > right.code ? -1 : 1));
    expect(sent[0]).toMatchObject({ code: 'REJECTED', outcome: 'rolled-back' });
    expect(sent[0].detail).toHaveLength(4_096);
    expect(sent[1]).toMatchObject({ code: 'HANDLER_FAILED', outcome: 'unknown' });
    expect(thrown).toEqual([]);
  });

  it('says that its answer is too large, although it ran', async () => {
    await bus.respond('a', async () => new Uint8Array(1_048_576));
    ask('a', 1_000);
    await time.settled();
    const [sent] = client.published;
    const failure = JSON.parse(Buffer.from(sent?.payload ?? []).toString());
    expect(failure).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', outcome: 'executed' });
  });

  it('is not asked where nobody waits for an answer', async () => {
    let count = 0;
    await bus.respond('a', async () => {
      count += 1;
      return bytes;
    });
    client.arrive('tp.x.ask.a', natsMessage('x'));
    await time.settled();
    expect([count, client.published]).toEqual([0, []]);
  });

  it('goes on when there is no way back', async () => {
    let count = 0;
    await bus.respond('a', async () => {
      count += 1;
      return bytes;
    });
    client.isSending = false;
    ask('a', 1_000);
    await time.settled();
    client.isSending = true;
    ask('a', 1_000);
    await time.settled();
    expect([count, client.published.length, thrown]).toEqual([2, 1, []]);
  });
});

describe('a subscriber', () => {
  it('gets bytes of its own in order, and one that throws harms nobody', async () => {
    const seen: string[] = [];
    await bus.subscribe('a.*', () => {
      throw new Error('thrown on purpose');
    });
    await bus.subscribe('a.>', ({ topic, payload }) => {
      seen.push(`${topic} ${payload[0]}`);
      payload.fill(0);
    });
    const payload = Uint8Array.from(bytes);
    for (const subscribed of ['tp.x.pub.a.*', 'tp.x.pub.a.>']) {
      client.arrive(subscribed, { subject: 'tp.x.pub.a.b=20c', payload });
    }
    client.arrive('tp.x.pub.a.>', { subject: 'tp.x.pub.a.d', payload });
    expect(seen).toEqual([]);
    await time.settled();
    expect([seen, payload]).toEqual([['a.b c 1', 'a.d 1'], bytes]);
    expect(thrown.map(error => error.code)).toEqual(['HANDLER_FAILED']);
  });

  it('hears nothing twice, and nothing behind what was said later', async () => {
    const seen: number[] = [];
    const other: number[] = [];
    await bus.subscribe('a', ({ payload }) => seen.push(payload[0] ?? 0));
    await bus.subscribe('b', ({ payload }) => other.push(payload[0] ?? 0));
    const say = (from: string, number: number, on = 'a') =>
      client.arrive(`tp.x.pub.${on}`, {
        payload: Uint8Array.of(number),
        headers: from === '' ? {} : { 'Troupe-From': `${from} ${number}` },
      });
    for (const number of [1, 2, 5, 3, 4, 5, 6]) say('p', number);
    for (const number of [1, 3, 2]) say('q', number);
    for (const number of [9, 8]) say('', number);
    say('p', 2, 'b');
    client.arrive('tp.x.pub.a', { payload: Uint8Array.of(7), headers: { 'Troupe-From': 'p x' } });
    await time.settled();
    expect([seen, other]).toEqual([[1, 2, 5, 6, 1, 3, 9, 8, 7], [2]]);
  });

  it('is not left in the dark when the servers end its subscription', async () => {
    await bus.subscribe('a', () => undefined);
    client.endSubscriptions(new TroupeError('UNAUTHORIZED', { detail: 'ended on purpose' }));
    expect(thrown.map(error => error.code)).toEqual(['UNAUTHORIZED']);
  });

  it('is told about no subject that is not ours', async () => {
    const seen: unknown[] = [];
    await bus.subscribe('>', message => seen.push(message));
    client.arrive('tp.x.pub.>', { subject: 'tp.x.pub.=ZZ' });
    await time.settled();
    expect([seen, thrown.map(error => error.code)]).toEqual([[], ['LOG_CORRUPT']]);
  });

  it('whose subscription ends up after the bus was closed is not left behind', async () => {
    const subscribing = bus.subscribe('a', () => undefined);
    await bus.close();
    expect((await failureOf(subscribing)).code).toBe('NOT_STARTED');
    expect(client.subscriptionCount).toBe(0);
  });
});

describe('topics as subjects', () => {
  it('come back as they were', () => {
    for (const topic of ['a', 'a.b', 'a+.(b|c).[d]$', 'é.🦊', '=.=20', 'A_-9.x y']) {
      const subject = subjectOfTopic(prefix, topic);
      expect(subject).toMatch(/^tp\.x(\.[\w=-]+)+$/);
      expect(topicOfSubject(prefix, subject)).toBe(topic);
    }
    expect(subjectOfPattern(prefix, 'a b.*.>')).toBe('tp.x.a=20b.*.>');
  });
});
