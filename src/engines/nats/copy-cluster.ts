/**
 * What a copy of a cluster needs of its servers beside the ports: whether there is such a cluster,
 * whether it keeps what no copy has, and all of its logs at one moment. Over a connection of its
 * own, so that a node that goes on meanwhile does not wait behind it.
 */
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { blobStream } from './blob-head.ts';
import type { NatsClient } from './client.ts';
import { connectNats } from './connection.ts';
import type { NatsConnectionOptions } from './connection-options.ts';
import { CopySource } from './copy-source.ts';
import {
  askJetStream,
  isObject,
  type JsonObject,
  jetStreamCodes,
  refusedError,
} from './jetstream.ts';
import { bucketStream } from './key-subject.ts';
import type { LogLayout } from './log-subjects.ts';
import { type Attempted, repeat } from './repeat.ts';

/** Which cluster, and how it is reached. */
export interface NatsCopiesOptions {
  readonly connection: NatsConnectionOptions;
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** The way to copies of a cluster. */
export interface NatsCopies extends AsyncDisposable {
  /** Whether there is a cluster of this name. */
  exists(): Promise<boolean>;
  /** Whether it keeps large values. */
  hasBlobs(): Promise<boolean>;
  /**
   * All logs as they are now. Nothing may be appended until it is open, nor trimmed until it is
   * closed.
   */
  open(layout: Omit<LogLayout, 'cluster'>): Promise<CopySource>;
}

const limits = { timeoutMs: 5_000, repeatMs: 20_000 } as const;

/**
 * Connects, and makes nothing.
 *
 * @throws `CONFIG_INVALID`, `UNAUTHORIZED`, `ENGINE_UNAVAILABLE`; the methods also `NO_QUORUM`.
 */
export async function openNatsCopies(options: NatsCopiesOptions): Promise<NatsCopies> {
  const { connection, name, clock, random } = options;
  const client = await connectNats(connection, { clock, onRefused: () => undefined });
  const parts = { client, clock, random };
  return {
    exists: async () => (await messagesIn(parts, bucketStream(`tp_${name}`))) !== undefined,
    hasBlobs: async () => ((await messagesIn(parts, blobStream(name))) ?? 0) > 0,
    open: layout => CopySource.open({ ...parts, layout: { cluster: name, ...layout } }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** How many messages a stream holds; nothing when there is no such stream. */
async function messagesIn(
  { client, clock, random }: Pick<NatsCopiesOptions, 'clock' | 'random'> & ClientPart,
  stream: string,
): Promise<number | undefined> {
  const operation = `STREAM.INFO.${stream}`;
  return repeat(
    { clock, random },
    limits.repeatMs,
    async (): Promise<Attempted<number | undefined>> => {
      const answer = await askJetStream(client, operation, undefined, limits.timeoutMs);
      if (answer.status === 'answered') return { value: countIn(answer.value) };
      if (answer.status === 'refused') {
        if (answer.refusal.errorCode === jetStreamCodes.noStream) return { value: undefined };
        throw refusedError(operation, answer.refusal);
      }
      if (answer.cause.code === 'UNAUTHORIZED') throw answer.cause;
      return { passing: answer.cause };
    },
  );
}

interface ClientPart {
  readonly client: NatsClient;
}

function countIn({ state }: JsonObject): number {
  const count = isObject(state) ? state.messages : undefined;
  return typeof count === 'number' ? count : 0;
}
