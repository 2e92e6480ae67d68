/**
 * What the client package complains about, in our words. Whatever it throws from a call was never
 * handed to a server.
 */
import { TroupeError, textOf } from '../../core/errors.ts';
import type { CheckedOptions } from './connection-options.ts';

/** Why no connection came about. */
export function connectError(thrown: unknown, { servers, tls }: CheckedOptions): TroupeError {
  const where = servers.join(', ');
  // A server that does not accept our certificate says so only when we listen no longer.
  const isDoubtful = tls !== undefined && isNamed(thrown, 'TimeoutError');
  const doubt = isDoubtful ? ', or it does not accept our certificate' : '';
  const text = `${textOf(thrown)}${causeText(thrown)}${doubt}`;
  if (isNamed(thrown, 'AuthorizationError', 'UserAuthenticationExpiredError')) {
    const detail = `NATS at ${where} refuses the credentials (${text}): correct \`credentials\``;
    return new TroupeError('UNAUTHORIZED', { detail, cause: thrown });
  }
  if (isAboutTls(thrown, text)) {
    const detail = `no encrypted connection to NATS at ${where} (${text}): correct \`tls\``;
    return new TroupeError('CONFIG_INVALID', { detail, cause: thrown });
  }
  const detail =
    `no NATS server answers at ${where} (${text}): ` +
    'correct `servers`, or start one with `troupe engine up`';
  return new TroupeError('ENGINE_UNAVAILABLE', { detail, cause: thrown });
}

/** Why a message was not sent: the package refused it before it left. */
export function sendError(thrown: unknown, subject: string): TroupeError {
  if (TroupeError.is(thrown)) return thrown;
  const text = textOf(thrown);
  if (text.includes('max_payload')) {
    const detail = `a message on ${subject} is larger than the servers allow (${text})`;
    return new TroupeError('PAYLOAD_TOO_LARGE', { detail, cause: thrown });
  }
  if (isNamed(thrown, 'ClosedConnectionError', 'DrainingConnectionError')) {
    return closedError(thrown);
  }
  const detail = `a message on ${JSON.stringify(subject)} cannot be sent: ${text}`;
  return new TroupeError('INVALID_INPUT', { detail, cause: thrown });
}

/** A server let us in but not do this. */
export function permissionError(operation: string, subject: string, cause: unknown): TroupeError {
  const detail =
    `the NATS user may not ${operation} ${subject}: ` +
    'give it the permissions of a node, as in docs/guides/nats.md';
  return new TroupeError('UNAUTHORIZED', { detail, cause });
}

/** The connection was closed, by us. */
export function closedError(cause?: unknown): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: 'the NATS connection is closed',
    outcome: 'not-executed',
    cause,
  });
}

/** There is no connection now. */
export function downError({ servers }: CheckedOptions, cause?: unknown): TroupeError {
  const why = cause === undefined ? '' : ` (${textOf(cause)})`;
  const detail = `there is no connection to NATS at ${servers.join(', ')} now${why}`;
  return new TroupeError('ENGINE_UNAVAILABLE', { detail, outcome: 'not-executed', cause });
}

/** The connection broke, or was closed, while requests were in flight. */
export function brokenError(what: string): TroupeError {
  return new TroupeError('ENGINE_UNAVAILABLE', {
    detail: `${what} before the answer came`,
    outcome: 'unknown',
  });
}

/** What a server says when it refuses an operation: which one, and on what. */
export interface RefusedOperation {
  readonly operation: 'publish' | 'subscription';
  readonly subject: string;
}

/** The operation that an error of the package is about, if it is a missing permission. */
export function refusedOperation(error: unknown): RefusedOperation | undefined {
  if (!isNamed(error, 'PermissionViolationError')) return undefined;
  const { operation, subject } = error as RefusedOperation & Error;
  return { operation, subject };
}

/** Whether an error of the package is about who we are. */
export function isAboutCredentials(error: unknown): boolean {
  return isNamed(error, 'AuthorizationError', 'UserAuthenticationExpiredError');
}

function isNamed(thrown: unknown, ...names: readonly string[]): boolean {
  return thrown instanceof Error && names.includes(thrown.name);
}

const tlsCodes = /CERT|TLS|SSL|SIGNATURE|SELF_SIGNED|ALTNAME/;

function isAboutTls(thrown: unknown, text: string): boolean {
  const code = codeOf(thrown) ?? (thrown instanceof Error ? codeOf(thrown.cause) : undefined);
  return tlsCodes.test(code ?? '') || /'tls'|\btls\b|doesn't exist|PEM/i.test(text);
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
}

function causeText(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause === undefined ? '' : `: ${textOf(cause)}`;
}
