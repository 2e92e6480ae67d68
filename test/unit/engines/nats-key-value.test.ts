/** Keys and values on NATS: what each answer of the servers makes of an operation. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/core/error-codes.ts';
import { subjectOfKey } from '../../../src/engines/nats/key-subject.ts';
import { openNatsKeyValue } from '../../../src/engines/nats/key-value.ts';
import type { KeyValue, KeyValueChange } from '../../../src/ports/key-value.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import { TestTime } from '../../../src/testing/test-time.ts';
import { failureOf } from '../../helpers/failure-of.ts';
import {
  FakeNatsClient,
  natsAnswer,
  natsRefusal,
  natsUnavailable,
  natsUnknown,
} from '../../helpers/fake-nats-client.ts';

const bucket = 'tp_x_main';
const stream = `KV_${bucket}`;
const value = Uint8Array.from(Buffer.from('value'));
const owner = { label: 'test', isAlive: true, isPaused: false, held: [] };

let client: FakeNatsClient;
let time: TestTime;
let keyValue: KeyValue;

beforeEach(() => {
  client = new FakeNatsClient();
  const random = new SimRandom('nats-key-value');
  time = new TestTime(random);
  keyValue = openNatsKeyValue({ client, clock: time.clockFor(owner), random, bucket });
});

function stored(key: string, seq: number, text: string | undefined, lines: string[] = []) {
  const all = ['NATS/1.0', ...(text === undefined ? ['KV-Operation: DEL'] : []), ...lines];
  const hdrs = Buffer.from(`${all.join('\r\n')}\r\n\r\n`).toString('base64');
  return natsAnswer({
    message: {
      subject: subjectOfKey(bucket, key),
      seq,
      time: '2030-01-01T00:00:00.123456789Z',
      ...(all.length > 1 ? { hdrs } : {}),
      ...(text === undefined ? {} : { data: Buffer.from(text).toString('base64') }),
    },
  });
}

const nothing = natsRefusal(10037, 'no message found');
const ack = (seq: number) => natsAnswer({ stream, seq });

describe('a write', () => {
  it('is published with the sequence that is expected', async () => {
    client.next(nothing, ack(7), ack(9), ack(10));
    expect(await keyValue.create('nodes/a b', value)).toEqual({ status: 'accepted', revision: 14 });
    const set = await keyValue.compareAndSet('nodes/a b', value, 14);
    expect(set).toEqual({ status: 'accepted', revision: 18 });
    expect(await keyValue.delete('nodes/a b', 18)).toEqual({ status: 'accepted', revision: 21 });
    const subject = '$KV.tp_x_main.nodes.a=20b';
    client.requests.shift();
    const names = client.requests.map(({ headers }) => headers['Troupe-Write']);
    expect(new Set(names).size).toBe(3);
    expect(client.requests).toMatchObject([
      { subject, payload: value, headers: { 'Nats-Expected-Last-Subject-Sequence': '0' } },
      { subject, payload: value, headers: { 'Nats-Expected-Last-Subject-Sequence': '7' } },
      {
        subject,
        headers: { 'Nats-Expected-Last-Subject-Sequence': '9', 'KV-Operation': 'DEL' },
      },
    ]);
    expect(client.requests.every(({ headers }) => headers['Nats-Msg-Id'] === undefined)).toBe(true);
    expect(client.requests[2]?.payload).toHaveLength(0);
  });

  it('asks nobody about a revision that no value has', async () => {
    client.standing = natsRefusal(10071, 'wrong last sequence: 12');
    for (const revision of [0, -2, 1, 21, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await keyValue.compareAndSet('a', value, revision)).toEqual({ status: 'conflict' });
      expect(await keyValue.delete('a', revision)).toEqual({ status: 'conflict' });
    }
    expect(client.requests).toEqual([]);
  });

  it('conflicts when the subject ends elsewhere', async () => {
    client.next(natsRefusal(10071, 'wrong last sequence: 12'));
    expect(await keyValue.compareAndSet('a', value, 14)).toEqual({ status: 'conflict' });
    expect(client.requests).toHaveLength(1);
  });

  it('is repeated while it is surely not taken, and the same each time', async () => {
    client.next(
      { status: 'nobody' },
      natsRefusal(10164, 'wrong last sequence'),
      natsRefusal(10008),
      natsUnavailable(),
      ack(8),
    );
    const setting = keyValue.compareAndSet('a', value, 14);
    expect(await time.advanceUntil(setting)).toEqual({ status: 'accepted', revision: 16 });
    const [first] = client.requests;
    expect(client.requests).toEqual(Array.from({ length: 5 }, () => first));
  });

  it('does not see what the caller does to its bytes meanwhile', async () => {
    client.next({ status: 'nobody' }, ack(8));
    const bytes = Buffer.from('value');
    const setting = keyValue.compareAndSet('a', bytes, 14);
    bytes.fill(0);
    await time.advanceUntil(setting);
    expect(client.requests.map(({ payload }) => Buffer.from(payload).toString())).toEqual([
      'value',
      'value',
    ]);
  });

  it('is unavailable, surely not executed, when that goes on', async () => {
    const writing = time.advanceUntil(keyValue.compareAndSet('a', value, 14));
    const error = await failureOf(writing);
    expect([error.code, error.outcome]).toEqual(['ENGINE_UNAVAILABLE', 'not-executed']);
    expect(client.requests.length).toBeGreaterThan(5);
  });

  it('is unknown, and not repeated, when no answer of use came', async () => {
    const answers = [
      natsUnknown(),
      natsUnknown('ENGINE_UNAVAILABLE'),
      natsAnswer('no JSON'),
      natsAnswer({ stream: 'another', seq: 9 }),
      natsAnswer({ stream, seq: 9, duplicate: true }),
      natsAnswer({ stream, seq: 7 }),
      natsRefusal(10077, 'store failed'),
      natsRefusal(99_999, 'never heard of'),
    ];
    for (const answer of answers) {
      const before = client.requests.length;
      client.next(answer);
      const error = await failureOf(keyValue.compareAndSet('a', value, 14));
      expect([error.code, error.outcome]).toEqual(['ENGINE_FAILED', 'unknown']);
      expect(client.requests).toHaveLength(before + 1);
    }
  });

  it('fails at once, not executed, with what the caller can do something about', async () => {
    const answers: [ReturnType<typeof natsRefusal>, ErrorCode][] = [
      [natsRefusal(10047, 'insufficient storage'), 'DISK_FULL'],
      [natsRefusal(10054, 'too large'), 'PAYLOAD_TOO_LARGE'],
      [natsUnavailable('UNAUTHORIZED'), 'UNAUTHORIZED'],
      [natsRefusal(10060, 'expected stream does not match'), 'ENGINE_UNAVAILABLE'],
    ];
    for (const [answer, code] of answers) {
      const before = client.requests.length;
      client.next(answer);
      const error = await failureOf(keyValue.delete('a', 14));
      expect([error.code, error.outcome]).toEqual([code, 'not-executed']);
      expect(client.requests).toHaveLength(before + 1);
    }
  });
});

describe('a write that a server of several declines', () => {
  const expected = 'Nats-Expected-Last-Subject-Sequence';

  beforeEach(() => {
    client.server = { ...client.server, cluster: 'three' };
  });

  /** What follows the expected message: a write of ours, or of another, behind a place. */
  function follower(name: string | undefined, behind: number) {
    return stored('a', 9, 'x', [`Troupe-Write: ${name}`, `${expected}: ${behind}`]);
  }

  const ownName = () => client.requests.at(0)?.headers['Troupe-Write'];

  it('conflicts at once when the server has seen something behind what is expected', async () => {
    client.next(natsRefusal(10071, 'wrong last sequence: 8'));
    expect(await keyValue.compareAndSet('a', value, 14)).toEqual({ status: 'conflict' });
    expect(client.requests).toHaveLength(1);
  });

  it('is accepted when it is found, whatever was said', async () => {
    const answers = [natsRefusal(10164), natsRefusal(10008), natsRefusal(10071, 'sequence: 3')];
    for (const answer of answers) {
      client.requests.length = 0;
      client.next(answer, () => follower(ownName(), 7));
      const set = await keyValue.compareAndSet('a', value, 14);
      expect(set).toEqual({ status: 'accepted', revision: 18 });
      const query = Buffer.from(client.requests[1]?.payload ?? []).toString();
      expect(JSON.parse(query)).toEqual({ seq: 8, next_by_subj: '$KV.tp_x_main.a' });
    }
  });

  it('conflicts when another is found in its place, at once or within a moment', async () => {
    client.next(natsRefusal(10164), follower('other-1', 7));
    expect(await keyValue.compareAndSet('a', value, 14)).toEqual({ status: 'conflict' });
    client.next(natsRefusal(10164), nothing, nothing, follower('other-1', 7));
    const setting = time.advanceUntil(keyValue.compareAndSet('a', value, 14));
    expect(await setting).toEqual({ status: 'conflict' });
    expect(client.answersLeft).toBe(0);
  });

  it('is unknown when what followed is not there any more', async () => {
    client.next(natsRefusal(10164), follower('other-1', 8));
    const error = await failureOf(keyValue.compareAndSet('a', value, 14));
    expect([error.code, error.outcome]).toEqual(['ENGINE_FAILED', 'unknown']);
  });

  it('is tried again while nothing is found; a conflict then may be its own doing', async () => {
    const inVain = Array.from({ length: 5 }, () => nothing);
    client.next(natsRefusal(10164), ...inVain, natsRefusal(10071, 'wrong last sequence: 9'));
    client.next(() => follower(ownName(), 7));
    const setting = time.advanceUntil(keyValue.compareAndSet('a', value, 14));
    expect(await setting).toEqual({ status: 'accepted', revision: 18 });
    client.requests.length = 0;
    client.next(natsRefusal(10071, 'wrong last sequence: 3'), natsUnknown(), ...inVain.slice(1));
    client.next(ack(9));
    const again = time.advanceUntil(keyValue.compareAndSet('a', value, 14));
    expect(await again).toEqual({ status: 'accepted', revision: 18 });
  });

  it('is unknown in the end when nothing is ever found', async () => {
    client.standing = ({ subject }) =>
      subject.startsWith('$JS') ? nothing : natsRefusal(10164, 'wrong last sequence');
    const error = await failureOf(time.advanceUntil(keyValue.compareAndSet('a', value, 14)));
    expect([error.code, error.outcome]).toEqual(['ENGINE_FAILED', 'unknown']);
    // Nobody was there at all: that is sure.
    client.standing = { status: 'nobody' };
    const second = await failureOf(time.advanceUntil(keyValue.compareAndSet('a', value, 14)));
    expect([second.code, second.outcome]).toEqual(['ENGINE_UNAVAILABLE', 'not-executed']);
  });

  it('is unknown when a later attempt fails for good', async () => {
    const inVain = Array.from({ length: 5 }, () => nothing);
    client.next(natsRefusal(10164), ...inVain, natsRefusal(10047, 'insufficient storage'));
    client.next(...inVain);
    const error = await failureOf(time.advanceUntil(keyValue.compareAndSet('a', value, 14)));
    expect([error.code, error.outcome]).toEqual(['ENGINE_FAILED', 'unknown']);
  });
});

describe('a creation', () => {
  it('goes on top of a deletion or of nothing, as it was read', async () => {
    client.next(stored('a', 5, undefined), ack(6));
    expect(await keyValue.create('a', value)).toEqual({ status: 'accepted', revision: 12 });
    expect(client.requests[1]?.headers).toMatchObject({
      'Nats-Expected-Last-Subject-Sequence': '5',
    });
    for (const read of [nothing, stored('a', 5, undefined)]) {
      client.next(read, natsRefusal(10071, 'wrong last sequence: 7'));
      expect(await keyValue.create('a', value)).toEqual({ status: 'conflict' });
    }
    expect(client.answersLeft).toBe(0);
  });

  it('writes nothing where there is something', async () => {
    client.next(stored('a', 6, 'there'));
    expect(await keyValue.create('a', value)).toEqual({ status: 'conflict' });
    expect(client.requests).toHaveLength(1);
  });
});

describe('a read', () => {
  it('asks the leader, and tells a value from a deletion and from nothing', async () => {
    client.next(stored('a', 5, 'text'), stored('a', 6, undefined), nothing);
    const entry = await keyValue.get('a');
    expect(entry).toMatchObject({ key: 'a', revision: 10 });
    expect(Buffer.from(entry?.value ?? []).toString()).toBe('text');
    expect(await keyValue.get('a')).toBeUndefined();
    expect(await keyValue.get('a')).toBeUndefined();
    const [request] = client.requests;
    expect(request?.subject).toBe(`$JS.API.STREAM.MSG.GET.${stream}`);
    const body = JSON.parse(Buffer.from(request?.payload ?? []).toString());
    expect(body).toEqual({ last_by_subj: '$KV.tp_x_main.a' });
  });

  it('is repeated while nobody answers, and then unavailable, never unknown', async () => {
    client.next({ status: 'nobody' }, natsUnknown(), natsRefusal(10008), nothing);
    expect(await time.advanceUntil(keyValue.get('a'))).toBeUndefined();
    client.standing = natsUnknown();
    const error = await failureOf(time.advanceUntil(keyValue.get('a')));
    expect([error.code, error.outcome]).toEqual(['ENGINE_UNAVAILABLE', 'not-executed']);
  });

  it('fails at once when it is not allowed, when there is no stream, and on nonsense', async () => {
    client.next(natsUnavailable('UNAUTHORIZED'));
    expect((await failureOf(keyValue.get('a'))).code).toBe('UNAUTHORIZED');
    client.next(natsRefusal(10059, 'stream not found'));
    expect((await failureOf(keyValue.get('a'))).detail).toContain('stream not found');
    for (const message of [undefined, {}, { seq: 1, subject: 's', time: 'never' }, { seq: '1' }]) {
      client.next(natsAnswer({ message }));
      expect((await failureOf(keyValue.get('a'))).code).toBe('LOG_CORRUPT');
    }
  });
});

describe('a watch', () => {
  async function watched(prefix = '') {
    const changes: KeyValueChange[] = [];
    client.standing = nothing;
    const stop = await keyValue.watch(prefix, change => changes.push(change));
    await time.settled();
    return { changes, stop, askedFor: () => client.requests.length };
  }

  it('asks soon after a hint, again while there is nothing, and then rarely', async () => {
    const { askedFor } = await watched('nodes/');
    expect(askedFor()).toBe(1);
    client.arrive('$KV.tp_x_main.nodes.>');
    await time.advance(400);
    expect(askedFor()).toBe(6);
    await time.advance(20_000);
    expect(askedFor()).toBeLessThanOrEqual(17);
  });

  it('reports what came, and goes on behind it', async () => {
    const { changes } = await watched();
    client.next(stored('a', 5, 'one'), stored('b', 6, undefined));
    client.arrive('$KV.tp_x_main.>');
    await time.advance(500);
    expect(changes).toMatchObject([
      { kind: 'put', entry: { key: 'a', revision: 10 } },
      { kind: 'delete', key: 'b', revision: 13 },
    ]);
    const last = client.requests.at(-1)?.payload ?? new Uint8Array();
    expect(JSON.parse(Buffer.from(last).toString())).toMatchObject({ seq: 7 });
  });

  it('finds without any hint what came, and after a reconnect at once', async () => {
    const { changes } = await watched();
    client.next(stored('a', 5, 'one'));
    await time.advance(2_100);
    expect(changes).toHaveLength(1);
    client.next(stored('a', 6, 'two'));
    client.become('disconnected');
    client.become('connected');
    await time.advance(10);
    expect(changes).toHaveLength(2);
  });

  it('outlives a server that does not answer', async () => {
    const { changes } = await watched();
    client.next(natsUnknown(), natsRefusal(10008), natsAnswer('nonsense'), stored('a', 5, 'one'));
    await time.advance(10_000);
    expect(changes).toHaveLength(1);
  });

  it('reports no deletion that it begins with', async () => {
    client.next(stored('a', 5, undefined), stored('b', 6, 'there'));
    const { changes } = await watched();
    expect(changes).toMatchObject([{ kind: 'put', entry: { key: 'b' } }]);
  });

  it('leaves nothing behind when it ends, or cannot begin', async () => {
    const { stop, changes, askedFor } = await watched();
    client.next(stored('a', 5, 'one'));
    stop();
    client.arrive('$KV.tp_x_main.>');
    const asked = askedFor();
    await time.advance(60_000);
    expect([askedFor(), changes, client.subscriptionCount]).toEqual([asked, [], 0]);
    client.next(natsUnavailable('UNAUTHORIZED'));
    await failureOf(keyValue.watch('', () => undefined));
    expect(client.subscriptionCount).toBe(0);
    await watched();
    await keyValue.close();
    expect(client.subscriptionCount).toBe(0);
  });
});

describe('a listing', () => {
  it('fails when it cannot read on, rather than show a part', async () => {
    client.next(stored('a', 1, 'x'), natsRefusal(10059, 'stream not found'));
    expect((await failureOf(keyValue.keys(''))).code).toBe('ENGINE_UNAVAILABLE');
  });
});
