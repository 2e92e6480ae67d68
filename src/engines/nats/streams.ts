/**
 * The streams of a cluster: made when they are missing, checked when they are there. What they say
 * of themselves decides, because old servers take options that they do not know without a word.
 */
import { TroupeError } from '../../core/errors.ts';
import type { NatsClient } from './client.ts';
import {
  askJetStream,
  isObject,
  type JsonObject,
  jetStreamCodes,
  type Refusal,
  refusedError,
} from './jetstream.ts';
import {
  type LogLayout,
  logStreamName,
  logStreamSubjects,
  markStreamName,
  markSubjectPrefix,
} from './log-subjects.ts';
import { type Attempted, type RepeatParts, repeat } from './repeat.ts';
import { isAtLeast, oldestClusterVersion, oldestVersion } from './server-version.ts';

/** What the streams are to be like. */
export interface StreamsOptions extends StreamParts {
  readonly layout: LogLayout;
  /** On how many servers each message is kept: 1, 3 or 5. */
  readonly replicas: number;
}

/** What was found. */
export interface StreamsReport {
  /** Whether any replica may be asked for messages. */
  readonly isDirect: boolean;
  /** How many streams were made. */
  readonly madeCount: number;
}

const limits = { timeoutMs: 5_000, repeatMs: 20_000 } as const;
const format = 1;

/**
 * Makes sure of the streams of logs and marks.
 *
 * @throws `ENGINE_UNSUPPORTED` for a server that is too old; `CONFIG_INVALID` for streams that are
 * otherwise than they must be, and for more replicas than there are servers; `NO_QUORUM`,
 * `ENGINE_UNAVAILABLE`, `UNAUTHORIZED`.
 */
export async function ensureStreams(options: StreamsOptions): Promise<StreamsReport> {
  const wanted = wantedStreams(options);
  const found = await Promise.all(wanted.map(config => ensureStream(options, config)));
  return {
    isDirect: found.every(({ config }) => config.allow_direct === true),
    madeCount: found.filter(({ isMade }) => isMade).length,
  };
}

/** The configurations of all streams of a layout. */
export function wantedStreams({
  layout,
  replicas,
}: Pick<StreamsOptions, 'layout' | 'replicas'>): JsonObject[] {
  const about = `Troupe, format ${format}, ${layout.shardCount} shards`;
  const common = {
    retention: 'limits',
    storage: 'file',
    num_replicas: replicas,
    // What cannot be kept is refused; nothing that was acknowledged makes room for it.
    discard: 'new',
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    max_msg_size: -1,
    max_consumers: -1,
    allow_direct: true,
  };
  const logs = Array.from({ length: layout.streamCount }, (_, index) => ({
    ...common,
    name: logStreamName(layout, index),
    description: `${about}: logs, stream ${index + 1} of ${layout.streamCount}`,
    subjects: logStreamSubjects(layout, index),
    max_msgs_per_subject: -1,
  }));
  const marks = {
    ...common,
    name: markStreamName(layout),
    description: `${about}: marks`,
    subjects: [`${markSubjectPrefix(layout, 'wake')}>`, `${markSubjectPrefix(layout, 'cut')}>`],
    max_msgs_per_subject: 1,
  };
  return [...logs, marks];
}

/**
 * What is wrong with a stream as it is, for people; nothing when it will do.
 */
export function complaintAbout(found: JsonObject, wanted: JsonObject): string | undefined {
  const differing = Object.keys(wanted)
    .filter(key => key !== 'allow_direct')
    .find(key => told(sorted(found[key])) !== told(sorted(wanted[key])));
  if (differing !== undefined) {
    const [is, must] = [found[differing], wanted[differing]].map(value => cut(told(value)));
    return `its ${differing} is ${is} and must be ${must}`;
  }
  const set = ['sealed', 'deny_delete', 'deny_purge'].find(key => found[key] === true);
  const strange = ['mirror', 'sources', 'republish', 'subject_transform'].find(
    key => found[key] !== undefined && found[key] !== null,
  );
  const extra = set ?? strange;
  return extra === undefined ? undefined : `it has ${extra} set, and must not`;
}

function checkVersion(
  { client, isUnsoundAllowed = false }: StreamParts,
  { num_replicas: replicas = 1 }: JsonObject,
): void {
  if (typeof replicas !== 'number') return;
  const { version, name } = client.server;
  const floor = replicas > 1 && !isUnsoundAllowed ? oldestClusterVersion : oldestVersion;
  if (isAtLeast(version, floor)) return;
  const why =
    replicas > 1
      ? `with ${replicas} replicas two writers can both be told that they came first`
      : 'it was never tested';
  throw new TroupeError('ENGINE_UNSUPPORTED', {
    detail: `the NATS server ${name} is ${version}, and before ${floor} ${why}; upgrade it${replicas > 1 ? ', or ask for one replica' : ''}`,
  });
}

/** What making sure of one stream needs. */
export interface StreamParts extends RepeatParts {
  readonly client: NatsClient;
  /** Takes servers whose compare-and-append is known to be unsound: for showing that it is. */
  readonly isUnsoundAllowed?: boolean | undefined;
}

/** Nodes of a cluster in production have no permission to make streams. */
async function make(client: NatsClient, name: string, wanted: JsonObject) {
  try {
    return await ask(client, `STREAM.CREATE.${name}`, wanted);
  } catch (error) {
    if (!TroupeError.is(error) || error.code !== 'UNAUTHORIZED') throw error;
    throw new TroupeError('UNAUTHORIZED', {
      detail: `the stream ${name} is missing, and this user may not make it; start one node with the operator's credentials first`,
      cause: error,
    });
  }
}

/** A stream as it is. */
export interface FoundStream {
  readonly config: JsonObject;
  readonly isMade: boolean;
}

/**
 * Makes sure of one stream.
 *
 * @throws as {@link ensureStreams}.
 */
export async function ensureStream(options: StreamParts, wanted: JsonObject): Promise<FoundStream> {
  checkVersion(options, wanted);
  const name = String(wanted.name);
  return repeat(options, limits.repeatMs, async (): Promise<Attempted<FoundStream>> => {
    const found = await ask(options.client, `STREAM.INFO.${name}`, undefined);
    if ('passing' in found) return found;
    if (found.value !== undefined) {
      return { value: { config: checked(found.value, wanted), isMade: false } };
    }
    const made = await make(options.client, name, wanted);
    // What became of it, the next attempt sees.
    if ('passing' in made) return made;
    if (made.value === undefined) return { passing: raced(name) };
    return { value: { config: checked(made.value, wanted), isMade: true } };
  });
}

/** The configuration in the answer; nothing when there is no such stream, or one was just made. */
async function ask(
  client: NatsClient,
  operation: string,
  body: JsonObject | undefined,
): Promise<Attempted<JsonObject | undefined>> {
  const answer = await askJetStream(client, operation, body, limits.timeoutMs);
  if (answer.status === 'answered') {
    return { value: isObject(answer.value.config) ? answer.value.config : {} };
  }
  if (answer.status === 'refused') {
    const { errorCode } = answer.refusal;
    const isNone =
      errorCode === jetStreamCodes.noStream || errorCode === jetStreamCodes.streamExists;
    if (isNone) return { value: undefined };
    throw streamError(operation, answer.refusal);
  }
  if (answer.cause.code === 'UNAUTHORIZED') throw answer.cause;
  return { passing: answer.cause };
}

function checked(found: JsonObject, wanted: JsonObject): JsonObject {
  const complaint = complaintAbout(found, wanted);
  if (complaint === undefined) return found;
  throw new TroupeError('CONFIG_INVALID', {
    detail: `the stream ${String(wanted.name)} on the NATS server cannot be used: ${complaint}; change it there, or name another cluster`,
  });
}

/** Refusals that a different set-up would help. */
const setUpCodes: Readonly<Record<number, string>> = {
  // "Error causing no peers to be available", "no suitable peers for placement".
  10005: 'there are not as many servers with JetStream as replicas',
  // "replicas > 1 not supported in non-clustered mode".
  10074: 'the server is not part of a cluster; ask for one replica, or start three servers',
  10039: 'JetStream is off for this account; switch it on in the configuration of the server',
  10076: 'JetStream is off; switch it on in the configuration of the server',
  10065: 'another stream takes these subjects; name another cluster, or remove that stream',
};

function streamError(operation: string, refusal: Refusal): TroupeError {
  const remedy = setUpCodes[refusal.errorCode];
  if (remedy === undefined) return refusedError(operation, refusal);
  return new TroupeError('CONFIG_INVALID', {
    detail: `${operation} was refused: ${refusal.description} (${refusal.errorCode}); ${remedy}`,
  });
}

function raced(name: string): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `the stream ${name} is made and removed at the same time`,
    outcome: 'not-executed',
  });
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map(String).sort() : value;
}

function told(value: unknown): string {
  return JSON.stringify(value) ?? 'missing';
}

function cut(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}
