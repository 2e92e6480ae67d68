/** Looking at streams and permissions: what is asked, and what the answers are taken for. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  mayMakeStreams,
  type PermissionParts,
  tryPermissions,
} from '../../../src/engines/nats/inspect-permissions.ts';
import { inspectStreams } from '../../../src/engines/nats/inspect-streams.ts';
import { wantedStreams } from '../../../src/engines/nats/streams.ts';
import { systemClock } from '../../../src/engines/system/clock.ts';
import { SimRandom } from '../../../src/testing/sim-random.ts';
import {
  FakeNatsClient,
  natsAnswer,
  natsRefusal,
  natsUnavailable,
  natsUnknown,
} from '../../helpers/fake-nats-client.ts';

const layout = { cluster: 'x', shardCount: 4, streamCount: 2 };
const [wanted = {}] = wantedStreams({ layout, replicas: 3 });
const name = 'tp_x_log_0';

let client: FakeNatsClient;
beforeEach(() => {
  client = new FakeNatsClient();
});

describe('a stream', () => {
  async function found(reply: ReturnType<typeof natsAnswer>) {
    const [finding] = await inspectStreams(client.next(reply), [wanted]);
    return finding;
  }

  it('is found with its leader, its copies and its size', async () => {
    const replicas = [
      { name: 's2', current: true, active: 1 },
      { name: 's3', current: false, offline: true, lag: 7 },
      // One that is written to all the time is always a little behind.
      { name: 's4', current: true, lag: 1_000 },
      { name: 's5', current: true, lag: 1_001 },
    ];
    const answer = {
      config: wanted,
      state: { messages: 5, bytes: 70 },
      cluster: { name: 'c', raft_group: 'g', leader: 's1', replicas },
    };
    expect(await found(natsAnswer(answer))).toEqual({
      name,
      status: 'found',
      stream: {
        ...{ replicas: 3, complaint: undefined, leader: 's1', isClustered: true },
        peers: [
          { name: 's2', isOffline: false, isBehind: false, lag: 0 },
          { name: 's3', isOffline: true, isBehind: true, lag: 7 },
          { name: 's4', isOffline: false, isBehind: false, lag: 1_000 },
          { name: 's5', isOffline: false, isBehind: true, lag: 1_001 },
        ],
        ...{ messages: 5, bytes: 70 },
      },
    });
    expect(client.requests.map(({ subject }) => subject)).toEqual([`$JS.API.STREAM.INFO.${name}`]);
  });

  it('is found on a server on its own, before 2.10 and since', async () => {
    for (const cluster of [undefined, { leader: 's1' }]) {
      const finding = await found(natsAnswer({ config: wanted, cluster }));
      expect(finding).toMatchObject({ stream: { isClustered: false, peers: [], messages: 0 } });
    }
  });

  it('is found without a leader, and otherwise than it must be', async () => {
    const config = { ...wanted, discard: 'old' };
    expect(await found(natsAnswer({ config, cluster: { raft_group: 'g' } }))).toMatchObject({
      stream: {
        leader: undefined,
        isClustered: true,
        complaint: 'its discard is "old" and must be "new"',
      },
    });
  });

  it('is missing, or silent, and then says why', async () => {
    expect(await found(natsRefusal(10059))).toEqual({ name, status: 'missing' });
    expect(await found(natsRefusal(10039))).toMatchObject({
      status: 'silent',
      cause: { code: 'ENGINE_UNAVAILABLE', detail: expect.stringContaining('10039') },
    });
    expect(await found({ status: 'nobody' })).toMatchObject({ cause: { code: 'NO_QUORUM' } });
    expect(await found(natsUnavailable('UNAUTHORIZED'))).toMatchObject({
      status: 'silent',
      cause: { code: 'UNAUTHORIZED' },
    });
  });
});

describe('permissions', () => {
  function parts(): PermissionParts {
    const random = new SimRandom('permissions');
    const present = new Set([name]);
    return { client, clock: systemClock(), random, bucket: 'tp_x', layout, present };
  }

  const stored = /^(tp\.x\.(log|wake|cut|blob)\.|\$KV\.)/;

  it('are tried so that nothing is stored and nothing removed', async () => {
    client.standing = natsRefusal(10060);
    const tried = await tryPermissions(parts());
    expect(tried.every(({ status }) => status === 'allowed')).toBe(true);
    const written = client.requests.filter(({ subject }) => stored.test(subject));
    expect(written.map(({ subject }) => subject).sort()).toEqual([
      '$KV.tp_x.troupe-doctor',
      ...['blob.troupe-doctor', 'cut.0.troupe-doctor', 'log.0.troupe-doctor'].map(
        on => `tp.x.${on}`,
      ),
      ...['log.1.troupe-doctor', 'wake.0.troupe-doctor'].map(on => `tp.x.${on}`),
    ]);
    for (const { headers } of written) {
      expect(headers).toEqual({ 'Nats-Expected-Stream': 'troupe-doctor' });
    }
    const removing = client.requests.filter(({ subject }) => /PURGE|DELETE/.test(subject));
    expect(removing.map(({ subject }) => subject.split('.').at(-1))).toEqual([
      'tp_x_troupe-doctor',
      'tp_x_troupe-doctor',
    ]);
    for (const { payload } of removing) {
      expect(JSON.parse(new TextDecoder().decode(payload))).toMatchObject({ seq: 1 });
    }
    expect(client.published).toEqual([]);
    // 2.9 does not answer direct reads of streams that are not there.
    const direct = client.requests.filter(({ subject }) => subject.includes('DIRECT.GET'));
    expect(direct.map(({ subject }) => subject)).toEqual([`$JS.API.DIRECT.GET.${name}`]);
    expect(client.subscriptionCount).toBe(0);
  });

  it('that are missing for one stream are missing', async () => {
    client.standing = ({ subject }) =>
      subject === 'tp.x.log.1.troupe-doctor'
        ? natsUnavailable('UNAUTHORIZED')
        : subject.includes('MSG.GET')
          ? natsUnknown()
          : natsRefusal(10060);
    const tried = await tryPermissions(parts());
    expect(tried.filter(({ status }) => status !== 'allowed')).toMatchObject([
      { purpose: 'append to logs', status: 'refused', cause: { code: 'UNAUTHORIZED' } },
      { purpose: 'read from leaders', status: 'unanswered' },
    ]);
  });

  it('to make streams are tried with a name that is none', async () => {
    client.standing = natsRefusal(10056);
    expect(await mayMakeStreams({ client, layout })).toMatchObject({ status: 'allowed' });
    const [{ subject, payload } = { subject: '', payload: Buffer.of() }] = client.requests;
    expect(subject).toBe('$JS.API.STREAM.CREATE.tp_x_troupe-doctor');
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({ name: 'no stream' });
    client.standing = natsUnavailable('UNAUTHORIZED');
    expect(await mayMakeStreams({ client, layout })).toMatchObject({ status: 'refused' });
  });
});
