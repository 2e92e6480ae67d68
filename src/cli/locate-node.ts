/**
 * How a command finds its node: by the files that the node leaves in its data directory, or by an
 * address and a token that are given.
 */
import { resolve } from 'node:path';
import { readAdminAddress, readToken } from '../gateway/admin-files.ts';
import { unreachable, usageError } from './exit-codes.ts';

/** The options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
  readonly url?: string | undefined;
  readonly token?: string | undefined;
}

/** Where a node is, and what opens it. */
export interface NodeLocation {
  readonly url: URL;
  readonly token: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The data directory that a command is about. */
export function dataDirectoryOf(options: GlobalOptions, env: Env): string {
  return resolve(options.data ?? env.TROUPE_DATA ?? './data');
}

/**
 * Where the node is.
 *
 * @throws A usage error for an address that is none; `NODE_UNREACHABLE` when no node says where.
 */
export function locateNode(options: GlobalOptions, env: Env): NodeLocation {
  const directory = dataDirectoryOf(options, env);
  const given = options.token ?? env.TROUPE_TOKEN;
  if (options.url !== undefined) {
    const token = given ?? readToken(directory);
    if (token === undefined) throw usageError('--url needs --token, or TROUPE_TOKEN');
    return { url: urlOf(options.url), token };
  }
  const address = readAdminAddress(directory);
  const token = given ?? readToken(directory);
  if (address === undefined || token === undefined) {
    throw unreachable(`no node with an admin API uses ${directory}`);
  }
  return { url: urlOf(address.url), token };
}

function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'http:') return url;
  throw usageError(`${JSON.stringify(text)} is not an address like http://127.0.0.1:7000`);
}
