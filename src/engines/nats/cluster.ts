/**
 * A cluster on NATS servers, opened as a whole: one connection, the streams that must be there, and
 * the ports on them. What a node does with them, and whether it may, is decided elsewhere.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Blob } from '../../ports/blob.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import type { KeyValue } from '../../ports/key-value.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import { openNatsBlob } from './blob.ts';
import { blobConfig } from './blob-head.ts';
import { openNatsBus } from './bus.ts';
import type { NatsClient, NatsServerInfo } from './client.ts';
import { connectNats, type OpenConnection } from './connection.ts';
import type { NatsConnectionOptions } from './connection-options.ts';
import { askJetStream, isObject, jetStreamOff } from './jetstream.ts';
import { bucketStream } from './key-subject.ts';
import { openNatsKeyValue } from './key-value.ts';
import { bucketConfig } from './key-value-entry.ts';
import { openNatsLog } from './log.ts';
import { type Attempted, repeat } from './repeat.ts';
import { askServers, type ServerReport } from './server-reports.ts';
import { ensureStream } from './streams.ts';

/** Which cluster, and how it is reached. */
export interface NatsClusterOptions {
  readonly connection: NatsConnectionOptions;
  readonly name: string;
  /** On how many servers everything is kept; by default as it was made. */
  readonly replicas?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Hears what went wrong although nobody waits for it. */
  readonly onTrouble: (what: string, cause: TroupeError) => void;
}

/** How the log of a cluster is spread, and what its servers promise. */
export interface NatsClusterLog {
  readonly shardCount: number;
  readonly streamCount: number;
  readonly isFlushed: boolean;
}

/** A cluster that is open. Whoever opened it closes it, after the log. */
export interface NatsCluster {
  readonly server: NatsServerInfo;
  readonly replicas: number;
  /** Leases and documents. */
  readonly keyValue: KeyValue;
  readonly bus: Bus;
  readonly blob: Blob;
  /** Asks the servers how they are; nothing comes of those that may not be asked. */
  reports(): Promise<readonly ServerReport[]>;
  openLog(options: NatsClusterLog): Promise<Log>;
  /** Goes to another server: for whoever finds that nothing can be stored through this one. */
  leaveServer(): void;
  close(): Promise<void>;
}

/**
 * Opens a cluster, and makes it when there is none of this name.
 *
 * @throws `CONFIG_INVALID`, `ENGINE_UNSUPPORTED`, `UNAUTHORIZED`, `ENGINE_UNAVAILABLE`,
 * `NO_QUORUM`.
 */
export async function openNatsCluster(options: NatsClusterOptions): Promise<NatsCluster> {
  const { connection, clock, onTrouble } = options;
  const client = await connectNats(connection, {
    clock,
    onRefused: cause => onTrouble('a server refused a message', cause),
  });
  try {
    return await openOn(client, options);
  } catch (error) {
    await client.close();
    throw error;
  }
}

const infoTimeoutMs = 5_000;
const infoRepeatMs = 20_000;
/** What a new cluster gets on servers that form one. */
const replicasTogether = 3;

async function openOn(client: OpenConnection, options: NatsClusterOptions): Promise<NatsCluster> {
  const { name, clock, random, onTrouble } = options;
  const parts = { client, clock, random };
  const bucket = `tp_${name}`;
  const replicas = await replicasOf(client, bucketStream(bucket), options);
  for (const config of [bucketConfig(bucket, replicas), blobConfig(name, replicas)]) {
    await permitted(name, () => ensureStream(parts, config));
  }
  const keyValue = openNatsKeyValue({ ...parts, bucket });
  const bus = openNatsBus({
    ...parts,
    prefix: `tp.${name}.bus`,
    onError: cause => onTrouble('a subscriber of a topic threw', cause),
  });
  const blob = openNatsBlob({ ...parts, cluster: name });
  return {
    server: client.server,
    replicas,
    keyValue,
    bus,
    blob,
    reports: () => askServers({ client, clock }),
    openLog: log =>
      permitted(name, () => openNatsLog({ ...parts, cluster: name, replicas, ...log })),
    leaveServer: () => client.leaveServer(),
    async close() {
      await Promise.all([keyValue.close(), bus.close(), blob.close()]);
      await client.close();
    },
  };
}

/** The streams of a cluster that is there say how many they have. */
async function replicasOf(
  client: NatsClient,
  stream: string,
  { name, replicas: wanted, clock, random }: NatsClusterOptions,
): Promise<number> {
  const found = await repeat({ clock, random }, infoRepeatMs, () => foundReplicas(client, stream));
  if (found === undefined) {
    return wanted ?? (client.server.cluster === undefined ? 1 : replicasTogether);
  }
  if (wanted === undefined || wanted === found) return found;
  throw new TroupeError('CONFIG_INVALID', {
    detail: `cluster.replicas is ${wanted}, and the cluster ${name} was made with ${found}; leave it out, or change all streams of the cluster on the servers`,
  });
}

async function foundReplicas(
  client: NatsClient,
  stream: string,
): Promise<Attempted<number | undefined>> {
  const answer = await askJetStream(client, `STREAM.INFO.${stream}`, undefined, infoTimeoutMs);
  if (answer.status === 'refused') {
    // What is wrong with the servers, making the stream tells in full.
    return { value: undefined };
  }
  if (answer.status === 'answered') {
    const { config } = answer.value;
    const count = isObject(config) ? config.num_replicas : undefined;
    return { value: typeof count === 'number' ? count : undefined };
  }
  if (answer.cause.code === 'UNAUTHORIZED') throw answer.cause;
  const off = jetStreamOff(client);
  // Where servers form a cluster, another of them may keep the streams, and be away for now.
  if (off !== undefined && client.server.cluster === undefined) throw off;
  return { passing: off ?? answer.cause };
}

/** Whoever may not make streams needs somebody who has made them. */
async function permitted<Value>(name: string, make: () => Promise<Value>): Promise<Value> {
  try {
    return await make();
  } catch (error) {
    if (!TroupeError.is(error) || error.code !== 'UNAUTHORIZED') throw error;
    throw new TroupeError('UNAUTHORIZED', {
      detail: `${error.detail}; when the cluster ${name} is not there yet, let a node start once with the operator's key, which may make it`,
      cause: error,
    });
  }
}
