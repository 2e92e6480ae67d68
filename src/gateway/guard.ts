/**
 * Who may talk to the admin API: programs of this machine that can read the token file. A page in a
 * browser cannot, and neither can it reach the API under a name of its own that it lets point here:
 * `Host` must name the loopback interface and `Origin`, if a browser sends one, this very address.
 * Both are checked for every method, before anything else.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { TroupeError } from '../core/errors.ts';

/** The names of the loopback interface that a `Host` may have. */
const loopbackHost = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;

/** Refuses requests that do not come straight from a program of this machine. */
export const onlyLoopback: MiddlewareHandler = async (context, next) => {
  const host = context.req.header('host') ?? '';
  if (!loopbackHost.test(host)) {
    throw refusal(
      'Host',
      `the Host of the request is ${JSON.stringify(host)}, not a loopback address`,
    );
  }
  const origin = context.req.header('origin');
  if (origin !== undefined && origin !== `http://${host}`) {
    throw refusal('Origin', `the Origin of the request is ${JSON.stringify(origin)}, another site`);
  }
  const site = context.req.header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw refusal('Origin', `the request comes from another site (Sec-Fetch-Site: ${site})`);
  }
  await next();
};

/** Refuses requests without the token, as `Authorization: Bearer …`. */
export function onlyWithToken(token: string): MiddlewareHandler {
  const expected = digestOf(token);
  return async (context, next) => {
    const given = /^Bearer ([\w-]+)$/i.exec(context.req.header('authorization') ?? '')?.[1] ?? '';
    // Digests are of equal length, so that the comparison tells nothing, not even how long it is.
    if (!timingSafeEqual(digestOf(given), expected)) {
      throw refusal('token', 'the token of the request is missing or not the one of this node');
    }
    await next();
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** What made the guard refuse a request is found in the error's data. */
function refusal(what: 'Host' | 'Origin' | 'token', detail: string): TroupeError {
  return new TroupeError('UNAUTHORIZED', { detail, data: { refused: what } });
}
