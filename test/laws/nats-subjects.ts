/**
 * The NATS engine on real servers: those of one kind are started once for all laws that need them,
 * and each subject has a cluster of its own on them.
 */
import { connectNats, type OpenConnection } from '../../src/engines/nats/connection.ts';
import { askJetStream, isObject } from '../../src/engines/nats/jetstream.ts';
import { openNatsLog } from '../../src/engines/nats/log.ts';
import { placeOf } from '../../src/engines/nats/log-subjects.ts';
import { systemClock } from '../../src/engines/system/clock.ts';
import { systemRandom } from '../../src/engines/system/random.ts';
import type { LogSubject } from '../../src/testing/log-law-steps.ts';
import { type NatsServers, type NatsServersOptions, natsServers } from '../helpers/nats-servers.ts';
import { reopenable } from './reopenable.ts';

/** Servers of one kind. */
export interface NatsKind extends Required<Pick<NatsServersOptions, 'release' | 'count'>> {
  readonly replicas: 1 | 3;
}

/** One server of the newest release. */
export const newestR1: NatsKind = { release: 'newest', count: 1, replicas: 1 };
/** Three servers of the newest release that keep each message three times. */
export const newestR3: NatsKind = { release: 'newest', count: 3, replicas: 3 };
/** One server of the oldest release that will do. */
export const oldestR1: NatsKind = { release: '2.9.10', count: 1, replicas: 1 };

const clock = systemClock();
const random = systemRandom();
const started = new Map<string, Promise<NatsServers>>();
let lastNumber = 0;

/** A connection to servers of one kind, and the name of a cluster that nobody else has. */
export interface NatsGround extends AsyncDisposable {
  readonly client: OpenConnection;
  readonly cluster: string;
  /** The addresses of all servers. */
  readonly urls: readonly string[];
}

/** Opens a ground; all streams of the cluster are removed in the end. */
export async function openNatsGround(kind: NatsKind): Promise<NatsGround> {
  const { urls } = await serversOf(kind);
  const client = await connectNats({ servers: urls }, { clock });
  lastNumber += 1;
  const cluster = `law${lastNumber}`;
  return {
    client,
    cluster,
    urls,
    async [Symbol.asyncDispose]() {
      await removeStreams(client, cluster);
      await client.close();
    },
  };
}

/** Logs on servers of one kind. */
export async function openNatsLogs(kind: NatsKind): Promise<LogSubject & AsyncDisposable> {
  const ground = await openNatsGround(kind);
  const { client, cluster } = ground;
  const layout = { cluster, shardCount: 8, streamCount: 2 };
  const { replicas } = kind;
  const open = () => openNatsLog({ client, clock, random, replicas, ...layout });
  const { first, ...rest } = await reopenable(open, async () => ground[Symbol.asyncDispose]());
  const damage = async (name: string, text: string) => {
    const { stream, subject } = placeOf(layout, name);
    await flipInStream(client, { stream, subject, text });
  };
  return { log: first, damage, ...rest };
}

/** Stops all servers that were started here, and tells which they were. */
export async function stopNatsServers(): Promise<readonly string[]> {
  const servers = await Promise.all(started.values());
  started.clear();
  await Promise.all(servers.map(each => each.close()));
  return servers.map(({ version, urls }) => `${urls.length} of ${version}`);
}

function serversOf({ release, count }: NatsKind): Promise<NatsServers> {
  const key = `${release}, ${count}`;
  const found = started.get(key) ?? natsServers({ release, count });
  started.set(key, found);
  return found;
}

async function removeStreams(client: OpenConnection, cluster: string): Promise<void> {
  const answer = await askJetStream(client, 'STREAM.NAMES', {}, 5_000);
  const names = answer.status === 'answered' ? answer.value.streams : [];
  const isOwn = (name: string) => name.replace(/^KV_/, '').startsWith(`tp_${cluster}_`);
  const own = (Array.isArray(names) ? names : []).filter(isOwn);
  await Promise.all(
    own.map(name => askJetStream(client, `STREAM.DELETE.${name}`, undefined, 5_000)),
  );
}

/** Puts a message with one bit flipped into the place of the last one of a subject. */
async function flipInStream(
  client: OpenConnection,
  { stream, subject, text }: { stream: string; subject: string; text: string },
): Promise<void> {
  const get = { last_by_subj: subject };
  const answer = await askJetStream(client, `STREAM.MSG.GET.${stream}`, get, 5_000);
  const message = answer.status === 'answered' ? answer.value.message : undefined;
  if (!isObject(message)) throw new Error(`${subject} has no message to be damaged`);
  const bytes = Buffer.from(String(message.data), 'base64');
  const at = bytes.indexOf(text);
  if (at < 0) throw new Error(`the last message of ${subject} does not hold the text`);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await client.request(subject, bytes, { timeoutMs: 5_000 });
  const { seq } = message;
  await askJetStream(client, `STREAM.MSG.DELETE.${stream}`, { seq, no_erase: false }, 5_000);
}
