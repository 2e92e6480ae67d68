/**
 * The configuration that Troupe recommends for NATS servers: every acknowledgement is on the disk,
 * a partition shows within seconds, and nothing listens beyond this machine unless asked.
 */
import { type ConfigFields, configText } from './config-text.ts';
import { isAtLeast } from './server-version.ts';

/** One server. */
export interface ServerConfig {
  readonly name: string;
  /** The version that will read it: an old server refuses what it does not know. */
  readonly version: string;
  /** Where clients come in; this machine alone by default. */
  readonly host?: string | undefined;
  readonly port: number;
  /** Where its health can be asked for; always on this machine alone. */
  readonly monitorPort?: number | undefined;
  readonly storeDirectory: string;
  /** Whether an acknowledgement waits for the disk: by default it does, from 2.10 on. */
  readonly isFlushed?: boolean | undefined;
  readonly cluster?: ServerCluster | undefined;
  /** What else it says. */
  readonly more?: ConfigFields | undefined;
}

/** The servers that belong together. */
export interface ServerCluster {
  readonly name: string;
  readonly host?: string | undefined;
  readonly port: number;
  /** The addresses of all of them, such as `nats://127.0.0.1:6222`. */
  readonly routes: readonly string[];
}

const thisMachine = '127.0.0.1';

/** The text of a server's configuration file. */
export function serverConfigText(config: ServerConfig): string {
  return configText(serverFields(config));
}

function serverFields(config: ServerConfig): ConfigFields {
  const { name, version, host = thisMachine, port, monitorPort, cluster, more } = config;
  return {
    server_name: name,
    host,
    port,
    ...(monitorPort === undefined ? {} : { http: `${thisMachine}:${monitorPort}` }),
    '#1': 'With the defaults a partition shows after minutes; with these after 3 s.',
    ping_interval: '1s',
    ping_max: 2,
    max_payload: 1_048_576,
    jetstream: {
      store_dir: config.storeDirectory,
      ...flushing(version, config.isFlushed ?? true),
    },
    ...(cluster === undefined ? {} : { cluster: clusterFields(cluster) }),
    ...more,
  };
}

function flushing(version: string, isFlushed: boolean): ConfigFields {
  if (!isFlushed || !isAtLeast(version, '2.10.0')) return {};
  return {
    '#1': 'An acknowledged record is on the disk; with the default it may be lost for 2 minutes.',
    sync_interval: 'always',
  };
}

function clusterFields({ name, host = thisMachine, port, routes }: ServerCluster): ConfigFields {
  return { name, listen: `${host}:${port}`, routes };
}
