/**
 * What a copy of a cluster needs of its servers beside the ports: whether there is such a cluster,
 * whether it keeps what no copy has, and all of its logs at one moment. Over a connection of its
 * own, so that a node that goes on meanwhile does not wait behind it.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Seq } from '../../ports/log.ts';
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
import { type LogLayout, logStreamName } from './log-subjects.ts';
import { streamSeqOf } from './record-frame.ts';
import { type Attempted, type RepeatParts, repeat } from './repeat.ts';

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
   * closed. `patienceMs` is for how long it is tried while the servers cannot (default 20,000).
   */
  open(layout: Omit<LogLayout, 'cluster'>, patienceMs?: number): Promise<CopySource>;
  /**
   * Lets the streams of logs that are empty go on behind a place, so that all records that come
   * into them get later ones. Whoever calls it has the cluster for himself.
   */
  beginBehind(layout: Omit<LogLayout, 'cluster'>, place: Seq): Promise<void>;
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
    exists: async () => (await stateOf(parts, bucketStream(`tp_${name}`))) !== undefined,
    hasBlobs: async () => ((await stateOf(parts, blobStream(name)))?.count ?? 0) > 0,
    open: ({ shardCount, streamCount }, patienceMs) => {
      const layout = { cluster: name, shardCount, streamCount };
      return CopySource.open({ ...parts, layout, patienceMs });
    },
    async beginBehind({ shardCount, streamCount }, place) {
      const layout = { cluster: name, shardCount, streamCount };
      for (let index = 0; index < streamCount; index += 1) {
        await beginStreamAt(parts, logStreamName(layout, index), streamSeqOf(place) + 1);
      }
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

interface AskParts extends RepeatParts {
  readonly client: NatsClient;
}

interface StreamState {
  /** How many messages it holds. */
  readonly count: number;
  readonly lastSeq: number;
}

/** What a stream holds; nothing when there is no such stream. */
async function stateOf(parts: AskParts, stream: string): Promise<StreamState | undefined> {
  const found = await ask(parts, `STREAM.INFO.${stream}`, undefined);
  if (found === undefined) return undefined;
  const state = isObject(found.state) ? found.state : {};
  return { count: numberOf(state.messages), lastSeq: numberOf(state.last_seq) };
}

/** Removing all before a place moves an empty stream there, on every version of the servers. */
async function beginStreamAt(parts: AskParts, stream: string, seq: number): Promise<void> {
  const state = await stateOf(parts, stream);
  if (state === undefined || state.count > 0 || state.lastSeq >= seq) return;
  await ask(parts, `STREAM.PURGE.${stream}`, { seq });
  const moved = await stateOf(parts, stream);
  if (moved !== undefined && moved.lastSeq >= seq - 1) return;
  throw new TroupeError('ENGINE_UNSUPPORTED', {
    detail: `the NATS servers do not let the stream ${stream} begin at ${seq}`,
    outcome: 'not-executed',
  });
}

/** Asks until there is an answer; nothing when there is no such stream. */
function ask(
  { client, clock, random }: AskParts,
  operation: string,
  body: JsonObject | undefined,
): Promise<JsonObject | undefined> {
  const attempt = async (): Promise<Attempted<JsonObject | undefined>> => {
    const answer = await askJetStream(client, operation, body, limits.timeoutMs);
    if (answer.status === 'answered') return { value: answer.value };
    if (answer.status === 'refused') {
      if (answer.refusal.errorCode === jetStreamCodes.noStream) return { value: undefined };
      throw refusedError(operation, answer.refusal);
    }
    if (answer.cause.code === 'UNAUTHORIZED') throw answer.cause;
    return { passing: answer.cause };
  };
  return repeat({ clock, random }, limits.repeatMs, attempt);
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
