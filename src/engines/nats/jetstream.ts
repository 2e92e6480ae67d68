/**
 * JetStream's own protocol over core NATS: requests of its API, and publishing into streams. Every
 * answer is put into one of a few classes by what is known after it; whoever asks decides on the
 * class alone. Nothing is repeated here. What no table names may have been stored.
 */
import type { ErrorCode } from '../../core/error-codes.ts';
import { TroupeError } from '../../core/errors.ts';
import type { NatsClient, NatsHeaders, NatsMessage, NatsReply } from './client.ts';

/** Plain data as the API sends it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** How JetStream says no. */
export interface Refusal {
  /** Its own number, such as 10059; 0 when it gave none. */
  readonly errorCode: number;
  readonly description: string;
}

/** What became of a request of the API. */
export type ApiAnswer =
  | { readonly status: 'answered'; readonly value: JsonObject }
  /** The server understood and declined: nothing was changed. */
  | { readonly status: 'refused'; readonly refusal: Refusal }
  /** Surely not carried out; it may work later. */
  | { readonly status: 'unavailable'; readonly cause: TroupeError }
  /** Carried out, or not, or later. */
  | { readonly status: 'unknown'; readonly cause: TroupeError };

/** What became of one attempt to publish into a stream. */
export type PublishAnswer =
  | { readonly status: 'accepted'; readonly seq: number }
  /**
   * The subject does not end where it was expected to; `lastSeq` is where, if the server said. Only
   * one beyond the expectation proves that this attempt was not stored.
   */
  | { readonly status: 'conflict'; readonly lastSeq?: number | undefined }
  /** This attempt was declined, or never left; `isPassing` when another may do better. */
  | {
      readonly status: 'unavailable';
      readonly cause: TroupeError;
      readonly isPassing: boolean;
      /**
       * Whether it was surely not stored, now or later. When a server that was leader comes back
       * from behind a partition, two of them take the same message for a moment, and the one that
       * declines may answer first.
       */
      readonly isSure: boolean;
    }
  /** Stored, or not, or later. */
  | { readonly status: 'unknown'; readonly cause: TroupeError };

/** How to publish into a stream. */
export interface PublishOptions {
  /** The stream that is to store the message. */
  readonly stream: string;
  readonly timeoutMs: number;
  /** The sequence of the last message of the subject, 0 for none; not checked when left out. */
  readonly expectedSeq?: number | undefined;
  readonly headers?: NatsHeaders | undefined;
}

/** The error codes that callers look for. */
export const jetStreamCodes = {
  noMessage: 10037,
  noStream: 10059,
  streamExists: 10058,
  wrongLastSequence: 10071,
} as const;

const apiPrefix = '$JS.API';
const expectedSeqHeader = 'Nats-Expected-Last-Subject-Sequence';

type Verdict = 'conflict' | 'passing' | ErrorCode;

/**
 * Refusals of a message after which it is surely not stored: those that the server decides before
 * it proposes or writes anything. A code that is missing here means that it may have been.
 */
const publishVerdicts: Readonly<Record<number, Verdict>> = {
  // "wrong last sequence: N".
  [jetStreamCodes.wrongLastSequence]: 'conflict',
  // "wrong last sequence" without a number: another message for the subject is under way.
  10164: 'passing',
  // "duplicate message id is in process"; we send no message ids.
  10158: 'passing',
  // "expected last sequence per subject temporarily unavailable": a new leader catches up.
  10163: 'passing',
  // "JetStream system temporarily unavailable".
  10008: 'passing',
  // "JetStream cluster can not handle request": not the leader (any more).
  10009: 'passing',
  // "too many requests": more wait for the stream than it lets.
  10167: 'passing',
  // "resource limits exceeded for account", "insufficient resources", memory, storage.
  10002: 'DISK_FULL',
  10023: 'DISK_FULL',
  10028: 'DISK_FULL',
  10047: 'DISK_FULL',
  // "message size exceeds maximum allowed", "header size exceeds maximum allowed of 64k".
  10054: 'PAYLOAD_TOO_LARGE',
  10097: 'PAYLOAD_TOO_LARGE',
  // JetStream is off for the account, for the server; the stream is sealed; it is another stream.
  10039: 'ENGINE_UNAVAILABLE',
  10076: 'ENGINE_UNAVAILABLE',
  10109: 'ENGINE_UNAVAILABLE',
  10060: 'ENGINE_UNAVAILABLE',
};

/** "store failed": with these texts it was the stream's own limit, checked before writing. */
const storeFailedCode = 10077;
const limitTexts = /maximum (bytes|messages)( per subject)? exceeded/;

/** What to do on the servers, where the code alone would send people to their own machine. */
const roomRemedy = '; make room on the disks of the NATS servers, or raise their `max_file_store`';

/** Refusals of the API that mean "later". */
const passingApiCodes = new Set([10004, 10007, 10008, 10009]);

/** Asks the API: `operation` is what follows `$JS.API.`. */
export async function askJetStream(
  client: NatsClient,
  operation: string,
  body: JsonObject | undefined,
  timeoutMs: number,
): Promise<ApiAnswer> {
  const payload = body === undefined ? noBytes : encoder.encode(JSON.stringify(body));
  const reply = await client.request(`${apiPrefix}.${operation}`, payload, { timeoutMs });
  if (reply.status !== 'answered') return withoutAnswer(reply, operation);
  const value = jsonOf(reply.message);
  if (value === undefined) {
    return { status: 'unknown', cause: failed(`${operation} was answered by something else`) };
  }
  const refusal = refusalIn(value);
  if (refusal === undefined) return { status: 'answered', value };
  if (!passingApiCodes.has(refusal.errorCode)) return { status: 'refused', refusal };
  return { status: 'unavailable', cause: noLeader(operation, refusal.description) };
}

/**
 * Publishes into a stream, once.
 *
 * @remarks The message is handed to the connection before this returns, so messages on one subject
 * reach the server in the order of the calls.
 */
export function publishInto(
  client: NatsClient,
  subject: string,
  payload: Uint8Array,
  options: PublishOptions,
): Promise<PublishAnswer> {
  const { stream, timeoutMs, expectedSeq } = options;
  const headers =
    expectedSeq === undefined
      ? options.headers
      : { ...options.headers, [expectedSeqHeader]: String(expectedSeq) };
  return client
    .request(subject, payload, { timeoutMs, headers })
    .then(reply => publishAnswerOf(reply, stream, expectedSeq));
}

/** Puts the answer to a published message into its class. */
export function publishAnswerOf(
  reply: NatsReply,
  stream: string,
  expectedSeq?: number,
): PublishAnswer {
  if (reply.status !== 'answered') {
    const answer = withoutAnswer(reply, stream);
    if (answer.status === 'unknown') return answer;
    return { ...answer, isPassing: !lastingCodes.has(answer.cause.code), isSure: true };
  }
  const value = jsonOf(reply.message);
  if (value === undefined) return unknown(`${stream} acknowledged with something else`);
  const refusal = refusalIn(value);
  if (refusal !== undefined) return verdictOf(refusal, stream);
  return acknowledgedBy(value, stream, expectedSeq);
}

/** What a refusal of the API is to callers who cannot go on without it. */
export function refusedError(operation: string, { errorCode, description }: Refusal): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `${operation} was refused: ${description} (${errorCode})`,
    outcome: 'not-executed',
  });
}

/** Why nothing of JetStream answers, where the server says that it keeps no streams. */
export function jetStreamOff({ server }: NatsClient): TroupeError | undefined {
  if (server.hasJetStream !== false) return undefined;
  return new TroupeError('CONFIG_INVALID', {
    detail: `JetStream is off on the NATS server ${server.name}; switch it on in its configuration (\`jetstream\`, as \`troupe engine config\` writes it), or start one with \`troupe engine up\``,
  });
}

const lastingCodes: ReadonlySet<ErrorCode> = new Set(['UNAUTHORIZED', 'PAYLOAD_TOO_LARGE']);
const noBytes = new Uint8Array();
const encoder = new TextEncoder();

function withoutAnswer(
  reply: Exclude<NatsReply, { status: 'answered' }>,
  what: string,
): Extract<ApiAnswer, { status: 'unavailable' | 'unknown' }> {
  if (reply.status === 'nobody') {
    return {
      status: 'unavailable',
      cause: noLeader(what, 'no server answers for it'),
    };
  }
  if (reply.status === 'unavailable') return reply;
  return { status: 'unknown', cause: failed(`${what}: ${reply.cause.detail}`, reply.cause) };
}

function verdictOf({ errorCode, description }: Refusal, stream: string): PublishAnswer {
  const verdict = publishVerdicts[errorCode];
  const detail = `${stream} refused the message: ${description} (${errorCode})`;
  if (verdict === 'conflict') return { status: 'conflict', lastSeq: numberAtEnd(description) };
  if (verdict === 'passing') {
    const cause = noLeader(stream, description);
    return { status: 'unavailable', cause, isPassing: true, isSure: false };
  }
  if (verdict !== undefined)
    return refused(verdict, `${detail}${verdict === 'DISK_FULL' ? roomRemedy : ''}`);
  if (errorCode === storeFailedCode && limitTexts.test(description)) {
    return refused('DISK_FULL', `${detail}${roomRemedy}`);
  }
  return unknown(detail);
}

function refused(code: ErrorCode, detail: string): PublishAnswer {
  const cause = new TroupeError(code, { detail, outcome: 'not-executed' });
  return { status: 'unavailable', cause, isPassing: false, isSure: true };
}

/**
 * An acknowledgement is believed when it names the stream and a sequence beyond the expected one.
 * One that says "duplicate" is not: we send no message ids, and such answers can be false.
 */
function acknowledgedBy(
  { stream: storedBy, seq, duplicate }: JsonObject,
  stream: string,
  expectedSeq = 0,
): PublishAnswer {
  const isPlace = typeof seq === 'number' && Number.isSafeInteger(seq) && seq > expectedSeq;
  if (isPlace && storedBy === stream && duplicate !== true) return { status: 'accepted', seq };
  const told = JSON.stringify({ stream: storedBy, seq, duplicate });
  return unknown(`${stream} acknowledged what cannot be, behind ${expectedSeq}: ${told}`);
}

function unknown(detail: string): PublishAnswer {
  return { status: 'unknown', cause: failed(detail) };
}

function failed(detail: string, cause?: unknown): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', { detail, outcome: 'unknown', cause });
}

function noLeader(what: string, why: string): TroupeError {
  return new TroupeError('NO_QUORUM', {
    detail: `${what} cannot be served at the moment: ${why}`,
    outcome: 'not-executed',
  });
}

function jsonOf({ payload, status }: NatsMessage): JsonObject | undefined {
  if (status !== 0) return undefined;
  try {
    const { buffer, byteOffset, byteLength } = payload;
    const value: unknown = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString());
    return isObject(value) ? value : undefined;
  } catch {
    // Not JSON: whatever answered, it was not JetStream.
    return undefined;
  }
}

function refusalIn({ error }: JsonObject): Refusal | undefined {
  if (!isObject(error)) return undefined;
  const { err_code: code, description } = error;
  return {
    errorCode: typeof code === 'number' ? code : 0,
    description: typeof description === 'string' ? description : 'no reason given',
  };
}

/** Tells a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberAtEnd(text: string): number | undefined {
  const digits = /(\d{1,15})$/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
