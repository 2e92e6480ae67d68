/**
 * The configuration that Troupe recommends for NATS servers: every acknowledgement is on the disk,
 * a partition shows within seconds, and nothing listens beyond this machine without encryption and
 * without asking who comes.
 */
import { TroupeError } from '../../core/errors.ts';
import { type ConfigFields, configText } from './config-text.ts';
import { type AccessPlan, accessFields } from './server-access.ts';
import { isAtLeast } from './server-version.ts';

/** One server. */
export interface ServerConfig {
  readonly name: string;
  /** The version that will read it: an old server refuses what it does not know. */
  readonly version: string;
  /** Where clients come in; this machine alone by default. */
  readonly host?: string | undefined;
  /** What others reach it by, where that is not what it listens on. */
  readonly advertisedHost?: string | undefined;
  readonly port: number;
  /** Where its health can be asked for; always on this machine alone. */
  readonly monitorPort?: number | undefined;
  readonly storeDirectory: string;
  /** What its streams may take of the disk; by default three quarters of what is free. */
  readonly storeBytesMax?: number | undefined;
  /** Whether an acknowledgement waits for the disk: by default it does, from 2.10 on. */
  readonly isFlushed?: boolean | undefined;
  readonly cluster?: ServerCluster | undefined;
  /** Who may come in; by default everybody on this machine. */
  readonly access?: AccessPlan | undefined;
  readonly tls?: ServerTls | undefined;
  /** What else it says. */
  readonly more?: ConfigFields | undefined;
}

/** The servers that belong together. */
export interface ServerCluster {
  readonly name: string;
  readonly host?: string | undefined;
  readonly port: number;
  /** The addresses of all of them, such as `127.0.0.1:6222`. */
  readonly routes: readonly string[];
  /** What they know each other by. */
  readonly secret?: { readonly user: string; readonly password: string } | undefined;
}

/** The certificate of a server, as files on its machine, and who vouches for the others. */
export interface ServerTls {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  /** Whether clients must show a certificate too. */
  readonly hasClientCertificates?: boolean | undefined;
}

const thisMachine = '127.0.0.1';

/**
 * The text of a server's configuration file.
 *
 * @throws `CONFIG_INVALID` when it would listen beyond this machine unencrypted or to anybody.
 */
export function serverConfigText(config: ServerConfig): string {
  checkExposure(config);
  return configText(serverFields(config));
}

function checkExposure({ name, host, cluster, access, tls }: ServerConfig): void {
  const isOpen = !isLoopback(host) || !isLoopback(cluster?.host);
  if (!isOpen) return;
  const missing = [
    tls === undefined ? 'a certificate' : '',
    access === undefined || access.isOpen === true ? 'users' : '',
    cluster !== undefined && cluster.secret === undefined ? 'a secret between the servers' : '',
  ].filter(text => text !== '');
  if (missing.length === 0) return;
  throw new TroupeError('CONFIG_INVALID', {
    detail: `the server ${name} would listen beyond this machine without ${missing.join(', ')}`,
  });
}

function isLoopback(host = thisMachine): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function serverFields(config: ServerConfig): ConfigFields {
  const { name, host = thisMachine, port, monitorPort, access, tls, more } = config;
  return {
    server_name: name,
    host,
    port,
    client_advertise: advertised(config, port),
    ...(monitorPort === undefined ? {} : { http: `${thisMachine}:${monitorPort}` }),
    '# pings': 'With the defaults a partition shows after minutes; with these after 3 s.',
    ping_interval: '1s',
    ping_max: 2,
    max_payload: 1_048_576,
    jetstream: storeFields(config),
    ...(tls === undefined ? {} : { tls: tlsFields(tls, tls.hasClientCertificates === true) }),
    ...clusterFields(config),
    ...(access === undefined ? {} : accessFields(access)),
    ...more,
  };
}

function storeFields(config: ServerConfig): ConfigFields {
  const { storeDirectory, storeBytesMax, isFlushed = true, version } = config;
  return {
    store_dir: storeDirectory,
    max_file_store: storeBytesMax,
    ...(isFlushed && isAtLeast(version, '2.10.0') ? flushed : {}),
  };
}

const flushed: ConfigFields = {
  '# sync': 'What was acknowledged is on the disk; by default it may be lost for two minutes.',
  sync_interval: 'always',
};

function advertised({ advertisedHost }: ServerConfig, port: number): string | undefined {
  return advertisedHost === undefined ? undefined : `${advertisedHost}:${port}`;
}

function clusterFields(config: ServerConfig): ConfigFields {
  const { cluster, tls } = config;
  if (cluster === undefined) return {};
  const { name, host = thisMachine, port, routes, secret } = cluster;
  const user =
    secret === undefined
      ? ''
      : `${encodeURIComponent(secret.user)}:${encodeURIComponent(secret.password)}@`;
  const fields = {
    name,
    listen: `${host}:${port}`,
    cluster_advertise: advertised(config, port),
    ...(secret === undefined ? {} : { authorization: secret }),
    // Servers always show each other their certificates.
    ...(tls === undefined ? {} : { tls: tlsFields(tls, true) }),
    routes: routes.map(route => `nats-route://${user}${route}`),
  };
  return { cluster: fields };
}

function tlsFields({ certFile, keyFile, caFile }: ServerTls, isVerifying: boolean): ConfigFields {
  return {
    cert_file: certFile,
    key_file: keyFile,
    ca_file: caFile,
    ...(isVerifying ? { verify: true } : {}),
    timeout: 5,
  };
}
