/** Blobs on NATS: what each answer of the servers makes of storing, reading and sweeping. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { openNatsBlob } from '../../../src/engines/nats/blob.ts';
import {
  type BlobHead,
  blobConfig,
  blobStream,
  decodeBlobHead,
  encodeBlobHead,
} from '../../../src/engines/nats/blob-head.ts';
import type { NatsReply } from '../../../src/engines/nats/client.ts';
import type { Blob } from '../../../src/ports/blob.ts';
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

const cluster = 'x';
const stream = blobStream(cluster);
const bytes = Uint8Array.from([1, 2, 3]);
const id = createHash('sha256').update(bytes).digest('hex');
const owner = { label: 'test', isAlive: true, isPaused: false, held: [] };
const partBytes = 524_288;
const nothing = natsRefusal(10037, 'no message found');
const purged = natsAnswer({ success: true, purged: 1 });
const conflict = natsRefusal(10071, 'wrong last sequence: 1');

let client: FakeNatsClient;
let time: TestTime;
let blob: Blob;

beforeEach(() => {
  client = new FakeNatsClient();
  const random = new SimRandom('nats-blob');
  time = new TestTime(random);
  blob = openNatsBlob({ client, clock: time.clockFor(owner), random, cluster });
});

const ack = (seq: number) => natsAnswer({ stream, seq });

function stored(subject: string, seq: number, payload: Uint8Array): NatsReply {
  const data = Buffer.from(payload).toString('base64');
  const time = '2030-01-01T00:00:00Z';
  return natsAnswer({ message: { subject: `tp.x.blob.${subject}`, seq, time, data } });
}

function headed(state: BlobHead['state'], seq: number, size = bytes.length): NatsReply {
  return stored(`head.${id}`, seq, encodeBlobHead({ state, size, partBytes }));
}

/** What was sent, in words: the end of the subject, and what was expected. */
function sentTo({ subject, headers, payload }: SentToNats): string {
  const expected = headers['Nats-Expected-Last-Subject-Sequence'];
  const name = subject.replace(id, 'ID').replace('tp.x.blob.', '');
  if (expected !== undefined) return `${name} ${decodeBlobHead(id, payload).state} ${expected}`;
  return subject.startsWith('$JS') ? `${name.split('.')[2]} ${bodyOf(payload)}` : name;
}

function bodyOf(payload: Uint8Array): string {
  return Buffer.from(payload).toString().replace(id, 'ID').replaceAll('tp.x.blob.', '');
}

const sent = () => client.requests.map(sentTo);
const readHead = 'STREAM {"last_by_subj":"head.ID"}';
const part = `part.ID.${partBytes}.0`;

describe('storing a blob', () => {
  it('says that it begins, writes the parts, and then says that it is there', async () => {
    client.next(nothing, ack(1), ack(2), ack(3));
    expect(await blob.put(bytes)).toBe(id);
    expect(sent()).toEqual([readHead, 'head.ID storing 0', part, 'head.ID stored 1']);
  });

  it('writes again what is there, on the condition that it still is', async () => {
    client.next(headed('stored', 9), ack(10), ack(11));
    expect(await blob.put(bytes)).toBe(id);
    expect(sent()).toEqual([readHead, part, 'head.ID stored 9']);
  });

  it('goes on with what another began, and begins anew over what was removed', async () => {
    client.next(headed('storing', 9), ack(10), ack(11));
    await blob.put(bytes);
    client.next(headed('removed', 20), ack(21), ack(22), ack(23));
    await blob.put(bytes);
    expect(sent()).toEqual([
      readHead,
      part,
      'head.ID stored 9',
      readHead,
      'head.ID storing 20',
      part,
      'head.ID stored 21',
    ]);
  });

  it('is done when another stored the same meanwhile', async () => {
    client.next(headed('storing', 9), ack(10), conflict, headed('stored', 12));
    expect(await blob.put(bytes)).toBe(id);
    expect(client.answersLeft).toBe(0);
  });

  it('begins anew when it was swept meanwhile, or when the read is older than that', async () => {
    for (const now of [headed('removed', 12), nothing, headed('stored', 9)]) {
      client.next(headed('stored', 9), ack(10), conflict, now);
      client.next(nothing, ack(13), ack(14), ack(15));
      expect(await blob.put(bytes)).toBe(id);
      expect(client.answersLeft).toBe(0);
    }
  });

  it('takes an answer that was lost for neither, and looks', async () => {
    client.next(headed('storing', 9), ack(10), natsUnknown(), headed('stored', 11));
    expect([await blob.put(bytes), client.answersLeft]).toEqual([id, 0]);
    client.next(nothing, natsUnknown(), headed('storing', 12), ack(13), ack(14));
    expect(await blob.put(bytes)).toBe(id);
    expect(client.answersLeft).toBe(0);
  });

  it('writes a part again whose answer was lost, or that was refused for now', async () => {
    client.next(nothing, ack(1), natsUnknown(), natsRefusal(10008), ack(3), ack(4));
    expect(await time.advanceUntil(blob.put(bytes))).toBe(id);
    expect(sent().filter(each => each === part)).toHaveLength(3);
  });

  it('cuts what is large, and hands over the bytes as they were', async () => {
    const large = new Uint8Array(1_200_000).map((_, index) => index * 7);
    const name = createHash('sha256').update(large).digest('hex');
    const parts: Uint8Array[] = [];
    let seq = 0;
    client.standing = ({ subject, payload }) => {
      if (subject.startsWith('$JS')) return nothing;
      if (subject.includes('.part.')) parts[Number(subject.split('.').at(-1))] = payload;
      seq += 1;
      return ack(seq);
    };
    const putting = blob.put(large);
    large.fill(0);
    expect(await putting).toBe(name);
    expect(parts.map(each => each.length)).toEqual([
      partBytes,
      partBytes,
      1_200_000 - 2 * partBytes,
    ]);
    expect(createHash('sha256').update(Buffer.concat(parts)).digest('hex')).toBe(name);
  });

  it('fails, not executed, without a leader, when it is full, and when it may not', async () => {
    const gone = await failureOf(time.advanceUntil(blob.put(bytes)));
    expect([gone.code, gone.outcome]).toEqual(['ENGINE_UNAVAILABLE', 'not-executed']);
    client.next(nothing, natsRefusal(10047, 'insufficient storage'));
    expect((await failureOf(blob.put(bytes))).code).toBe('DISK_FULL');
    client.next(natsUnavailable('UNAUTHORIZED'));
    expect((await failureOf(blob.put(bytes))).code).toBe('UNAUTHORIZED');
  });

  it('gives up when others never cease to store and sweep it', async () => {
    client.standing = ({ subject }) => (subject.startsWith('$JS') ? nothing : conflict);
    const error = await failureOf(blob.put(bytes));
    expect([error.code, error.outcome]).toEqual(['ENGINE_UNAVAILABLE', 'not-executed']);
    expect(client.requests.length).toBeLessThan(50);
  });
});

describe('reading a blob', () => {
  const partAt = (seq: number, payload = bytes) =>
    stored(`part.${id}.${partBytes}.0`, seq, payload);

  it('reads the parts that its head names', async () => {
    client.next(headed('stored', 3), partAt(2));
    expect(await blob.get(id)).toEqual(bytes);
    expect(sent()).toEqual([readHead, `STREAM {"last_by_subj":"${part}"}`]);
  });

  it('is sure that there is nothing only when that can be written on top of it', async () => {
    client.next(nothing, ack(1), purged, purged);
    expect(await blob.get(id)).toBeUndefined();
    client.next(headed('removed', 3), ack(4), purged, purged);
    expect(await blob.get(id)).toBeUndefined();
    client.next(headed('storing', 3), ack(4));
    expect(await blob.get(id)).toBeUndefined();
    expect(sent().filter(each => each.startsWith('head'))).toEqual([
      'head.ID removed 0',
      'head.ID removed 3',
      'head.ID storing 3',
    ]);
    expect(client.answersLeft).toBe(0);
  });

  it('reads on when what was read is old', async () => {
    for (const old of [nothing, headed('storing', 2), headed('removed', 2)]) {
      client.next(old, conflict, headed('stored', 3), partAt(2));
      expect(await time.advanceUntil(blob.get(id))).toEqual(bytes);
    }
    client.standing = ({ subject }) => (subject.startsWith('$JS') ? nothing : natsUnknown());
    const error = await failureOf(time.advanceUntil(blob.get(id)));
    expect([error.code, error.outcome]).toEqual(['ENGINE_UNAVAILABLE', 'not-executed']);
  });

  it('shows damage: other bytes, a part that is missing, longer or shorter', async () => {
    const damaged = [partAt(2, Uint8Array.from([1, 2, 4])), nothing, partAt(2, new Uint8Array(4))];
    for (const answer of [...damaged, partAt(2, new Uint8Array(2))]) {
      client.next(headed('stored', 3), answer, headed('stored', 3), answer);
      expect((await failureOf(time.advanceUntil(blob.get(id)))).code).toBe('LOG_CORRUPT');
    }
  });

  it('looks again when the blob was swept, or stored anew, while it was read', async () => {
    client.next(headed('stored', 3), nothing, headed('removed', 4), ack(5), purged, purged);
    expect(await time.advanceUntil(blob.get(id))).toBeUndefined();
    client.next(headed('stored', 3), nothing, headed('stored', 9), partAt(8));
    expect(await time.advanceUntil(blob.get(id))).toEqual(bytes);
  });

  it('shows a damaged head, and one of a later format', async () => {
    client.next(stored(`head.${id}`, 3, bytes));
    expect((await failureOf(blob.get(id))).code).toBe('LOG_CORRUPT');
    client.next(stored(`head.${id}`, 3, Uint8Array.from([2])));
    expect((await failureOf(blob.get(id))).code).toBe('ENGINE_UNSUPPORTED');
  });
});

describe('sweeping', () => {
  const now = stored('sweep', 50, new Uint8Array());
  const noParts = natsAnswer({ total: 0, state: {} });
  /** A head that was written so long before the servers' time. */
  function aged(state: BlobHead['state'], seq: number, ageMs: number): NatsReply {
    const data = Buffer.from(encodeBlobHead({ state, size: 3, partBytes })).toString('base64');
    const written = new Date(Date.UTC(2030, 0, 1) - ageMs).toISOString();
    const subject = `tp.x.blob.head.${id}`;
    return natsAnswer({ message: { subject, seq, time: written, data } });
  }

  async function swept(...answers: NatsReply[]): Promise<{ count: number; sent: string[] }> {
    client.requests.length = 0;
    client.next(ack(50), now, ...answers);
    const count = await blob.sweep(new Set(), 1_000);
    expect(client.answersLeft).toBe(0);
    return { count, sent: sent().slice(3) };
  }

  it('goes by the time of the servers, and removes on a condition before it purges', async () => {
    const result = await swept(aged('stored', 9, 1_001), ack(60), purged, purged, nothing, noParts);
    expect(result.count).toBe(1);
    expect(result.sent.slice(0, 3)).toEqual([
      'head.ID removed 9',
      'STREAM {"filter":"part.ID.>","seq":60}',
      'STREAM {"filter":"head.ID","seq":61}',
    ]);
  });

  it('leaves what is young, or was written meanwhile, or may have been', async () => {
    expect((await swept(aged('stored', 9, 1_000), nothing, noParts)).count).toBe(0);
    for (const answer of [conflict, natsUnknown()]) {
      const result = await swept(aged('stored', 9, 5_000), answer, nothing, noParts);
      expect(result.count).toBe(0);
      expect(result.sent.some(each => each.includes('"filter"'))).toBe(false);
    }
  });

  it('finishes what another began to remove, and does not count it', async () => {
    const result = await swept(aged('removed', 9, 0), purged, purged, nothing, noParts);
    expect([result.count, result.sent[0]]).toEqual([0, 'STREAM {"filter":"part.ID.>","seq":9}']);
  });

  it('leaves what is being stored for long enough, and what it cannot read', async () => {
    const young = await swept(aged('storing', 9, 599_000), nothing, noParts);
    expect(young.sent).toHaveLength(2);
    const damaged = stored(`head.${id}`, 9, bytes);
    expect((await swept(damaged, nothing, noParts)).count).toBe(0);
    const late = await swept(
      aged('storing', 9, 601_000),
      ack(60),
      purged,
      purged,
      nothing,
      noParts,
    );
    expect(late.count).toBe(0);
  });

  it('removes parts that have no head, if they still have none', async () => {
    const orphans = natsAnswer({
      total: 1,
      state: { subjects: { [`tp.x.blob.part.${id}.9.0`]: 1 } },
    });
    const result = await swept(nothing, orphans, ack(60), purged, purged);
    expect(result.sent.slice(1)).toEqual([
      'head.ID removed 0',
      'STREAM {"filter":"part.ID.>","seq":60}',
      'STREAM {"filter":"head.ID","seq":61}',
    ]);
    const second = await swept(nothing, orphans, conflict);
    expect(second.sent.slice(1)).toEqual(['head.ID removed 0']);
  });

  it('goes through all pages of parts', async () => {
    const page = (name: string) =>
      natsAnswer({ total: 2, state: { subjects: { [`tp.x.blob.part.${name}.9.0`]: 1 } } });
    const result = await swept(nothing, page('a'), page('b'), conflict, conflict);
    expect(result.sent.slice(-2)).toEqual(['head.a removed 0', 'head.b removed 0']);
  });

  it('asks again what was not answered, and fails when it is refused', async () => {
    client.next(ack(50), now, aged('stored', 9, 5_000), ack(60), natsUnknown(), purged, purged);
    client.next(nothing, noParts);
    expect(await time.advanceUntil(blob.sweep(new Set(), 1_000))).toBe(1);
    client.next(ack(50), now, aged('stored', 9, 5_000), ack(60), natsRefusal(10060, 'no'));
    expect((await failureOf(blob.sweep(new Set(), 1_000))).code).toBe('ENGINE_UNAVAILABLE');
  });
});

it('keeps the last message of each subject, on the disk and for good', () => {
  expect(blobConfig(cluster, 3)).toMatchObject({
    name: 'tp_x_blob',
    subjects: ['tp.x.blob.>'],
    storage: 'file',
    num_replicas: 3,
    max_msgs_per_subject: 1,
    max_age: 0,
  });
});
