/**
 * Whether a user may do what a node does, by trying each thing so that nothing is left of it: what
 * is published names another stream than the one that would store it, which the servers refuse
 * before they store; what would remove something is asked of a stream that does not exist. To purge
 * with a body that is not understood would be no such way: 2.15.1 takes it for no body, and purges
 * all.
 */
import { TroupeError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { blobStream, blobSubjects } from './blob-head.ts';
import type { NatsClient, NatsReply } from './client.ts';
import { bucketStream, subjectOfKey } from './key-subject.ts';
import {
  type LogLayout,
  logStreamName,
  logSubjectPrefix,
  markStreamName,
  markSubjectPrefix,
} from './log-subjects.ts';
import { serversSubject } from './server-reports.ts';

/** One thing that was tried. */
export interface PermissionFinding {
  /** What a node does by it, such as "append to logs". */
  readonly purpose: string;
  readonly status: 'allowed' | 'refused' | 'unanswered';
  /** Why it was refused, or not answered. */
  readonly cause?: TroupeError | undefined;
}

/** Whose permissions are tried. */
export interface PermissionParts {
  readonly client: NatsClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly bucket: string;
  readonly layout: LogLayout;
  /** The streams that are there: 2.9 does not answer direct reads of others. */
  readonly present: ReadonlySet<string>;
}

const timeoutMs = 2_000;
/** No agent, key, stream or blob has this name. */
const nobody = 'troupe-doctor';
const noBytes = new Uint8Array();
const refusedAnyway = { 'Nats-Expected-Stream': nobody };

/** Tries all that a node does. */
export async function tryPermissions(parts: PermissionParts): Promise<PermissionFinding[]> {
  const asked = requestsOf(parts).map(async ({ purpose, subject, body, headers }) => {
    const payload = body === undefined ? noBytes : new TextEncoder().encode(JSON.stringify(body));
    return findingOf(purpose, await parts.client.request(subject, payload, { timeoutMs, headers }));
  });
  const found = await Promise.all([...asked, tryWatch(parts), tryBus(parts)]);
  return onePerPurpose(found);
}

/** Whether a user may make the streams of a cluster that is not there yet. */
export async function mayMakeStreams({
  client,
  layout,
}: Pick<PermissionParts, 'client' | 'layout'>): Promise<PermissionFinding> {
  // The name in the body is no name, and another than the one asked for.
  const payload = new TextEncoder().encode(JSON.stringify({ name: 'no stream' }));
  const subject = `$JS.API.STREAM.CREATE.${ghostOf(layout)}`;
  return findingOf('make streams', await client.request(subject, payload, { timeoutMs }));
}

interface Try {
  readonly purpose: string;
  readonly subject: string;
  readonly body?: object | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

function requestsOf({ bucket, layout, present }: PermissionParts): Try[] {
  const logs = Array.from({ length: layout.streamCount }, (_, index) => index);
  const marks = markStreamName(layout);
  const logStreams = logs.map(index => logStreamName(layout, index));
  const streams = [...logStreams, marks, blobStream(layout.cluster)];
  const ghost = ghostOf(layout);
  return [
    ...logs.map(index =>
      publish('append to logs', `${logSubjectPrefix(layout)}${index}.${nobody}`),
    ),
    publish('mark due work', `${markSubjectPrefix(layout, 'wake')}0.${nobody}`),
    publish('mark trimmed logs', `${markSubjectPrefix(layout, 'cut')}0.${nobody}`),
    publish('keep blobs', `${blobSubjects(layout.cluster)}.${nobody}`),
    publish('write leases and documents', subjectOfKey(bucket, nobody)),
    ...[...streams, bucketStream(bucket)].map(stream =>
      request('read from leaders', `STREAM.MSG.GET.${stream}`, { last_by_subj: nobody }),
    ),
    ...streams
      .filter(stream => present.has(stream))
      .map(stream =>
        request('read from replicas', `DIRECT.GET.${stream}`, { last_by_subj: nobody }),
      ),
    { purpose: 'ask the servers how they are', subject: serversSubject },
    request('trim logs', `STREAM.PURGE.${ghost}`, { filter: nobody, seq: 1 }),
    request('remove marks', `STREAM.MSG.DELETE.${ghost}`, { seq: 1, no_erase: true }),
  ];
}

function publish(purpose: string, subject: string): Try {
  return { purpose, subject, headers: refusedAnyway };
}

function request(purpose: string, operation: string, body: object): Try {
  return { purpose, subject: `$JS.API.${operation}`, body };
}

/** Nobody has made a stream of this name. */
function ghostOf({ cluster }: LogLayout): string {
  return `tp_${cluster}_${nobody}`;
}

/** That nobody answers says that it went through: what is missing is another matter. */
function findingOf(purpose: string, reply: NatsReply): PermissionFinding {
  if (reply.status === 'answered' || reply.status === 'nobody')
    return { purpose, status: 'allowed' };
  return failureOf(purpose, reply.cause);
}

function failureOf(purpose: string, cause: TroupeError): PermissionFinding {
  return { purpose, status: cause.code === 'UNAUTHORIZED' ? 'refused' : 'unanswered', cause };
}

async function tryWatch({ client, bucket }: PermissionParts): Promise<PermissionFinding> {
  const purpose = 'watch leases and documents';
  return listening(purpose, () => client.subscribe(subjectOfKey(bucket, nobody), () => undefined));
}

/** On a topic that nobody else uses, so that no request of a node comes here. */
function tryBus({ client, random, layout }: PermissionParts): Promise<PermissionFinding> {
  const purpose = 'talk to other nodes';
  const subject = `tp.${layout.cluster}.bus.${nobody}.${random.hex(8)}`;
  return listening(purpose, async () => {
    const stop = await client.subscribe(subject, ({ reply }) => {
      if (reply !== undefined) client.publish(reply, noBytes);
    });
    const reply = await client.request(subject, noBytes, { timeoutMs });
    if (reply.status === 'unavailable' || reply.status === 'unknown') {
      stop();
      throw reply.cause;
    }
    return stop;
  });
}

async function listening(
  purpose: string,
  listen: () => Promise<() => void>,
): Promise<PermissionFinding> {
  try {
    (await listen())();
    return { purpose, status: 'allowed' };
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    return failureOf(purpose, error);
  }
}

/** What was tried on many streams is one thing; the worst of them counts. */
function onePerPurpose(found: readonly PermissionFinding[]): PermissionFinding[] {
  const worst = new Map<string, PermissionFinding>();
  for (const finding of found) {
    const before = worst.get(finding.purpose);
    const isWorse = before === undefined || rank[finding.status] > rank[before.status];
    if (isWorse) worst.set(finding.purpose, finding);
  }
  return [...worst.values()];
}

const rank = { allowed: 0, unanswered: 1, refused: 2 } as const;
