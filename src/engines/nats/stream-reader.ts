/**
 * Reads messages of streams: by direct gets, which any replica answers at once, maybe with what is
 * old, and by the stream's leader, which is fresher and slower. What is too old for the caller,
 * the caller decides.
 */
import { TroupeError } from '../../core/errors.ts';
import type { NatsClient, NatsHeaders } from './client.ts';
import { type DirectAnswer, DirectGets } from './direct-gets.ts';
import { askJetStream, isObject, jetStreamCodes, refusedError } from './jetstream.ts';
import { type Attempted, type RepeatParts, repeat } from './repeat.ts';
import { isAtLeast } from './server-version.ts';
import { Window } from './window.ts';

/** A message of a stream. */
export interface StoredMessage {
  readonly seq: number;
  readonly subject: string;
  readonly payload: Uint8Array;
}

/** Messages of a subject, in order. */
export interface FoundMessages {
  readonly messages: readonly StoredMessage[];
  /** Whether the subject ended behind the last of them, as far as the answering server knew. */
  readonly isComplete: boolean;
}

/** Which message to get from a leader. */
export type LeaderQuery =
  | { readonly seq: number }
  | { readonly last_by_subj: string }
  | { readonly seq: number; readonly next_by_subj: string };

/** From where on, and how much of, a subject is read. */
export interface FromQuery {
  readonly subject: string;
  readonly from: number;
  readonly countMax: number;
}

/** What some replica has. */
export interface NearAnswer {
  readonly last: StoredMessage | undefined;
}

/** What a reader works with. */
export interface StreamReaderParts extends RepeatParts {
  readonly client: NatsClient;
  /** Whether the streams say that they allow direct gets. */
  readonly isDirect: boolean;
}

/** How long one request may take, and how long a read is repeated. */
export const readLimits: Readonly<Record<'timeoutMs' | 'repeatMs' | 'answerBytesMax', number>> = {
  timeoutMs: 2_000,
  repeatMs: 10_000,
  answerBytesMax: 4 << 20,
};

const noMessageStatus = 404;
const batchVersion = '2.11.0';
/** A server answers for no more subjects at once. */
const subjectsMax = 1_024;
/** So many requests to leaders are under way at once, and so many for one answer to a caller. */
const leaderReadsMax = 512;
const concurrentMax = 64;

/** The reader of one connection. */
export class StreamReader {
  readonly #parts: StreamReaderParts;
  readonly #gets: DirectGets;
  readonly #window = new Window(leaderReadsMax);

  constructor(parts: StreamReaderParts) {
    this.#parts = parts;
    this.#gets = new DirectGets(parts.client, parts.clock);
  }

  /** Messages of a subject that some replica has, if batches are to be had; else the leader's. */
  async from(stream: string, query: FromQuery): Promise<FoundMessages> {
    if (this.#hasBatches) {
      const { subject, from, countMax } = query;
      const batch = { next_by_subj: subject, seq: from, batch: countMax };
      const answer = await this.#gets.get(stream, {
        ...batch,
        max_bytes: readLimits.answerBytesMax,
      });
      const found = answer === undefined ? undefined : inOrder(answer);
      if (found !== undefined) return found;
    }
    return this.fromLeaderOn(stream, query);
  }

  /** The last message of a subject that some replica has; no answer when none tells. */
  async lastNear(stream: string, subject: string): Promise<NearAnswer | undefined> {
    const { client, isDirect } = this.#parts;
    if (!isDirect) return undefined;
    const query = encoder.encode(JSON.stringify({ last_by_subj: subject }));
    const { timeoutMs } = readLimits;
    const reply = await this.#window.run(() =>
      client.request(`$JS.API.DIRECT.GET.${stream}`, query, { timeoutMs }),
    );
    if (reply.status !== 'answered') return undefined;
    const { status, headers, payload } = reply.message;
    if (status === noMessageStatus) return { last: undefined };
    const last = status === 0 ? storedMessage(headers, payload) : undefined;
    return last?.subject === subject ? { last } : undefined;
  }

  /** Messages of a subject as the leader has them, one request each. */
  async fromLeaderOn(stream: string, query: FromQuery): Promise<FoundMessages> {
    const messages: StoredMessage[] = [];
    let { from } = query;
    let bytes = 0;
    while (messages.length < query.countMax && bytes < readLimits.answerBytesMax) {
      const found = await this.fromLeader(stream, { seq: from, next_by_subj: query.subject });
      if (found === undefined) return { messages, isComplete: true };
      messages.push(found);
      bytes += found.payload.length;
      from = found.seq + 1;
    }
    return { messages, isComplete: false };
  }

  /**
   * The last messages of many subjects, in no particular order. The answering replica has to have
   * come as far as `minSeq`; else the leader is asked for each.
   */
  async lastOfEach(
    stream: string,
    subjects: readonly string[],
    minSeq: number,
  ): Promise<StoredMessage[]> {
    const found: StoredMessage[] = [];
    for (let start = 0; start < subjects.length; start += subjectsMax) {
      const some = subjects.slice(start, start + subjectsMax);
      found.push(...(await this.#lastOfSome(stream, some, minSeq)));
    }
    return found;
  }

  /**
   * One message as the stream's leader has it.
   *
   * @throws `NO_QUORUM`, `ENGINE_UNAVAILABLE`, `UNAUTHORIZED`.
   */
  fromLeader(stream: string, query: LeaderQuery): Promise<StoredMessage | undefined> {
    const attempt = () => this.#window.run(() => this.#askLeader(stream, query));
    return repeat(this.#parts, readLimits.repeatMs, attempt);
  }

  /** Gives up what is under way. */
  close(): void {
    this.#gets.close();
  }

  get #hasBatches(): boolean {
    const { client, isDirect } = this.#parts;
    return isDirect && isAtLeast(client.server.version, batchVersion);
  }

  async #lastOfSome(
    stream: string,
    subjects: readonly string[],
    minSeq: number,
  ): Promise<readonly StoredMessage[]> {
    if (this.#hasBatches) {
      const answer = await this.#gets.get(stream, { multi_last: subjects });
      const found = answer === undefined ? undefined : inOrder(answer);
      const upTo = answer === undefined ? 0 : numberIn(answer.end.headers, 'Nats-UpTo-Sequence');
      if (found?.isComplete === true && (upTo ?? 0) >= minSeq) return found.messages;
    }
    const found: StoredMessage[] = [];
    for (let start = 0; start < subjects.length; start += concurrentMax) {
      const asked = subjects
        .slice(start, start + concurrentMax)
        .map(subject => this.fromLeader(stream, { last_by_subj: subject }));
      found.push(...(await Promise.all(asked)).filter(message => message !== undefined));
    }
    return found;
  }

  async #askLeader(
    stream: string,
    query: LeaderQuery,
  ): Promise<Attempted<StoredMessage | undefined>> {
    const operation = `STREAM.MSG.GET.${stream}`;
    const answer = await askJetStream(this.#parts.client, operation, query, readLimits.timeoutMs);
    if (answer.status === 'answered') return { value: leaderMessage(answer.value, stream) };
    if (answer.status !== 'refused') {
      if (answer.cause.code === 'UNAUTHORIZED') throw answer.cause;
      return { passing: answer.cause };
    }
    if (answer.refusal.errorCode === jetStreamCodes.noMessage) return { value: undefined };
    throw refusedError(operation, answer.refusal);
  }
}

const encoder = new TextEncoder();

/** A batch is whole when each message names the one before it; a lost one would go unseen. */
function inOrder({ messages, end }: DirectAnswer): FoundMessages | undefined {
  const found: StoredMessage[] = [];
  let before = 0;
  for (const message of messages) {
    const { headers, payload } = message;
    const stored = storedMessage(headers, payload);
    if (stored === undefined || numberIn(headers, 'Nats-Last-Sequence') !== before)
      return undefined;
    found.push(stored);
    before = stored.seq;
  }
  if (end.status === noMessageStatus) return { messages: [], isComplete: true };
  const { headers, status } = end;
  if (status !== 204 || numberIn(headers, 'Nats-Last-Sequence') !== before) return undefined;
  return { messages: found, isComplete: numberIn(headers, 'Nats-Num-Pending') === 0 };
}

function storedMessage(headers: NatsHeaders, payload: Uint8Array): StoredMessage | undefined {
  const seq = numberIn(headers, 'Nats-Sequence');
  const subject = headers['Nats-Subject'];
  return seq === undefined || subject === undefined ? undefined : { seq, subject, payload };
}

function numberIn(headers: NatsHeaders, name: string): number | undefined {
  const text = headers[name];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function leaderMessage({ message }: Readonly<Record<string, unknown>>, stream: string) {
  if (isObject(message)) {
    const { seq, subject, data = '' } = message;
    if (typeof seq === 'number' && typeof subject === 'string' && typeof data === 'string') {
      return { seq, subject, payload: Buffer.from(data, 'base64') };
    }
  }
  throw new TroupeError('ENGINE_FAILED', {
    detail: `the leader of ${stream} answered a read with something else`,
    outcome: 'not-executed',
  });
}
