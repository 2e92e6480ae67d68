/** What the doctor makes of what was found in a cluster. */
import { describe, expect, it } from 'vitest';
import { clusterChecks } from '../../../src/cli/cluster-checks.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import type {
  ClusterInspection,
  ClusterRecords,
  ServerReport,
  StreamFinding,
} from '../../../src/node/cluster-inspection.ts';

const megabyte = 1_048_576;

function report(name: string, more: Partial<ServerReport> = {}): ServerReport {
  const store = { bytesUsed: 0, bytesMax: 100 * megabyte };
  const base = { name, version: '2.15.1', isFlushed: true, store };
  return { ...base, clockAheadMs: 0, clockDoubtMs: 1, ...more };
}

const three = ['s1', 's2', 's3'].map(name => report(name));

type Found = Extract<StreamFinding, { status: 'found' }>['stream'];

function stream(name: string, more: Partial<Found> = {}): StreamFinding {
  const peers = ['s2', 's3'].map(peer => {
    return { name: peer, isOffline: false, isBehind: false, lag: 0 };
  });
  const place = { complaint: undefined, leader: 's1', isClustered: true, peers };
  const found = { replicas: 3, ...place, messages: 5, bytes: megabyte, ...more };
  return { name, status: 'found', stream: found };
}

const records: ClusterRecords = {
  document: { lineage: 'abcd', shardCount: 256, streamCount: 16 },
  placement: { epoch: 4, node: 'n1', holder: 'h' },
  leases: [
    { node: 'n1', state: 'held', incarnation: 3, isRenewed: true },
    { node: 'n2', state: 'released', incarnation: 1, isRenewed: false },
  ],
};

const sound: ClusterInspection = {
  name: 'shop',
  server: { name: 's1', version: '2.15.1', cluster: 'c', payloadBytesMax: megabyte },
  reports: three,
  account: { value: { bytesUsed: 0, bytesMax: undefined } },
  replicas: 3,
  madeReplicas: 3,
  wantedReplicas: undefined,
  isUnflushedTaken: false,
  streams: [stream('KV_tp_shop'), stream('tp_shop_log_0')],
  permissions: [{ purpose: 'append to logs', status: 'allowed' }],
  records: { value: records },
};

/** The check of this name, for a cluster that is sound but for this. */
function checkOf(name: string, more: Partial<ClusterInspection>) {
  return clusterChecks({ ...sound, ...more }).find(check => check.name === name);
}

function failing(...texts: readonly string[]) {
  return { result: 'failed', detail: expect.stringMatching(new RegExp(texts.join('.*'))) };
}

function warned(...texts: readonly string[]) {
  return { ...failing(...texts), result: 'warning' };
}

it('finds nothing wrong with a cluster that is sound', () => {
  const checks = clusterChecks(sound);
  expect(checks.filter(({ result }) => result !== 'ok')).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual([
    ...['servers', 'version', 'jetstream', 'storage', 'message size', 'clocks', 'promises'],
    ...['permissions', 'replicas', 'streams', 'cluster', 'leases'],
  ]);
});

it('looks no further than the clocks where JetStream is off', () => {
  const failure = new TroupeError('CONFIG_INVALID', { detail: 'JetStream is off' });
  const checks = clusterChecks({ ...sound, account: { failure } });
  expect(checks.map(({ name }) => name)).toEqual(['servers', 'version', 'jetstream', 'clocks']);
  expect(checks[2]).toMatchObject(failing('CONFIG_INVALID: JetStream is off'));
});

describe('the servers', () => {
  it.each([
    ['2.9.9', 1, failing('ENGINE_UNSUPPORTED', 's2 is 2.9.9', 'before 2.9.10', 'upgrade')],
    ['2.9.10', 1, warned('one copy', 'cannot flush', 'upgrade s2')],
    ['2.10.22', 3, failing('ENGINE_UNSUPPORTED', 'before 2.10.23 with 3', 'ask for one replica')],
    ['2.10.23', 3, warned('3 copies', 'mended later')],
    ['2.10.23', 1, { result: 'ok' }],
    ['2.11.0', 3, { result: 'ok' }],
  ])('of which one is %s, for %i copies', (version, replicas, expected) => {
    const reports = [report('s1'), report('s2', { version })];
    expect(checkOf('version', { reports, replicas })).toMatchObject(expected);
  });

  it('are judged by the one that let us in where they say nothing', () => {
    const server = { ...sound.server, version: '2.9.10' };
    const silent = { reports: [], server };
    expect(checkOf('version', silent)).toMatchObject(failing('ENGINE_UNSUPPORTED', 's1 is 2.9.10'));
    expect(checkOf('servers', silent)).toMatchObject(warned('do not say', 'nats.md'));
    expect(checkOf('clocks', silent)).toMatchObject(warned('do not say'));
    expect(checkOf('storage', silent)).toMatchObject(warned('do not say'));
    expect(checkOf('promises', silent)).toMatchObject(failing('do not say whether they flush'));
    expect(checkOf('replicas', silent)).toMatchObject({ result: 'ok' });
  });

  it.each([
    [79, { result: 'ok' }],
    [80, warned('s2 has 20 MB of 100 MB left', 'max_file_store')],
    [95, failing('DISK_FULL: the NATS server s2 has 5 MB of 100 MB left', 'make room')],
  ])('of which one has used %i %% of its room', (used, expected) => {
    const store = { bytesUsed: used * megabyte, bytesMax: 100 * megabyte };
    const reports = [report('s1'), report('s2', { store })];
    expect(checkOf('storage', { reports })).toMatchObject(expected);
  });

  it('may leave less room to the account', () => {
    const account = { value: { bytesUsed: 99, bytesMax: 100 } };
    expect(checkOf('storage', { account })).toMatchObject(failing('DISK_FULL: the account has'));
  });

  it('whose clocks are off are named, with the limit', () => {
    const reports = [report('s1'), report('s2', { clockAheadMs: -2_000 })];
    expect(checkOf('clocks', { reports })).toMatchObject(
      warned('s2 is 2.0 s behind', '1 s', 'NTP'),
    );
    const far = [report('s1', { clockAheadMs: 11_000 }), report('s2')];
    expect(checkOf('clocks', { reports: far })).toMatchObject(
      failing('CONFIG_INVALID', 's1 is 11.0 s ahead', '10 s', 'NTP'),
    );
  });

  it('whose messages are small are named', () => {
    const server = { ...sound.server, payloadBytesMax: 65_536 };
    const expected = warned('s1 takes', '65,536', 'PAYLOAD_TOO_LARGE', 'max_payload', '1,048,576');
    expect(checkOf('message size', { server })).toMatchObject(expected);
  });
});

describe('the promises', () => {
  const early = [report('s1'), report('s2', { isFlushed: false })];

  it('are refused where one server acknowledges too early, and `unflushed` is named', () => {
    const expected = failing(
      'ENGINE_UNSUPPORTED',
      'strong',
      's2',
      'sync_interval',
      'unflushed: true',
    );
    expect(checkOf('promises', { reports: early })).toMatchObject(expected);
  });

  it('stand on `unflushed` where the program accepts it, which is named', () => {
    const found = { reports: early, isUnflushedTaken: true };
    expect(checkOf('promises', found)).toMatchObject(warned('only because of `unflushed`', 's2'));
  });

  it('need an upgrade first where the server is too old to flush', () => {
    const reports = [report('s1', { isFlushed: false, version: '2.9.10' })];
    expect(checkOf('promises', { reports, replicas: 1 })).toMatchObject(
      failing('upgrade, and set'),
    );
  });

  it('need more than half of the copies to say so', () => {
    expect(checkOf('promises', { reports: three.slice(1) })).toMatchObject({ result: 'ok' });
    const one = { reports: three.slice(2) };
    expect(checkOf('promises', one)).toMatchObject(failing('1 said so, for 3 copies'));
  });
});

describe('the copies', () => {
  it.each([
    [
      'fewer servers than copies, most of them up',
      { reports: three.slice(1) },
      warned('2 servers'),
    ],
    ['less than half of the servers up', { reports: three.slice(2) }, failing('CONFIG_INVALID')],
    [
      'too few servers for a cluster that is to be made',
      { madeReplicas: undefined, reports: three.slice(1) },
      failing('CONFIG_INVALID', '3 copies', '2 servers', 'fewer replicas'),
    ],
    [
      'another number than asked for',
      { wantedReplicas: 5 },
      failing('CONFIG_INVALID', 'replicas is 5', 'made with 3', 'leave it out'),
    ],
    ['one copy on many', { replicas: 1, madeReplicas: 1 }, warned('1 copy', '3 servers')],
  ])('are told when there is %s', (_what, more, expected) => {
    expect(checkOf('replicas', more)).toMatchObject(expected);
  });
});

describe('the streams', () => {
  const peer = { name: 's3', isOffline: false, isBehind: false, lag: 0 };
  const cause = new TroupeError('NO_QUORUM', { detail: 'no answer' });
  const denied = new TroupeError('UNAUTHORIZED', { detail: 'may not publish' });

  it.each<[string, readonly StreamFinding[], object]>([
    [
      'made otherwise',
      [stream('a'), stream('b', { complaint: 'its discard is "old"' })],
      failing('CONFIG_INVALID', 'the stream b cannot be used: its discard', 'another cluster'),
    ],
    [
      'without a leader',
      [stream('a', { leader: undefined })],
      failing('NO_QUORUM', 'a has no leader'),
    ],
    [
      'silent',
      [{ name: 'a', status: 'silent', cause }],
      failing('NO_QUORUM', 'stream a: no answer'),
    ],
    [
      'denied',
      [{ name: 'a', status: 'silent', cause: denied }],
      failing('UNAUTHORIZED', 'may not'),
    ],
    [
      'away on one server',
      [stream('a', { peers: [{ ...peer, isOffline: true }] })],
      warned('s3 is away, with copies of 1 stream'),
    ],
    [
      'behind on one server',
      [stream('a', { peers: [{ ...peer, isBehind: true, lag: 7 }] })],
      warned('s3 is behind in 1 stream: a by 7 operations'),
    ],
    [
      'some operations ahead of a copy that is current',
      [stream('a', { peers: [{ ...peer, lag: 7 }] })],
      { result: 'ok' },
    ],
    ['missing', [stream('a'), { name: 'b', status: 'missing' }], warned('1 of 2 are not there: b')],
    ['all missing', [{ name: 'b', status: 'missing' }], warned('none of the 1 is there yet')],
    [
      'on a server on its own',
      [stream('a', { isClustered: false, leader: undefined, peers: [] })],
      { result: 'ok' },
    ],
  ])('are told when one is %s', (_what, streams, expected) => {
    expect(checkOf('streams', { streams })).toMatchObject(expected);
  });

  it('are not all named when many are wrong', () => {
    const streams = ['a', 'b', 'c', 'd', 'e'].map(name => stream(name, { leader: undefined }));
    expect(checkOf('streams', { streams })).toMatchObject(failing('c has no leader; and 2 more'));
  });
});

describe('the permissions', () => {
  const cause = new TroupeError('UNAUTHORIZED', { detail: 'may not publish on x' });

  it.each([
    ['append to logs', 'refused', failing('UNAUTHORIZED: to append to logs: may not publish on x')],
    ['trim logs', 'refused', warned('to trim logs')],
    ['append to logs', 'unanswered', warned('not all tried')],
  ] as const)('to %s, %s', (purpose, status, expected) => {
    const permissions = [{ purpose, status, cause }];
    expect(checkOf('permissions', { permissions })).toMatchObject(expected);
  });
});

describe('the cluster', () => {
  it('that is not there yet needs somebody who may make it', () => {
    const nothing = { document: undefined, placement: undefined, leases: [] };
    const found = { records: { value: nothing } };
    expect(checkOf('cluster', found)).toMatchObject(warned('no cluster shop', 'first node'));
    const permissions = [{ purpose: 'make streams', status: 'refused' }] as const;
    expect(checkOf('cluster', { ...found, permissions })).toMatchObject(warned('may not make it'));
    expect(checkOf('permissions', { ...found, permissions })).toMatchObject({ result: 'ok' });
    expect(checkOf('leases', found)).toBeUndefined();
  });

  it('that cannot be read is told with its code', () => {
    const failure = new TroupeError('LOG_CORRUPT', { detail: 'it is no document' });
    expect(checkOf('cluster', { records: { failure } })).toMatchObject(
      failing('LOG_CORRUPT: it is'),
    );
  });

  it('that is being filled is not to be served', () => {
    const document = {
      lineage: 'abcd',
      shardCount: 256,
      streamCount: 16,
      isFilling: true,
    } as const;
    const value = { ...records, document };
    expect(checkOf('cluster', { records: { value } })).toMatchObject(
      failing('CONFIG_INVALID', 'restore'),
    );
  });

  it('whose node does not renew its lease is told, and who runs', () => {
    expect(checkOf('leases', {})).toMatchObject({ detail: 'n1 runs; n2 does not run' });
    const [first] = records.leases;
    const leases = first === undefined ? [] : [{ ...first, isRenewed: false }];
    const value = { ...records, leases };
    expect(checkOf('leases', { records: { value } })).toMatchObject(
      warned('n1 has the shards and did not renew', '16 s'),
    );
  });
});
