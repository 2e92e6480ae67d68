/** Answers of the admin API: values as JSON, failures as JSON with a fitting HTTP status. */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ErrorCode } from '../core/error-codes.ts';
import { TroupeError, wrapError } from '../core/errors.ts';
import { toWire } from './wire.ts';

/** Answers with a value. */
export function answer(context: Context, value: unknown): Response {
  return context.json(toWire(value));
}

/** Answers with a failure: `{ "error": { code, outcome, detail, … } }`. */
export function answerError(context: Context, thrown: unknown): Response {
  const error = wrapError('INVARIANT_BROKEN', thrown, `${context.req.method} ${context.req.path}`);
  const body = { ...error.toValue(), ...retryOf(error) };
  return context.json({ error: toWire(body) }, statusOf(error));
}

const statuses: { readonly [code in ErrorCode]?: ContentfulStatusCode } = {
  INVALID_INPUT: 400,
  NOT_SERIALIZABLE: 400,
  LEVEL_UNSUPPORTED: 400,
  CONFIG_INVALID: 400,
  TYPE_NOT_DEFINED: 404,
  ACTION_NOT_DEFINED: 404,
  PAYLOAD_TOO_LARGE: 413,
  REJECTED: 409,
  VERSION_CONFLICT: 409,
  CANCELLED: 409,
  EXPIRED: 410,
  HISTORY_TRIMMED: 410,
  MAILBOX_FULL: 503,
  OVERLOADED: 503,
  QUOTA_EXCEEDED: 503,
  NODE_DRAINING: 503,
  NOT_STARTED: 503,
  ENGINE_UNAVAILABLE: 503,
  DISK_FULL: 507,
  DEADLINE_EXCEEDED: 504,
  NODE_UNREACHABLE: 502,
};

function statusOf(error: TroupeError): ContentfulStatusCode {
  if (error.code !== 'UNAUTHORIZED') return statuses[error.code] ?? 500;
  return isAboutToken(error) ? 401 : 403;
}

function isAboutToken({ data }: TroupeError): boolean {
  return (data as { readonly refused?: unknown } | undefined)?.refused === 'token';
}

function retryOf({ retryAfterMs }: TroupeError): object {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

/** The failure of a request for something that is not there. */
export function noSuchRoute(context: Context): Response {
  const detail = `there is no ${context.req.method} ${context.req.path} in the admin API`;
  const error = new TroupeError('INVALID_INPUT', { detail });
  return context.json({ error: error.toValue() }, 404);
}
