/**
 * How the streams of a cluster are: there, as they were made, led, and up to date on all servers
 * that keep them. Nothing is made and nothing changed.
 */
import type { TroupeError } from '../../core/errors.ts';
import type { NatsClient } from './client.ts';
import {
  askJetStream,
  isObject,
  type JsonObject,
  jetStreamCodes,
  refusedError,
} from './jetstream.ts';
import { complaintAbout } from './streams.ts';

/** A server that keeps a copy of a stream. */
export interface StreamPeer {
  readonly name: string;
  readonly isOffline: boolean;
  /** Whether it is not up to date, or far behind. */
  readonly isBehind: boolean;
  /** How many operations it is behind. */
  readonly lag: number;
}

/** How one stream is. */
export type StreamFinding = { readonly name: string } & (
  | { readonly status: 'found'; readonly stream: FoundStream }
  | { readonly status: 'missing' }
  /** It did not answer, or was refused: why. */
  | { readonly status: 'silent'; readonly cause: TroupeError }
);

/** A stream that answered. */
export interface FoundStream {
  readonly replicas: number;
  /** What makes it unfit, for people. */
  readonly complaint: string | undefined;
  /** Who leads it; nothing where one server is on its own. */
  readonly leader: string | undefined;
  readonly isClustered: boolean;
  /** The copies beside the leader's. */
  readonly peers: readonly StreamPeer[];
  readonly messages: number;
  readonly bytes: number;
}

const timeoutMs = 3_000;

/** Looks at streams that are to be as these configurations. */
export function inspectStreams(
  client: NatsClient,
  wanted: readonly JsonObject[],
): Promise<readonly StreamFinding[]> {
  return Promise.all(wanted.map(config => inspect(client, config)));
}

async function inspect(client: NatsClient, wanted: JsonObject): Promise<StreamFinding> {
  const name = String(wanted.name);
  const operation = `STREAM.INFO.${name}`;
  const answer = await askJetStream(client, operation, undefined, timeoutMs);
  if (answer.status === 'answered') {
    return { name, status: 'found', stream: foundIn(answer.value, wanted) };
  }
  if (answer.status !== 'refused') return { name, status: 'silent', cause: answer.cause };
  const { refusal } = answer;
  if (refusal.errorCode === jetStreamCodes.noStream) return { name, status: 'missing' };
  return { name, status: 'silent', cause: refusedError(operation, refusal) };
}

function foundIn({ config, state, cluster }: JsonObject, wanted: JsonObject): FoundStream {
  const found = isObject(config) ? config : {};
  const { leader, replicas: peers, raft_group: group } = isObject(cluster) ? cluster : {};
  const { messages, bytes } = isObject(state) ? state : {};
  return {
    replicas: numberOf(found.num_replicas),
    complaint: complaintAbout(found, wanted),
    leader: typeof leader === 'string' && leader !== '' ? leader : undefined,
    isClustered: group !== undefined,
    peers: Array.isArray(peers) ? peers.filter(isObject).map(peerOf) : [],
    messages: numberOf(messages),
    bytes: numberOf(bytes),
  };
}

/** A stream that is being written to is some operations ahead of its copies all the time. */
const lagMax = 1_000;

function peerOf({ name, current, offline, lag: told }: JsonObject): StreamPeer {
  const lag = numberOf(told);
  const isBehind = current !== true || lag > lagMax;
  return { name: String(name), isOffline: offline === true, isBehind, lag };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
