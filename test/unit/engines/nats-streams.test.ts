/** The streams of a cluster: made, checked, listed, and refused where they would not do. */
import { describe, expect, it } from 'vitest';
import { blobConfig } from '../../../src/engines/nats/blob-head.ts';
import type { NatsReply } from '../../../src/engines/nats/client.ts';
import { bucketConfig } from '../../../src/engines/nats/key-value-entry.ts';
import { openNatsLog } from '../../../src/engines/nats/log.ts';
import { placeOf } from '../../../src/engines/nats/log-subjects.ts';
import {
  complaintAbout,
  ensureStream,
  ensureStreams,
  type StreamsOptions,
  wantedStreams,
} from '../../../src/engines/nats/streams.ts';
import { SubjectPages } from '../../../src/engines/nats/subject-pages.ts';
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
import { inNatsModel } from '../../helpers/nats-model.ts';

const layout = { cluster: 'x', shardCount: 4, streamCount: 2 };
const noStream = natsRefusal(10059, 'stream not found');

function setUp(more: Partial<StreamsOptions> = {}) {
  const client = new FakeNatsClient();
  const random = new SimRandom('nats-streams');
  const time = new TestTime(random);
  const clock = time.clockFor({ label: 'test', isAlive: true, isPaused: false, held: [] });
  return { client, time, options: { client, clock, random, layout, replicas: 1, ...more } };
}

function configs(replicas = 1): Record<string, unknown>[] {
  return wantedStreams({ layout, replicas }).map(config => ({ ...config }));
}

describe('what streams are wanted', () => {
  it('is a stream for each group of shards, and one for marks', () => {
    expect(configs(3)).toMatchObject([
      { name: 'tp_x_log_0', subjects: ['tp.x.log.0.>', 'tp.x.log.2.>'], max_msgs_per_subject: -1 },
      { name: 'tp_x_log_1', subjects: ['tp.x.log.1.>', 'tp.x.log.3.>'] },
      { name: 'tp_x_marks', subjects: ['tp.x.wake.>', 'tp.x.cut.>'], max_msgs_per_subject: 1 },
    ]);
    for (const config of configs(3)) {
      const kept = { num_replicas: 3, storage: 'file', retention: 'limits', discard: 'new' };
      expect(config).toMatchObject({ ...kept, max_age: 0, max_msgs: -1, max_bytes: -1 });
    }
  });
});

describe('a stream that is there', () => {
  const [wanted = {}] = configs();

  it.each<[string, object, string | undefined]>([
    ['as wanted', {}, undefined],
    ['with more said of it', { metadata: { a: 'b' }, compression: 's2' }, undefined],
    ['without direct gets', { allow_direct: false }, undefined],
    [
      'with its subjects in another order',
      { subjects: ['tp.x.log.2.>', 'tp.x.log.0.>'] },
      undefined,
    ],
    ['in memory', { storage: 'memory' }, 'its storage is "memory" and must be "file"'],
    ['with fewer replicas', { num_replicas: 3 }, 'its num_replicas is 3 and must be 1'],
    ['that forgets by age', { max_age: 5 }, 'its max_age is 5 and must be 0'],
    ['that forgets by count', { max_msgs_per_subject: 9 }, 'its max_msgs_per_subject is 9'],
    ['that makes room', { discard: 'old' }, 'its discard is "old"'],
    ['that is a queue', { retention: 'workqueue' }, 'its retention is "workqueue"'],
    ['of another layout', { subjects: ['tp.x.log.0.>'] }, 'its subjects is ["tp.x.log.0.>"]'],
    ['of another format', { description: 'mine' }, 'its description is "mine"'],
    ['that is sealed', { sealed: true }, 'it has sealed set, and must not'],
    ['that keeps all', { deny_purge: true }, 'it has deny_purge set'],
    ['that mirrors', { mirror: { name: 'other' } }, 'it has mirror set'],
    ['that says nothing of its storage', { storage: undefined }, 'its storage is missing'],
  ])('%s', (_, more, complaint) => {
    const found = complaintAbout({ ...wanted, ...more }, wanted);
    if (complaint === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(complaint);
  });
});

describe('making sure of streams', () => {
  it('makes what is missing, and takes what is there', async () => {
    const { client, options } = setUp();
    const [first, second, marks] = configs();
    client.next(natsAnswer({ config: first }), noStream, noStream);
    client.next(natsAnswer({ config: second }), natsAnswer({ config: marks }));
    expect(await ensureStreams(options)).toEqual({ isDirect: true, madeCount: 2 });
    expect(client.requests.slice(3).map(({ subject }) => subject)).toEqual([
      '$JS.API.STREAM.CREATE.tp_x_log_1',
      '$JS.API.STREAM.CREATE.tp_x_marks',
    ]);
    expect(JSON.parse(Buffer.from(client.requests[3]?.payload ?? []).toString())).toEqual(second);
  });

  it('uses no direct gets where one stream does not say that it allows them', async () => {
    const { client, options } = setUp();
    client.standing = ({ subject }) => {
      const config = configs().find(({ name }) => subject.endsWith(`.${name}`)) ?? {};
      const isOld = subject.endsWith('log_1');
      return natsAnswer({ config: isOld ? { ...config, allow_direct: undefined } : config });
    };
    expect(await ensureStreams(options)).toEqual({ isDirect: false, madeCount: 0 });
  });

  it.each<[string, NatsReply]>([
    ['somebody else makes it at the same time', natsRefusal(10058, 'stream name already in use')],
    ['its fate is open', natsUnknown()],
    ['no leader is there', natsRefusal(10008)],
    ['nobody answers', { status: 'nobody' }],
  ])('looks again when %s', async (_, reply) => {
    const { client, time, options } = setUp({
      layout: { ...layout, shardCount: 1, streamCount: 1 },
    });
    const [log, marks] = wantedStreams(options);
    client.next(noStream, natsAnswer({ config: marks }), reply, natsAnswer({ config: log }));
    const making = ensureStreams(options);
    await time.advance('1s');
    expect(await making).toMatchObject({ isDirect: true });
    expect(client.answersLeft).toBe(0);
  });

  it.each<[string, NatsReply, string, string]>([
    ['the server stands alone', natsRefusal(10074), 'CONFIG_INVALID', 'start three servers'],
    ['there are too few servers', natsRefusal(10005), 'CONFIG_INVALID', 'not as many servers'],
    ['JetStream is off for the account', natsRefusal(10039), 'CONFIG_INVALID', 'switch it on'],
    ['JetStream is off', natsRefusal(10076), 'CONFIG_INVALID', 'switch it on'],
    ['others have the subjects', natsRefusal(10065), 'CONFIG_INVALID', 'name another cluster'],
    ['something else is wrong', natsRefusal(10052, 'no'), 'ENGINE_UNAVAILABLE', 'no (10052)'],
    ['there is no permission', natsUnavailable('UNAUTHORIZED'), 'UNAUTHORIZED', 'operator'],
  ])('says what to do when %s', async (_, reply, code, remedy) => {
    const { client, options } = setUp();
    client.standing = ({ subject }) => (subject.includes('.CREATE.') ? reply : noStream);
    const error = await failureOf(ensureStreams(options));
    expect(error.code).toBe(code);
    expect(error.detail).toContain(remedy);
  });

  it('refuses a stream that is otherwise than it must be', async () => {
    const { client, options } = setUp();
    client.standing = natsAnswer({ config: { ...configs()[0], storage: 'memory' } });
    const error = await failureOf(ensureStreams(options));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.detail).toContain('its storage is "memory"');
  });

  it('gives up after 20 s without a leader', async () => {
    const { time, options } = setUp();
    const failing = failureOf(ensureStreams(options));
    await time.advance('21s');
    expect((await failing).code).toBe('NO_QUORUM');
  });

  it.each<[string, number, boolean, boolean]>([
    ['2.9.9', 1, false, false],
    ['2.9.10', 1, false, true],
    ['2.9.10', 3, false, false],
    ['2.9.10', 3, true, true],
    ['2.10.22', 3, false, false],
    ['2.10.23', 3, false, true],
    ['2.15.1', 3, false, true],
    ['unknown', 1, true, false],
  ])(
    'of a server %s with %i replicas (unsound allowed: %s) is possible: %s',
    async (version, replicas, isUnsoundAllowed, isPossible) => {
      const { client, options } = setUp({ replicas, isUnsoundAllowed });
      client.server = { ...client.server, version };
      client.standing = ({ subject }) =>
        natsAnswer({ config: configs(replicas).find(({ name }) => subject.endsWith(`.${name}`)) });
      if (isPossible) await ensureStreams(options);
      else {
        expect((await failureOf(ensureStreams(options))).code).toBe('ENGINE_UNSUPPORTED');
        expect(client.requests).toEqual([]);
      }
    },
  );
});

it('makes no bucket and no blobs either where two writers could both come first', async () => {
  const { client, options } = setUp();
  client.server = { ...client.server, version: '2.9.10' };
  for (const config of [bucketConfig('tp_x', 3), blobConfig('x', 3)]) {
    expect((await failureOf(ensureStream(options, config))).code).toBe('ENGINE_UNSUPPORTED');
  }
  expect(client.requests).toEqual([]);
});

describe('opening logs', () => {
  it.each<[string, object]>([
    ['a name with a dot', { cluster: 'a.b' }],
    ['no name', { cluster: '' }],
    ['a long name', { cluster: 'x'.repeat(33) }],
    ['no stream', { streamCount: 0 }],
    ['half a shard', { shardCount: 1.5 }],
    ['more streams than shards', { shardCount: 2, streamCount: 3 }],
    ['more shards than there may be', { shardCount: 4_097 }],
    ['no replica', { replicas: 0 }],
  ])('refuses %s', async (_, more) => {
    const { client, options } = setUp();
    const error = await failureOf(openNatsLog({ ...options, cluster: 'x', ...more }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(client.requests).toEqual([]);
  });
});

describe('listing subjects', () => {
  it.each([1, 5, 1_000])('gives the same in pages of %i, whole or by shards', limit =>
    inNatsModel({ seed: limit }, async model => {
      const client = await model.connect();
      const parts = { client, clock: model.clock, random: model.random, layout };
      const log = await openNatsLog({ ...parts, ...layout });
      const names = Array.from({ length: 60 }, (_, index) => `${index % 3}/k${index}`);
      for (const name of names) await log.append(name, 0, [{ bytes: Buffer.from('x') }]);
      const expected = names.map(name => placeOf(layout, name).subject);
      const lists: string[][] = [];
      for (const wholeMax of [1_000, 0]) {
        const pages = new SubjectPages({ ...parts, wholeMax });
        lists.push(await subjectsOf(pages, '', limit));
        const some = await subjectsOf(pages, '1/k4', limit);
        const wanted = names.filter(name => name.startsWith('1/k4'));
        expect(some.toSorted()).toEqual(wanted.map(name => placeOf(layout, name).subject).sort());
      }
      expect(lists[1]).toEqual(lists[0]);
      expect(lists[0]?.toSorted()).toEqual(expected.toSorted());
    }),
  );

  it('goes on at the same place when a stream has grown meanwhile', () =>
    inNatsModel({ seed: 1 }, async model => {
      const client = await model.connect();
      const parts = { client, clock: model.clock, random: model.random, layout };
      const log = await openNatsLog({ ...parts, ...layout });
      const put = (name: string) => log.append(name, 0, [{ bytes: Buffer.from('x') }]);
      for (let index = 0; index < 30; index += 1) await put(`old/${index}`);
      const pages = new SubjectPages({ ...parts, wholeMax: 20 });
      const found: string[] = [];
      let cursor: string | undefined;
      for (let round = 0; ; round += 1) {
        const page = await pages.after(cursor, 'old/', 4);
        found.push(...page.subjects);
        if (page.cursor === undefined) break;
        cursor = page.cursor;
        await put(`new/${round}`);
      }
      expect(new Set(found).size).toBe(30);
      expect(found).toHaveLength(30);
    }));

  it.each(['x', '2:', '-1:', '9999:', 'due:a', ':'])('refuses the cursor %j', async cursor => {
    const { options } = setUp();
    const error = await failureOf(new SubjectPages(options).after(cursor, '', 10));
    expect(error.code).toBe('INVALID_INPUT');
  });
});

async function subjectsOf(pages: SubjectPages, prefix: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await pages.after(cursor, prefix, limit);
    expect(page.subjects.length).toBeLessThanOrEqual(limit);
    found.push(...page.subjects);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
