/**
 * Keys and values, the bus and blobs on real NATS servers, each subject in a cluster of its own.
 */

import { openNatsBlob } from '../../src/engines/nats/blob.ts';
import { blobConfig, blobSubjects } from '../../src/engines/nats/blob-head.ts';
import { openNatsBus } from '../../src/engines/nats/bus.ts';
import { connectNats } from '../../src/engines/nats/connection.ts';
import { openNatsKeyValue } from '../../src/engines/nats/key-value.ts';
import { bucketConfig } from '../../src/engines/nats/key-value-entry.ts';
import { ensureStream } from '../../src/engines/nats/streams.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import type { Bus } from '../../src/ports/bus.ts';
import type { BlobSubject } from '../../src/testing/blob-laws.ts';
import type { BusSubject } from '../../src/testing/bus-subject.ts';
import type { KeyValueSubject } from '../../src/testing/key-value-subject.ts';
import { pass } from '../../src/testing/law-checks.ts';
import { type NatsKind, openNatsGround } from './nats-subjects.ts';
import { reopenable } from './reopenable.ts';

const clock = systemClock();
const random = systemRandom();

/** Keys and values in a bucket. */
export async function openNatsKeyValues(
  kind: NatsKind,
): Promise<KeyValueSubject & AsyncDisposable> {
  const ground = await openNatsGround(kind);
  const { client } = ground;
  const bucket = `tp_${ground.cluster}_main`;
  await ensureStream({ client, clock, random }, bucketConfig(bucket, kind.replicas));
  const open = async () => openNatsKeyValue({ client, clock, random, bucket });
  const { first, ...rest } = await reopenable(open, async () => ground[Symbol.asyncDispose]());
  return { keyValue: first, clock, ...rest };
}

/** Blobs in a stream. Damage is a message of the first part that has one bit changed. */
export async function openNatsBlobs(kind: NatsKind): Promise<BlobSubject & AsyncDisposable> {
  const ground = await openNatsGround(kind);
  const { client, cluster } = ground;
  await ensureStream({ client, clock, random }, blobConfig(cluster, kind.replicas));
  const open = async () => openNatsBlob({ client, clock, random, cluster });
  const { first, ...rest } = await reopenable(open, async () => ground[Symbol.asyncDispose]());
  const damage = async (id: string) => {
    const bytes = await first.get(id);
    bytes?.set([(bytes[0] ?? 0) ^ 1]);
    const subject = `${blobSubjects(cluster)}.part.${id}.524288.0`;
    await client.request(subject, bytes ?? new Uint8Array(), { timeoutMs: 5_000 });
  };
  return { blob: first, clock, damage, ...rest };
}

/** A bus with two handles, connected to different servers if there are several. */
export async function openNatsBuses(kind: NatsKind): Promise<BusSubject & AsyncDisposable> {
  const ground = await openNatsGround(kind);
  const { urls, cluster } = ground;
  const prefix = `tp.${cluster}`;
  const clients = await Promise.all(
    [urls.at(0), urls.at(-1)].map(url => connectNats({ servers: url ?? '' }, { clock })),
  );
  const [bus, other] = clients.map(client => openNatsBus({ client, clock, prefix }));
  if (bus === undefined || other === undefined) throw new Error('two connections make two buses');
  return {
    bus: known(bus, other),
    other: known(other, bus),
    clock,
    async [Symbol.asyncDispose]() {
      await Promise.all([bus.close(), other.close()]);
      await Promise.all([...clients.map(client => client.close()), ground[Symbol.asyncDispose]()]);
    },
  };
}

/**
 * A bus whose subscriptions are known to the server of the other one when they are there. Servers
 * tell each other in order, so what came before a responder that was found is known too.
 */
function known(bus: Bus, other: Bus): Bus {
  let probes = 0;
  const isKnown = async () => {
    probes += 1;
    const topic = `probe.${probes}`;
    const stop = await bus.respond(topic, async () => new Uint8Array());
    const find = () =>
      other.request(topic, new Uint8Array(), 1_000).then(
        () => true,
        () => false,
      );
    while (!(await find())) await pass(clock, 1);
    stop();
  };
  return {
    publish: (topic, payload) => bus.publish(topic, payload),
    request: (topic, payload, timeoutMs) => bus.request(topic, payload, timeoutMs),
    close: () => bus.close(),
    async subscribe(pattern, listener) {
      const stop = await bus.subscribe(pattern, listener);
      await isKnown();
      return stop;
    },
    async respond(topic, responder) {
      const stop = await bus.respond(topic, responder);
      await isKnown();
      return stop;
    },
  };
}
