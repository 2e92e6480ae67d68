/**
 * Messages as the leader of their stream has them, with headers and the time at which they were
 * stored. A leader that lost its office without knowing it answers too, for some seconds: what is
 * read here may be old, and only a conditional write settles anything.
 */
import { TroupeError } from '../../core/errors.ts';
import type { NatsClient } from './client.ts';
import {
  askJetStream,
  isObject,
  type JsonObject,
  jetStreamCodes,
  refusedError,
} from './jetstream.ts';
import { type Attempted, type RepeatParts, repeat } from './repeat.ts';

/** A message of a stream. */
export interface LeaderRecord {
  readonly seq: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  /** As they stand in the message, line by line; empty when it has none. */
  readonly headerLines: readonly string[];
  /** When the leader of that time stored it, by that server's wall clock. */
  readonly storedMs: number;
}

/** Which message to get: the last of a subject, or the next one of a subject from a place on. */
export type RecordQuery =
  | { readonly last_by_subj: string }
  | { readonly seq: number; readonly next_by_subj: string };

/** What reading needs. */
export interface RecordParts extends RepeatParts {
  readonly client: NatsClient;
  /** How long one request may take. */
  readonly timeoutMs: number;
  /** How long a read is repeated while the stream has no leader; 0 for a single attempt. */
  readonly repeatMs: number;
}

/**
 * One message, or nothing when there is none.
 *
 * @throws `ENGINE_UNAVAILABLE`, `UNAUTHORIZED`, `LOG_CORRUPT`; always `not-executed`.
 */
export function leaderRecord(
  parts: RecordParts,
  stream: string,
  query: RecordQuery,
): Promise<LeaderRecord | undefined> {
  return repeat(parts, parts.repeatMs, () => ask(parts, stream, query));
}

async function ask(
  { client, timeoutMs }: RecordParts,
  stream: string,
  query: RecordQuery,
): Promise<Attempted<LeaderRecord | undefined>> {
  const operation = `STREAM.MSG.GET.${stream}`;
  const answer = await askJetStream(client, operation, query, timeoutMs);
  if (answer.status === 'answered') return { value: recordIn(answer.value, stream) };
  if (answer.status === 'refused') {
    if (answer.refusal.errorCode === jetStreamCodes.noMessage) return { value: undefined };
    throw refusedError(operation, answer.refusal);
  }
  const { cause } = answer;
  if (cause.code === 'UNAUTHORIZED') throw cause;
  // A read that got no answer did nothing.
  const detail = `${stream} cannot be read at the moment: ${cause.detail}`;
  return {
    passing: new TroupeError('ENGINE_UNAVAILABLE', { detail, outcome: 'not-executed', cause }),
  };
}

function recordIn({ message }: JsonObject, stream: string): LeaderRecord {
  const { seq, subject, time, data = '', hdrs = '' } = isObject(message) ? message : {};
  const storedMs = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  const isRecord =
    typeof seq === 'number' && typeof subject === 'string' && !Number.isNaN(storedMs);
  if (!isRecord || typeof data !== 'string' || typeof hdrs !== 'string') {
    throw new TroupeError('LOG_CORRUPT', {
      detail: `the leader of ${stream} answered a read with something else than a message`,
    });
  }
  const headers = Buffer.from(hdrs, 'base64').toString();
  return {
    seq,
    subject,
    payload: Buffer.from(data, 'base64'),
    headerLines: headers === '' ? [] : headers.split('\r\n'),
    storedMs,
  };
}
