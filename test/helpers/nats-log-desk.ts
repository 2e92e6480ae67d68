/** A log on NATS whose servers are the test: it puts up answers and looks at what was sent. */
import type { NatsReply } from '../../src/engines/nats/client.ts';
import { openNatsLog } from '../../src/engines/nats/log.ts';
import { placeOf } from '../../src/engines/nats/log-subjects.ts';
import { encodeFrame } from '../../src/engines/nats/record-frame.ts';
import { wantedStreams } from '../../src/engines/nats/streams.ts';
import { encodeWakeEntry } from '../../src/engines/nats/wake-entry.ts';
import type { Log, NewRecord } from '../../src/ports/log.ts';
import { SimRandom } from '../../src/testing/sim-random.ts';
import { TestTime } from '../../src/testing/test-time.ts';
import { FakeNatsClient, natsAnswer, natsRefusal, type SentToNats } from './fake-nats-client.ts';

/** A log, and both its surroundings. */
export interface NatsLogDesk {
  readonly client: FakeNatsClient;
  readonly time: TestTime;
  readonly log: Log;
  /** The request of that number. */
  sent(index: number): SentToNats;
  /** The sequence that it expected. */
  expectedOf(index: number): string | undefined;
  /** The subjects of all requests. */
  subjects(): string[];
}

const layout = { cluster: 'x', shardCount: 4, streamCount: 1 };

/** The place of the log "a/1". */
export const natsLogPlace = placeOf(layout, 'a/1');
/** The subject of its wake mark. */
export const natsWakeSubject: string = natsLogPlace.subject.replace('.log.', '.wake.');
/** Another writer than the one under test. */
export const otherWriter = 'ffffffffffffffff';
/** There is no such message. */
export const noMessage: NatsReply = natsRefusal(10037, 'no message found');

/** Opens the log. */
export async function natsLogDesk(isDirect = true): Promise<NatsLogDesk> {
  const client = new FakeNatsClient();
  for (const config of wantedStreams({ layout, replicas: 1 })) {
    client.next(natsAnswer({ config: { ...config, allow_direct: isDirect } }));
  }
  const random = new SimRandom('nats-log');
  const time = new TestTime(random);
  const clock = time.clockFor({ label: 'test', isAlive: true, isPaused: false, held: [] });
  const log = await openNatsLog({ client, clock, random, ...layout });
  client.requests.length = 0;
  const sent = (index: number): SentToNats => {
    const found = client.requests[index];
    if (found === undefined) throw new Error(`there is no request ${index}`);
    return found;
  };
  const expectedOf = (index: number) => sent(index).headers['Nats-Expected-Last-Subject-Sequence'];
  const subjects = () => client.requests.map(({ subject }) => subject);
  return { client, time, log, sent, expectedOf, subjects };
}

/** A record of a text; one that begins with "S" is a snapshot. */
export function recordOf(text: string): NewRecord {
  return { bytes: Buffer.from(text), isSnapshot: text.startsWith('S') };
}

/** A message of the log, of another writer unless said otherwise. */
export function natsLogMessage(texts: readonly string[], more: object = {}): Uint8Array {
  const head = { previous: 0, snapshotBefore: 0, wakeAt: Number.POSITIVE_INFINITY };
  const frame = { name: 'a/1', writer: otherWriter, number: 1, ...head, ...more };
  return encodeFrame(frame, texts.map(recordOf));
}

/** The log's stream has stored a message. */
export function natsLogAck(seq: number): NatsReply {
  return natsAnswer({ stream: natsLogPlace.stream, seq });
}

/** The stream of marks has stored a mark. */
export function natsMarkAck(seq: number): NatsReply {
  return natsAnswer({ stream: 'tp_x_marks', seq });
}

/** The leader's answer with a message of the log. */
export function natsLogStored(seq: number, more: object = {}, texts = ['text']): NatsReply {
  const data = Buffer.from(natsLogMessage(texts, more)).toString('base64');
  return natsAnswer({ message: { subject: natsLogPlace.subject, seq, data } });
}

/** The leader's answer with a wake mark of another writer. */
export function natsMarkStored(seq: number, dueAt: number): NatsReply {
  const payload = encodeWakeEntry({ name: 'a/1', dueAt, writer: otherWriter });
  const data = Buffer.from(payload).toString('base64');
  return natsAnswer({ message: { subject: natsWakeSubject, seq, data } });
}
