/**
 * The admin API as a command sees it. Answers stay JSON, as they came; whoever needs values decodes
 * them. Nothing bounds the wait here: the node ends every request, by the deadline that it carries.
 */
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type ErrorValue, TroupeError, textOf } from '../core/errors.ts';
import { fromWire, type Json } from '../gateway/wire.ts';
import { unreachable } from './exit-codes.ts';
import type { NodeLocation } from './locate-node.ts';

/** Parameters of a request; what is `undefined` is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** A request to the admin API. */
export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** The parts of the path; each may hold any character. */
  readonly path: readonly string[];
  readonly query?: Query | undefined;
  /** Fields of the body, as JSON; what is `undefined` is left out. */
  readonly body?: { readonly [field: string]: Json | undefined } | undefined;
}

/** Asks one node. */
export class AdminClient {
  readonly #location: NodeLocation;

  constructor(location: NodeLocation) {
    this.#location = location;
  }

  /**
   * The answer to a request.
   *
   * @throws What the node answered; `NODE_UNREACHABLE` when it did not.
   */
  async ask(asked: AdminRequest): Promise<Json> {
    const response = await this.#send(asked);
    const body = this.#parsed(await this.#read(response));
    this.#throwError(body);
    return body;
  }

  /** The values of an answer in lines, as they come. */
  async *lines(asked: AdminRequest): AsyncGenerator<Json> {
    const response = await this.#send(asked);
    let rest = '';
    response.setEncoding('utf8');
    try {
      for await (const chunk of response) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield this.#value(line);
      }
    } catch (error) {
      if (TroupeError.is(error)) throw error;
      throw this.#lost(error);
    }
    if (rest !== '') yield this.#value(rest);
  }

  #value(line: string): Json {
    const value = this.#parsed(line);
    this.#throwError(value);
    return value;
  }

  async #send({ method, path, query = {}, body }: AdminRequest): Promise<IncomingMessage> {
    const url = new URL(`/v1/${path.map(encodeURIComponent).join('/')}`, this.#location.url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      authorization: `Bearer ${this.#location.token}`,
      ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: false }, resolve);
      outgoing.on('error', error => reject(this.#failure(error)));
      outgoing.end(bytes);
    });
  }

  async #read(response: IncomingMessage): Promise<string> {
    try {
      return await text(response);
    } catch (error) {
      throw this.#lost(error);
    }
  }

  #parsed(body: string): Json {
    try {
      return JSON.parse(body) as Json;
    } catch (cause) {
      throw unreachable(`what answers at ${this.#location.url.origin} is no troupe node`, {
        cause,
      });
    }
  }

  /** An answer that is a failure becomes one here. */
  #throwError(body: Json): void {
    const value = fromWire(body);
    if (typeof value !== 'object' || value === null || !('error' in value)) return;
    // Only failures are answered with an error alone: values of agents lie in fields beside others.
    if (Object.keys(value).length === 1) throw TroupeError.from(value.error as ErrorValue);
  }

  #failure(error: Error): TroupeError {
    const isRefused = 'code' in error && error.code === 'ECONNREFUSED';
    if (!isRefused) return this.#lost(error);
    const detail = `no node answers at ${this.#location.url.origin}; it has ended, or is another one`;
    return unreachable(detail, { cause: error });
  }

  #lost(cause: unknown): TroupeError {
    const detail = `the connection to ${this.#location.url.origin} was lost: ${textOf(cause)}`;
    return unreachable(detail, { outcome: 'unknown', cause });
  }
}
