/** The admin API of a node in memory, asked without a socket. */
import type { Hono } from 'hono';
import { adminApi } from '../../src/gateway/admin-api.ts';
import { fromWire, type Json } from '../../src/gateway/wire.ts';
import { composeTroupe } from '../../src/node/create-troupe.ts';
import type { NodeFace } from '../../src/node/face.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { deskAgent } from './desk.ts';

/** What a request carries beside method and path. */
export interface Asked {
  /** Headers; one that is `undefined` is left out although the helper would send it. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** Sent as JSON, or, if it is a text, as it is. */
  readonly body?: unknown;
}

/** An answer, decoded. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The value of a JSON answer. */
  readonly value: unknown;
}

/** The API and its node. */
export interface AdminApp extends AsyncDisposable {
  readonly app: Hono;
  readonly face: NodeFace;
  readonly token: string;
  ask(method: string, path: string, asked?: Asked): Promise<Answered>;
  /** Ends the node, and shows what the API says meanwhile. */
  stop(): Promise<void>;
}

const host = '127.0.0.1:7000';

/** Starts a node of desks and its API. `alter` may change what the API sees of the node. */
export async function openAdminApp(
  alter: (face: NodeFace) => NodeFace = face => face,
): Promise<AdminApp> {
  const token = 'a-token-for-tests';
  const faces: NodeFace[] = [];
  const troupe = composeTroupe({ agents: [deskAgent], logger: silentLogger }, async face => {
    faces.push(alter(face));
    return { close: async () => undefined };
  });
  await troupe.start();
  const [face] = faces;
  if (face === undefined) throw new Error('the node opened no face');
  const app = adminApi({ face, token });
  return {
    app,
    face,
    token,
    async ask(method, path, { headers = {}, body } = {}) {
      const given = { host, authorization: `Bearer ${token}`, ...jsonIf(body), ...headers };
      const kept = Object.entries(given).filter(([, value]) => value !== undefined);
      const init = { method, headers: Object.fromEntries(kept) as Record<string, string> };
      const content = typeof body === 'string' ? body : JSON.stringify(body);
      const response = await app.request(path, { ...init, body: content ?? null });
      return answered(response);
    },
    stop: () => troupe.stop({ drain: 0 }),
    [Symbol.asyncDispose]: () => troupe.stop({ drain: 0 }),
  };
}

function jsonIf(body: unknown): Record<string, string> {
  return body === undefined ? {} : { 'content-type': 'application/json' };
}

async function answered(response: Response): Promise<Answered> {
  const { status, headers } = response;
  const text = await response.text();
  const isJson = text !== '' && headers.get('content-type')?.startsWith('application/json');
  return {
    status,
    headers,
    text,
    value: isJson === true ? fromWire(JSON.parse(text) as Json) : undefined,
  };
}
