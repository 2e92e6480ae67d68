/**
 * A look at a cluster on NATS servers that leaves it as it is: its own connection or that of a
 * node, questions that change nothing, and the leases and documents to read. What is found is
 * judged elsewhere.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { KeyValue } from '../../ports/key-value.ts';
import type { Random } from '../../ports/random.ts';
import { blobConfig } from './blob-head.ts';
import type { NatsClient, NatsServerInfo } from './client.ts';
import { connectNats } from './connection.ts';
import type { NatsConnectionOptions } from './connection-options.ts';
import { mayMakeStreams, type PermissionFinding, tryPermissions } from './inspect-permissions.ts';
import { inspectStreams, type StreamFinding } from './inspect-streams.ts';
import { askJetStream, isObject, jetStreamOff, refusedError } from './jetstream.ts';
import { openNatsKeyValue } from './key-value.ts';
import { bucketConfig } from './key-value-entry.ts';
import { askServers, type ServerReport } from './server-reports.ts';
import { wantedStreams } from './streams.ts';

/** Which cluster is looked at. */
export interface InspectOptions {
  readonly connection: NatsConnectionOptions;
  /** The name of the cluster. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** What JetStream says of the account: what its streams take, and what they may take. */
export interface StoreAccount {
  readonly bytesUsed: number;
  /** Nothing where only the servers set limits. */
  readonly bytesMax: number | undefined;
}

/** How the streams of a cluster are spread. */
export interface InspectLayout {
  readonly shardCount: number;
  readonly streamCount: number;
}

/** A look at a cluster. Whoever opened it closes it. */
export interface NatsInspector extends AsyncDisposable {
  readonly server: NatsServerInfo;
  /** Only to be read here. */
  readonly keyValue: Pick<KeyValue, 'get' | 'keys'>;
  reports(): Promise<readonly ServerReport[]>;
  /**
   * Asks JetStream itself.
   *
   * @throws `CONFIG_INVALID` where it is off, `UNAUTHORIZED`, `NO_QUORUM`, `ENGINE_UNAVAILABLE`.
   */
  account(): Promise<StoreAccount>;
  /** The stream of leases and documents, which is made first. */
  bucket(): Promise<StreamFinding>;
  /** All streams, the bucket first. */
  streams(layout: InspectLayout, replicas: number): Promise<readonly StreamFinding[]>;
  /** Tried on the streams that were found. */
  permissions(
    layout: InspectLayout,
    streams: readonly StreamFinding[],
  ): Promise<readonly PermissionFinding[]>;
  /** Whether this user may make the streams. */
  mayMake(): Promise<PermissionFinding>;
  close(): Promise<void>;
}

/**
 * Connects to look at a cluster.
 *
 * @throws `CONFIG_INVALID`, `UNAUTHORIZED`, `ENGINE_UNAVAILABLE`.
 */
export async function inspectNats(options: InspectOptions): Promise<NatsInspector> {
  const { connection, clock } = options;
  return new Inspector(await connectNats(connection, { clock }), options);
}

/** Nothing of JetStream is answered while its servers have no leader. */
function silence(cause: TroupeError): TroupeError {
  if (cause.code === 'UNAUTHORIZED') return cause;
  return new TroupeError('NO_QUORUM', {
    detail: `JetStream does not answer (${cause.detail}): its servers elect a leader, for up to 9 s, or too few of them are up; start those that are down, and look again`,
    cause,
  });
}

const timeoutMs = 3_000;
/** Off for the account: "JetStream not enabled for account", "JetStream not enabled". */
const offCodes: readonly number[] = [10039, 10076];

class Inspector implements NatsInspector {
  readonly #client: NatsClient;
  readonly #options: InspectOptions;
  readonly #keyValue: KeyValue;

  constructor(client: NatsClient, options: InspectOptions) {
    this.#client = client;
    this.#options = options;
    this.#keyValue = openNatsKeyValue({ ...options, client, bucket: this.#bucketName });
  }

  get server(): NatsServerInfo {
    return this.#client.server;
  }

  get keyValue(): KeyValue {
    return this.#keyValue;
  }

  reports(): Promise<readonly ServerReport[]> {
    return askServers({ client: this.#client, clock: this.#options.clock });
  }

  async account(): Promise<StoreAccount> {
    const answer = await askJetStream(this.#client, 'INFO', undefined, timeoutMs);
    if (answer.status === 'refused') {
      const { refusal } = answer;
      if (!offCodes.includes(refusal.errorCode)) throw refusedError('INFO', refusal);
      throw new TroupeError('CONFIG_INVALID', {
        detail: `JetStream is off for this account on the NATS server ${this.server.name} (${refusal.description}, ${refusal.errorCode}); switch it on in the configuration of the server`,
      });
    }
    if (answer.status !== 'answered') throw jetStreamOff(this.#client) ?? silence(answer.cause);
    const { storage, limits } = answer.value;
    const max = isObject(limits) ? limits.max_storage : undefined;
    return {
      bytesUsed: typeof storage === 'number' ? storage : 0,
      bytesMax: typeof max === 'number' && max >= 0 ? max : undefined,
    };
  }

  async bucket(): Promise<StreamFinding> {
    const config = bucketConfig(this.#bucketName, 1);
    const [found] = await inspectStreams(this.#client, [config]);
    // One was asked for.
    return found as StreamFinding;
  }

  streams(layout: InspectLayout, replicas: number): Promise<readonly StreamFinding[]> {
    const { name } = this.#options;
    return inspectStreams(this.#client, [
      bucketConfig(this.#bucketName, replicas),
      blobConfig(name, replicas),
      ...wantedStreams({ layout: { ...layout, cluster: name }, replicas }),
    ]);
  }

  permissions(
    layout: InspectLayout,
    streams: readonly StreamFinding[],
  ): Promise<readonly PermissionFinding[]> {
    const { name, clock, random } = this.#options;
    const found = streams.filter(({ status }) => status === 'found');
    return tryPermissions({
      ...{ client: this.#client, clock, random, bucket: this.#bucketName },
      layout: { ...layout, cluster: name },
      present: new Set(found.map(stream => stream.name)),
    });
  }

  mayMake(): Promise<PermissionFinding> {
    const layout = { cluster: this.#options.name, shardCount: 1, streamCount: 1 };
    return mayMakeStreams({ client: this.#client, layout });
  }

  async close(): Promise<void> {
    await this.#keyValue.close();
    await this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #bucketName(): string {
    return `tp_${this.#options.name}`;
  }
}
