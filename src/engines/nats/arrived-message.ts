/** A message as the client package hands it over, read only as far as somebody asks. */
import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import type { NatsHeaders, NatsMessage } from './client.ts';

const noHeaders: NatsHeaders = Object.freeze({});

/** The message; its payload is a view of what was read from the socket. */
export class ArrivedMessage implements NatsMessage {
  readonly payload: Uint8Array;
  readonly #message: Msg;

  constructor(message: Msg) {
    this.#message = message;
    this.payload = message.data;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get headers(): NatsHeaders {
    const { headers } = this.#message;
    return headers === undefined ? noHeaders : recordOf(headers);
  }

  get status(): number {
    return this.#message.headers?.code ?? 0;
  }

  get reply(): string | undefined {
    return this.#message.reply || undefined;
  }
}

function recordOf(headers: MsgHdrs): NatsHeaders {
  return Object.fromEntries(headers.keys().map(name => [name, headers.get(name)]));
}
