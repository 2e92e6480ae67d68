/**
 * A message as the client package hands it over, read only as far as somebody asks. Headers are
 * read here: the package checks and folds each of their names, which for the answers to a read of
 * 20 messages takes a quarter of an activation.
 */
import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import type { NatsHeaders, NatsMessage } from './client.ts';

const noHeaders: NatsHeaders = Object.freeze({});
const firstLine = 'NATS/1.0';
const lineEnd = '\r\n';

/** The message; its payload is a view of what was read from the socket. */
export class ArrivedMessage implements NatsMessage {
  readonly payload: Uint8Array;
  readonly #message: Msg;
  #head: string | undefined;

  constructor(message: Msg) {
    this.#message = message;
    this.payload = message.data;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get headers(): NatsHeaders {
    this.#head ??= headOf(this.#message);
    return this.#head === '' ? noHeaders : fieldsIn(this.#head);
  }

  get status(): number {
    this.#head ??= headOf(this.#message);
    const code = Number.parseInt(this.#head.slice(firstLine.length, firstLine.length + 4), 10);
    return Number.isNaN(code) ? 0 : code;
  }

  get reply(): string | undefined {
    return this.#message.reply || undefined;
  }
}

/**
 * The headers as they were sent, which lie before the payload; empty when there are none. Where
 * they do not, they are as the package reads them.
 */
function headOf(message: SizedMessage): string {
  const { data, reply, subject } = message;
  const addresses = Buffer.byteLength(subject) + (reply?.length ?? 0);
  const length = (message.size?.() ?? Number.NaN) - data.length - addresses;
  if (length === 0) return '';
  if (length > 0 && length <= data.byteOffset) {
    const head = Buffer.from(data.buffer, data.byteOffset - length, length).toString();
    if (head.startsWith(firstLine) && head.endsWith(lineEnd + lineEnd)) return head;
  }
  return message.headers === undefined ? '' : textOf(message.headers);
}

/** Messages of the package know the bytes of their addresses, headers and payload together. */
type SizedMessage = Msg & { readonly size?: () => number };

/** Of several values of one name the first counts. */
function fieldsIn(head: string): NatsHeaders {
  const fields: Record<string, string> = {};
  let at = head.indexOf(lineEnd) + lineEnd.length;
  let end = head.indexOf(lineEnd, at);
  while (end > at) {
    const colon = head.indexOf(':', at);
    const name = head.slice(at, colon);
    const isField = colon >= at && colon < end && !Object.hasOwn(fields, name);
    if (isField) fields[name] = head.slice(colon + 1, end).trim();
    at = end + lineEnd.length;
    end = head.indexOf(lineEnd, at);
  }
  return fields;
}

function textOf(headers: MsgHdrs): string {
  const { code, description } = headers;
  const lines = headers.keys().map(name => `${name}: ${headers.get(name)}`);
  const first = code === 0 ? firstLine : `${firstLine} ${code} ${description}`;
  return [first, ...lines, '', ''].join(lineEnd);
}
