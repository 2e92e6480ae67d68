/** The NATS engine on the model of its servers, each subject with servers of its own. */
import { openNatsBlob } from '../../src/engines/nats/blob.ts';
import { blobConfig, blobSubjects } from '../../src/engines/nats/blob-head.ts';
import { openNatsBus } from '../../src/engines/nats/bus.ts';
import type { NatsClient } from '../../src/engines/nats/client.ts';
import { openNatsKeyValue } from '../../src/engines/nats/key-value.ts';
import { bucketConfig } from '../../src/engines/nats/key-value-entry.ts';
import { openNatsLog } from '../../src/engines/nats/log.ts';
import { placeOf } from '../../src/engines/nats/log-subjects.ts';
import { ensureStream } from '../../src/engines/nats/streams.ts';
import type { Bus } from '../../src/ports/bus.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { BlobSubject } from '../../src/testing/blob-laws.ts';
import type { BusSubject } from '../../src/testing/bus-subject.ts';
import type { KeyValueSubject } from '../../src/testing/key-value-subject.ts';
import { pass } from '../../src/testing/law-checks.ts';
import type { LogSubject } from '../../src/testing/log-law-steps.ts';
import { connectSimNats } from '../../src/testing/sim-nats-client.ts';
import { SimNatsCluster } from '../../src/testing/sim-nats-cluster.ts';
import { reopenable } from './reopenable.ts';
import { openSimMachine, type SimMachine } from './sim-machine.ts';

/** Which servers are modelled. */
export interface NatsModelKind {
  readonly version: string;
  readonly replicas: 1 | 3;
}

interface ModelGround extends SimMachine {
  readonly client: NatsClient;
  readonly servers: SimNatsCluster;
  connect(): Promise<NatsClient>;
  close(): Promise<void>;
}

const cluster = 'law';

async function openGround({ version, replicas }: NatsModelKind): Promise<ModelGround> {
  const machine = openSimMachine();
  const { scheduler, owner, clock, random } = machine;
  const luck = random.fork('nats');
  const servers = new SimNatsCluster({ scheduler, random: luck, version, servers: replicas });
  const connect = () => connectSimNats({ cluster: servers, clock, owner });
  const client = await connect();
  const close = async () => {
    await client.close();
    await machine.stop();
  };
  return { ...machine, client, servers, connect, close };
}

/** Logs. */
export async function openModelLogs(kind: NatsModelKind): Promise<LogSubject & AsyncDisposable> {
  const { client, clock, random, servers, close } = await openGround(kind);
  const layout = { cluster, shardCount: 8, streamCount: 2 };
  const { replicas } = kind;
  const open = () => openNatsLog({ client, clock, random, replicas, ...layout });
  const { first, ...rest } = await reopenable(open, close);
  const damage = async (name: string, text: string) => {
    const { stream, subject } = placeOf(layout, name);
    servers.damage(stream, { subject, text });
  };
  return { log: first, damage, ...rest };
}

/** Keys and values. */
export async function openModelKeyValues(
  kind: NatsModelKind,
): Promise<KeyValueSubject & AsyncDisposable> {
  const { client, clock, random, close } = await openGround(kind);
  const bucket = `tp_${cluster}_main`;
  await ensureStream({ client, clock, random }, bucketConfig(bucket, kind.replicas));
  const open = async () => openNatsKeyValue({ client, clock, random, bucket });
  const { first, ...rest } = await reopenable(open, close);
  return { keyValue: first, clock, ...rest };
}

/** Blobs. */
export async function openModelBlobs(kind: NatsModelKind): Promise<BlobSubject & AsyncDisposable> {
  const { client, clock, random, close } = await openGround(kind);
  await ensureStream({ client, clock, random }, blobConfig(cluster, kind.replicas));
  const open = async () => openNatsBlob({ client, clock, random, cluster });
  const { first, ...rest } = await reopenable(open, close);
  const damage = async (id: string) => {
    const bytes = await first.get(id);
    bytes?.set([(bytes[0] ?? 0) ^ 1]);
    const subject = `${blobSubjects(cluster)}.part.${id}.524288.0`;
    await client.request(subject, bytes ?? new Uint8Array(), { timeoutMs: 5_000 });
  };
  return { blob: first, clock, damage, ...rest };
}

/** A bus with two handles on connections of their own. */
export async function openModelBuses(kind: NatsModelKind): Promise<BusSubject & AsyncDisposable> {
  const { client, clock, connect, close } = await openGround(kind);
  const second = await connect();
  const prefix = `tp.${cluster}`;
  const [bus, other] = [client, second].map(each => openNatsBus({ client: each, clock, prefix }));
  if (bus === undefined || other === undefined) throw new Error('two connections make two buses');
  return {
    bus: settled(bus, clock),
    other: settled(other, clock),
    clock,
    async [Symbol.asyncDispose]() {
      await Promise.all([bus.close(), other.close()]);
      await second.close();
      await close();
    },
  };
}

/** How long the servers need at most to tell each other of a new listener. */
const settlingMs = 10;

/** A bus whose listeners are known to all servers when they are there. */
function settled(bus: Bus, clock: Clock): Bus {
  const settle = async (stop: () => void) => {
    await pass(clock, settlingMs);
    return stop;
  };
  return {
    publish: (topic, payload) => bus.publish(topic, payload),
    request: (topic, payload, timeoutMs) => bus.request(topic, payload, timeoutMs),
    subscribe: async (pattern, listener) => settle(await bus.subscribe(pattern, listener)),
    respond: async (topic, responder) => settle(await bus.respond(topic, responder)),
    close: () => bus.close(),
  };
}
