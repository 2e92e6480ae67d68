/** A client of NATS with words for what tests of JetStream do. */
import type { NatsClient, NatsHeaders, NatsReply } from '../../src/engines/nats/client.ts';

/** What came back: the JSON of an answer, or the status of a request without one. */
export type NatsAnswer = { readonly status: NatsReply['status'] } & Readonly<
  Record<string, unknown>
>;

/** A client with words. */
export interface NatsCaller {
  readonly client: NatsClient;
  /** Asks the API of JetStream. */
  api(what: string, body?: object): Promise<NatsAnswer>;
  /** Publishes to a stream; `expected` is the sequence of the subject's last message. */
  put(subject: string, text: string, options?: PutOptions): Promise<NatsAnswer>;
  /** The text of the last message of a subject as the stream's leader has it. */
  last(stream: string, subject: string): Promise<string | undefined>;
  /** The same as some replica has it. */
  lastAnywhere(stream: string, subject: string): Promise<string | undefined>;
}

/** How a message is published. */
export interface PutOptions {
  readonly expected?: number | undefined;
  readonly id?: string | undefined;
  readonly headers?: NatsHeaders | undefined;
  readonly timeoutMs?: number | undefined;
}

const timeoutMs = 2_000;

/** Gives a client words. */
export function natsCaller(client: NatsClient): NatsCaller {
  const api = async (what: string, body?: object) => {
    const bytes = bytesOf(body === undefined ? '' : JSON.stringify(body));
    return answerOf(await client.request(`$JS.API.${what}`, bytes, { timeoutMs }));
  };
  return {
    client,
    api,
    async put(subject, text, options = {}) {
      const headers = headersOf(options);
      const limit = options.timeoutMs ?? timeoutMs;
      const reply = await client.request(subject, bytesOf(text), { timeoutMs: limit, headers });
      return answerOf(reply);
    },
    async last(stream, subject) {
      const answer = await api(`STREAM.MSG.GET.${stream}`, { last_by_subj: subject });
      const { message } = answer as { message?: { data?: string } };
      return message === undefined
        ? undefined
        : Buffer.from(message.data ?? '', 'base64').toString();
    },
    async lastAnywhere(stream, subject) {
      const body = bytesOf(JSON.stringify({ last_by_subj: subject }));
      const reply = await client.request(`$JS.API.DIRECT.GET.${stream}`, body, { timeoutMs });
      if (reply.status !== 'answered' || reply.message.status !== 0) return undefined;
      return new TextDecoder().decode(reply.message.payload);
    },
  };
}

function headersOf({ expected, id, headers }: PutOptions): NatsHeaders {
  return {
    ...headers,
    ...(expected === undefined ? {} : { 'Nats-Expected-Last-Subject-Sequence': `${expected}` }),
    ...(id === undefined ? {} : { 'Nats-Msg-Id': id }),
  };
}

function answerOf(reply: NatsReply): NatsAnswer {
  if (reply.status !== 'answered') return { status: reply.status };
  return { status: reply.status, ...JSON.parse(new TextDecoder().decode(reply.message.payload)) };
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
