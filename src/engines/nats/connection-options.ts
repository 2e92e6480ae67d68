/**
 * How servers are named and entered: the options of a connection, checked before anything is
 * dialled, so that a mistake is told at once and with its remedy.
 */
import { TroupeError } from '../../core/errors.ts';

/** What lets a client in. */
export type NatsCredentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** The seed of an nkey of a user: `SU…`. */
  | { readonly nkeySeed: string }
  /** A file with such a seed, or with the JWT and the seed of a user (a `.creds` file). */
  | { readonly file: string };

/** How the connection is encrypted; texts or files in PEM. */
export interface NatsTls {
  /** Who may vouch for the servers; by default those that Node trusts. */
  readonly caFile?: string | undefined;
  readonly ca?: string | undefined;
  /** Our own certificate and key, where servers ask for them. */
  readonly certFile?: string | undefined;
  readonly cert?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly key?: string | undefined;
}

/** How a connection is made. */
export interface NatsConnectionOptions {
  /**
   * One address, several with commas between them, or a list: `nats://host:4222`, and `tls://`
   * where encryption is required. A user and password may stand before the host.
   */
  readonly servers: string | readonly string[];
  /** The name that the servers' monitoring shows. */
  readonly clientName?: string | undefined;
  readonly credentials?: NatsCredentials | undefined;
  /** Required when given; `true` is enough where Node trusts the servers' certificate. */
  readonly tls?: boolean | NatsTls | undefined;
  /**
   * What the subjects of answers begin with. Let it be the node's own, and let no other user listen
   * there: with the default, whoever may listen below `_INBOX` reads every answer.
   */
  readonly inboxPrefix?: string | undefined;
  /** How long one server may take to let us in. */
  readonly connectTimeoutMs?: number | undefined;
  /** Requests in flight; beyond, they are `unavailable`. */
  readonly requestsMax?: number | undefined;
  /** Bytes that the server has not yet said it read; beyond, nothing more is sent. */
  readonly unreadBytesMax?: number | undefined;
}

/** The options of a connection, complete and checked. */
export interface CheckedOptions {
  /** `host:port`, without scheme and user. */
  readonly servers: readonly string[];
  readonly clientName: string;
  readonly credentials: NatsCredentials | undefined;
  readonly tls: NatsTls | undefined;
  readonly inboxPrefix: string;
  readonly connectTimeoutMs: number;
  readonly requestsMax: number;
  readonly unreadBytesMax: number;
}

/** What is taken where the options say nothing. */
export const connectionDefaults: Omit<CheckedOptions, 'servers' | 'credentials' | 'tls'> = {
  clientName: 'troupe',
  inboxPrefix: '_INBOX',
  connectTimeoutMs: 3_000,
  requestsMax: 20_000,
  unreadBytesMax: 32 * 1024 * 1024,
};

const defaultPort = 4222;
const serversMax = 100;

/**
 * Completes and checks options.
 *
 * @throws `CONFIG_INVALID`.
 */
export function checkedOptions(options: NatsConnectionOptions): CheckedOptions {
  const { servers, tls, inboxPrefix = connectionDefaults.inboxPrefix } = options;
  const texts = typeof servers === 'string' ? servers.split(',') : servers;
  const addresses = texts.map(text => addressOf(text.trim()));
  if (addresses.length === 0 || addresses.length > serversMax) {
    throw invalid(`name 1 to ${serversMax} servers, such as nats://127.0.0.1:4222`);
  }
  if (!/^[\w-]+(\.[\w-]+)*$/.test(inboxPrefix) || inboxPrefix.length > 200) {
    throw invalid(`inboxPrefix ${JSON.stringify(inboxPrefix)} is no words joined by dots`);
  }
  const isEncrypted = addresses.some(address => address.isEncrypted);
  const given = addresses.find(address => address.credentials !== undefined)?.credentials;
  return {
    servers: addresses.map(address => address.server),
    clientName: options.clientName ?? connectionDefaults.clientName,
    credentials: checkedCredentials(options.credentials ?? given),
    tls: tls === true || (tls === undefined && isEncrypted) ? {} : tls || undefined,
    inboxPrefix,
    connectTimeoutMs: positive(options, 'connectTimeoutMs'),
    requestsMax: positive(options, 'requestsMax'),
    unreadBytesMax: positive(options, 'unreadBytesMax'),
  };
}

interface Address {
  readonly server: string;
  readonly isEncrypted: boolean;
  readonly credentials: NatsCredentials | undefined;
}

function addressOf(text: string): Address {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `nats://${text}`);
  const isKnown = url !== null && ['nats:', 'tls:'].includes(url.protocol);
  const isBare = url !== null && /^\/?$/.test(url.pathname) && url.search + url.hash === '';
  if (url === null || !isKnown || !isBare || url.hostname === '') {
    // What stands before the @ is secret.
    const shown = JSON.stringify(text.replace(/\/\/.*@/, '//…@'));
    throw invalid(`${shown} is no address of a server like nats://127.0.0.1:4222`);
  }
  const { hostname, port, username, password, protocol } = url;
  const user = decodeURIComponent(username);
  const credentials =
    username === ''
      ? undefined
      : password === ''
        ? { token: user }
        : { user, password: decodeURIComponent(password) };
  const server = `${hostname}:${port === '' ? defaultPort : port}`;
  return { server, isEncrypted: protocol === 'tls:', credentials };
}

function checkedCredentials(credentials: NatsCredentials | undefined): NatsCredentials | undefined {
  if (credentials === undefined) return undefined;
  const texts = Object.values(credentials);
  if (texts.length === 0 || texts.some(text => typeof text !== 'string' || text === '')) {
    throw invalid('credentials are { user, password }, { token }, { nkeySeed } or { file }');
  }
  if ('nkeySeed' in credentials && !/^SU[A-Z2-7]{56}$/.test(credentials.nkeySeed)) {
    throw invalid('nkeySeed is no seed of a user: 58 letters and digits that begin with SU');
  }
  return credentials;
}

type Count = 'connectTimeoutMs' | 'requestsMax' | 'unreadBytesMax';

function positive(options: NatsConnectionOptions, name: Count): number {
  const value = options[name] ?? connectionDefaults[name];
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(`${name} is ${value}: a whole number above 0 is needed`);
}

function invalid(what: string): TroupeError {
  return new TroupeError('CONFIG_INVALID', { detail: `NATS: ${what}` });
}
