/**
 * Requests to the API of JetStream in the model: what a subject asks for, and what its body holds.
 */
import { natsError, type SimNatsError } from './sim-nats-config.ts';
import type { SimNatsServer } from './sim-nats-net.ts';
import type { SimNatsPacket } from './sim-nats-packet.ts';
import { wordsOf } from './sim-nats-subjects.ts';

/** A request to the API, read from its subject. */
export interface SimNatsApiCall {
  readonly packet: SimNatsPacket;
  /** Such as `STREAM.CREATE`; empty when there is no such request. */
  readonly verb: string;
  /** The type that its answer names. */
  readonly type: string;
  /** The stream that it is about, if any. */
  readonly stream: string;
  /** What follows the stream: the name of a consumer, or the subject of a direct get. */
  readonly rest: string | undefined;
  /** Whether the leader of the stream answers; else the leader of the whole cluster. */
  readonly isForStreamLeader: boolean;
}

/** A request at the server that answers it. */
export interface SimNatsApiRequest {
  readonly call: SimNatsApiCall;
  readonly server: SimNatsServer;
  /** What it says. */
  readonly body: Readonly<Record<string, unknown>>;
}

interface Verb {
  readonly type: string;
  readonly isForStreamLeader?: boolean;
}

const verbs: Readonly<Record<string, Verb>> = {
  INFO: { type: 'account_info_response' },
  'DIRECT.GET': { type: '' },
  'STREAM.CREATE': { type: 'stream_create_response' },
  'STREAM.UPDATE': { type: 'stream_update_response' },
  'STREAM.DELETE': { type: 'stream_delete_response' },
  'STREAM.NAMES': { type: 'stream_names_response' },
  'STREAM.LIST': { type: 'stream_list_response' },
  'STREAM.INFO': { type: 'stream_info_response', isForStreamLeader: true },
  'STREAM.PURGE': { type: 'stream_purge_response', isForStreamLeader: true },
  'STREAM.MSG.GET': { type: 'stream_msg_get_response', isForStreamLeader: true },
  'STREAM.MSG.DELETE': { type: 'stream_msg_delete_response', isForStreamLeader: true },
  'STREAM.LEADER.STEPDOWN': { type: 'stream_leader_stepdown_response', isForStreamLeader: true },
  'CONSUMER.CREATE': { type: 'consumer_create_response' },
  'CONSUMER.DURABLE.CREATE': { type: 'consumer_create_response' },
  'CONSUMER.INFO': { type: 'consumer_info_response' },
  'CONSUMER.NAMES': { type: 'consumer_names_response' },
  'CONSUMER.DELETE': { type: 'consumer_delete_response' },
};

/** Reads what a message to the API asks for. */
export function readApiSubject(packet: SimNatsPacket): SimNatsApiCall {
  const words = wordsOf(packet.subject).slice(2);
  for (let count = Math.min(3, words.length); count > 0; count--) {
    const verb = words.slice(0, count).join('.');
    const known = verbs[verb];
    if (known === undefined) continue;
    const [stream = '', ...rest] = words.slice(count);
    return {
      packet,
      verb,
      type: `io.nats.jetstream.api.v1.${known.type}`,
      stream,
      rest: rest.length === 0 ? undefined : rest.join('.'),
      isForStreamLeader: known.isForStreamLeader === true,
    };
  }
  return { packet, verb: '', type: '', stream: '', rest: undefined, isForStreamLeader: false };
}

/** There is no such stream. */
export const streamNotFound: SimNatsError = natsError(404, 10059, 'stream not found');

/** A refusal, with what an answer to this request always holds. */
export function failure(verb: string, error: SimNatsError): object {
  if (verb === 'STREAM.INFO') return { error, total: 0, offset: 0, limit: 0 };
  return verb === 'STREAM.PURGE' ? { error, purged: 0 } : { error };
}

/** A number that a request may hold. */
export function numberIn(body: Readonly<Record<string, unknown>>, name: string): number {
  const value = body[name];
  return typeof value === 'number' ? value : 0;
}

/** A text that a request may hold. */
export function textIn(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = body[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
