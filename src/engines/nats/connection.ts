/**
 * Makes a connection to NATS servers with the client package, which is loaded only here and only
 * when somebody connects: credentials, encryption, how servers are dialled and given up.
 */
import { readFile } from 'node:fs/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { TroupeError, wrapError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { connectError } from './connection-errors.ts';
import {
  type CheckedOptions,
  checkedOptions,
  type NatsConnectionOptions,
  type NatsCredentials,
} from './connection-options.ts';
import { shuffled } from './dial-order.ts';
import { LiveConnection, type OpenConnection } from './live-connection.ts';

/** What a connection needs beside its options. */
export interface ConnectionParts {
  readonly clock: Clock;
  /** Hears what a server refused although nobody waits for it, such as a publish. */
  readonly onRefused?: ((cause: TroupeError) => void) | undefined;
}

export type { OpenConnection };

/** The two halves of the key of a user: the seed is secret, the servers know the other. */
export interface UserKeyPair {
  readonly seed: string;
  readonly publicKey: string;
}

/**
 * The key of a user: of the seed that is given, or a new one.
 *
 * @throws `CONFIG_INVALID` for a seed that is none.
 */
export async function userKey(seed?: string): Promise<UserKeyPair> {
  const { nkeys } = await import('@nats-io/transport-node');
  try {
    const pair =
      seed === undefined ? nkeys.createUser() : nkeys.fromSeed(new TextEncoder().encode(seed));
    return { seed: new TextDecoder().decode(pair.getSeed()), publicKey: pair.getPublicKey() };
  } catch (error) {
    throw wrapError('CONFIG_INVALID', error, 'NATS: the seed of a user cannot be read');
  }
}

type Package = typeof import('@nats-io/transport-node');

/** A server is given up when a third ping would follow two without an answer: after 3 s. */
const pingIntervalMs = 1_000;
const reconnectMs = 200;

/**
 * Connects to the first server that lets us in.
 *
 * @throws `ENGINE_UNAVAILABLE` when none answers, `UNAUTHORIZED` when it knows us not or lets us
 * not listen for answers, `CONFIG_INVALID` for options that cannot be meant and for certificates.
 */
export async function connectNats(
  options: NatsConnectionOptions,
  parts: ConnectionParts,
): Promise<OpenConnection> {
  const checked = checkedOptions(options);
  const nats = await import('@nats-io/transport-node');
  const wire = await dial(nats, checked);
  const connection = new LiveConnection({ nats, wire, options: checked, ...parts });
  try {
    await connection.listenForAnswers();
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
}

/**
 * Tries each server once, in any order. The package, given all of them, would never end: servers
 * name the others before they refuse us, and so put back what it has just struck off.
 */
async function dial(nats: Package, options: CheckedOptions): Promise<NatsConnection> {
  const wire = await wireOptions(nats, options);
  const failures: TroupeError[] = [];
  for (const server of shuffled(options.servers)) {
    try {
      return await nats.connect({ ...wire, servers: [server] });
    } catch (error) {
      failures.push(TroupeError.is(error) ? error : connectError(error, options));
    }
  }
  // That one of them is down says less than that another refuses us.
  const telling = failures.find(({ code }) => code !== 'ENGINE_UNAVAILABLE') ?? failures.at(-1);
  throw telling ?? connectError('no server was named', options);
}

async function wireOptions(nats: Package, options: CheckedOptions) {
  const authenticator = await authenticatorOf(nats, options.credentials);
  return {
    name: options.clientName,
    inboxPrefix: options.inboxPrefix,
    timeout: options.connectTimeoutMs,
    pingInterval: pingIntervalMs,
    maxPingOut: 2,
    reconnectTimeWait: reconnectMs,
    reconnectJitterTLS: reconnectMs,
    maxReconnectAttempts: -1,
    // An operator may mend what the servers hold against us; a connection ends only when closed.
    ignoreAuthErrorAbort: true,
    // The other servers are taken over by the connection itself, once it stands.
    ignoreClusterUpdates: true,
    noRandomize: true,
    noAsyncTraces: true,
    ...(options.tls === undefined ? {} : { tls: definedOf(options.tls) }),
    ...(authenticator === undefined ? {} : { authenticator }),
  };
}

async function authenticatorOf(nats: Package, credentials: NatsCredentials | undefined) {
  if (credentials === undefined) return undefined;
  if ('user' in credentials) {
    return nats.usernamePasswordAuthenticator(credentials.user, credentials.password);
  }
  if ('token' in credentials) return nats.tokenAuthenticator(credentials.token);
  const text = 'file' in credentials ? await secretIn(credentials.file) : credentials.nkeySeed;
  const bytes = new TextEncoder().encode(text);
  return text.includes('BEGIN') ? nats.credsAuthenticator(bytes) : nats.nkeyAuthenticator(bytes);
}

async function secretIn(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw wrapError('CONFIG_INVALID', error, `NATS: the credentials in ${path} cannot be read`);
  }
}

/** The options that are given: the package takes a name without a value for a value. */
function definedOf(options: object): Record<string, string> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
