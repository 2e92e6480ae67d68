/**
 * Direct gets of the model: answered by whichever replica is asked, from what it has applied so
 * far. Batches, and the last message of several subjects, are known since 2.11; an older server
 * reads of such a request what it knows.
 */
import { noBytes, readJson, type SimNatsPacket } from './sim-nats-packet.ts';
import { headerBytes, type KeptMessage, type SimNatsStore } from './sim-nats-store.ts';
import { type SimNatsStream, type StreamReplica, storeOf, timeText } from './sim-nats-stream.ts';
import { isAtLeast } from './sim-nats-version.ts';

/** One message of an answer. */
export type SimNatsDirectMessage = Omit<SimNatsPacket, 'subject'>;

const batchMax = 1_024;

interface Request {
  readonly seq: number;
  readonly last_by_subj?: string | undefined;
  readonly next_by_subj?: string | undefined;
  readonly batch: number;
  readonly max_bytes: number;
  readonly multi_last: readonly string[];
  readonly up_to_seq: number;
}

/**
 * The messages that a replica answers a direct get with; `subject` stands for the request whose
 * last one is asked for.
 */
export function directGet(
  stream: SimNatsStream,
  replica: StreamReplica,
  asked: { readonly payload: Uint8Array; readonly subject: string | undefined },
): SimNatsDirectMessage[] {
  const store = storeOf(stream, replica);
  if (asked.subject !== undefined) {
    return asked.payload.length > 0 ? status(408) : one(stream, store.last(asked.subject));
  }
  const body = readJson(asked.payload);
  if (body === undefined) return status(408);
  const request = readRequest(body, isAtLeast(stream.home.version, '2.11.0'));
  if (!isSensible(request)) return status(408);
  if (request.multi_last.length > 0) return lastOfEach(stream, store, request);
  return request.batch > 0 ? batch(stream, store, request) : one(stream, found(store, request));
}

function isSensible({ seq, last_by_subj, next_by_subj, batch, multi_last }: Request): boolean {
  if (multi_last.length > 0) return true;
  const isOfSeq = seq > 0 || next_by_subj !== undefined;
  if (last_by_subj !== undefined) return !isOfSeq && batch === 0;
  return isOfSeq;
}

function readRequest(body: Readonly<Record<string, unknown>>, isNew: boolean): Request {
  const number = (name: string) => (typeof body[name] === 'number' ? body[name] : 0);
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : undefined);
  const list = Array.isArray(body.multi_last) ? body.multi_last.map(String) : [];
  return {
    seq: number('seq'),
    last_by_subj: text('last_by_subj'),
    next_by_subj: text('next_by_subj'),
    batch: isNew ? number('batch') : 0,
    max_bytes: isNew ? number('max_bytes') : 0,
    multi_last: isNew ? list : [],
    up_to_seq: isNew ? number('up_to_seq') : 0,
  };
}

function found(store: SimNatsStore, request: Request): KeptMessage | undefined {
  const { seq, last_by_subj, next_by_subj } = request;
  if (last_by_subj !== undefined) return store.last(last_by_subj);
  return next_by_subj === undefined ? store.get(seq) : store.next(next_by_subj, Math.max(1, seq));
}

function one(stream: SimNatsStream, message: KeptMessage | undefined): SimNatsDirectMessage[] {
  if (message === undefined) return status(404);
  return [{ payload: message.payload, headers: headersOf(stream, message) }];
}

function batch(stream: SimNatsStream, store: SimNatsStore, request: Request) {
  const pattern = request.next_by_subj ?? '>';
  const start = Math.max(1, request.seq);
  const pending = store.countFrom(pattern, start);
  const messages: KeptMessage[] = [];
  let bytes = 0;
  let next = store.next(pattern, start);
  while (next !== undefined && messages.length < Math.min(batchMax, request.batch)) {
    messages.push(next);
    bytes += next.payload.length + headerBytes(next.headers);
    if (request.max_bytes > 0 && bytes >= request.max_bytes) break;
    next = store.next(pattern, next.seq + 1);
  }
  return messages.length === 0 ? status(404) : several(stream, messages, { pending });
}

function lastOfEach(stream: SimNatsStream, store: SimNatsStore, request: Request) {
  const upTo = request.up_to_seq > 0 ? request.up_to_seq : store.lastSeq;
  const all = store.lastOfEach(request.multi_last, upTo);
  const rest = all.filter(({ seq }) => seq >= request.seq);
  if (rest.length === 0) return status(404);
  if (rest.length > batchMax && request.batch === 0) return status(413);
  const count = request.batch > 0 ? Math.min(request.batch, batchMax) : rest.length;
  return several(stream, rest.slice(0, count), { pending: rest.length, upTo });
}

/** Messages with how many are left behind each, and the mark of their end. */
function several(
  stream: SimNatsStream,
  messages: readonly KeptMessage[],
  { pending, upTo }: { readonly pending: number; readonly upTo?: number },
): SimNatsDirectMessage[] {
  const answer: SimNatsDirectMessage[] = [];
  let last = 0;
  for (const message of messages) {
    const left = marks(pending - answer.length - 1, last);
    const headers = { ...headersOf(stream, message), ...left };
    answer.push({ payload: message.payload, headers });
    last = message.seq;
  }
  const limit = upTo === undefined ? {} : { 'Nats-UpTo-Sequence': `${upTo}` };
  const headers = { ...marks(pending - messages.length, last), ...limit };
  return [...answer, { payload: noBytes, status: 204, headers }];
}

function marks(pending: number, last: number) {
  return { 'Nats-Num-Pending': `${pending}`, 'Nats-Last-Sequence': `${last}` };
}

function headersOf(stream: SimNatsStream, { headers, seq, subject, timeMs }: KeptMessage) {
  return {
    ...headers,
    'Nats-Stream': stream.config.name,
    'Nats-Subject': subject,
    'Nats-Sequence': `${seq}`,
    'Nats-Time-Stamp': timeText(timeMs),
  };
}

function status(code: number): SimNatsDirectMessage[] {
  return [{ payload: noBytes, headers: {}, status: code }];
}
