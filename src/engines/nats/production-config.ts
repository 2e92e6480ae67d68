/**
 * The files for servers in production: the configuration of each server, and the key of each node
 * and operator. Servers listen on all addresses of their machines, so everything is encrypted,
 * servers know each other by certificate and secret, and everybody else by a key of their own.
 */
import { TroupeError } from '../../core/errors.ts';
import type { UserKeyPair } from './connection.ts';
import { type AccountUser, inboxPrefixOf } from './server-access.ts';
import { serverConfigText } from './server-config.ts';
import { oldestClusterVersion } from './server-version.ts';

/** What is to be set up. */
export interface ProductionPlan {
  /** The name of the cluster of Troupe. */
  readonly cluster: string;
  readonly servers: readonly ServerPlace[];
  readonly users: readonly PlannedUser[];
  /** What the servers know each other by. */
  readonly routeSecret: string;
  /** Where the certificate, its key and the authority's certificate lie on each server. */
  readonly certificateDirectory: string;
  /** Where each server keeps its data. */
  readonly storeDirectory: string;
  readonly storeBytesMax?: number | undefined;
}

/** A server and the host name that its certificate is for. */
export interface ServerPlace {
  readonly name: string;
  readonly host: string;
}

/** A node, or an operator, and its key. */
export interface PlannedUser extends Pick<AccountUser, 'name' | 'role'> {
  readonly key: UserKeyPair;
}

/** A file to be written; all of them hold secrets. */
export interface PlannedFile {
  readonly name: string;
  readonly text: string;
}

/** How a node connects: the fields of its `cluster` option. */
export interface ClientSetting {
  readonly servers: readonly string[];
  readonly inboxPrefix: string;
}

const [clientPort, routePort, monitorPort] = [4222, 6222, 8222];

/**
 * The files.
 *
 * @throws `CONFIG_INVALID` for names that are no plain words, no servers or two of them, and no
 * users.
 */
export function productionFiles(plan: ProductionPlan): readonly PlannedFile[] {
  const { servers, users } = plan;
  if (servers.length === 0 || servers.length === 2) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `${servers.length} servers: name one, or three or five, of which most must be up`,
    });
  }
  const bad = servers.find(({ name, host }) => !/^[\w-]+$/.test(name) || !/^[\w.:-]+$/.test(host));
  if (bad !== undefined || new Set(servers.map(({ name }) => name)).size < servers.length) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: `each server is a name of its own and a host: ${JSON.stringify(bad ?? servers)}`,
    });
  }
  return [
    ...servers.map(server => ({ name: `${server.name}.conf`, text: configOf(plan, server) })),
    ...users.map(({ name, key }) => ({ name: `${name}.nk`, text: `${key.seed}\n` })),
  ];
}

/** How a user of a plan connects. */
export function clientSetting({ cluster, servers }: ProductionPlan, name: string): ClientSetting {
  return {
    servers: servers.map(({ host }) => `tls://${host}:${clientPort}`),
    inboxPrefix: inboxPrefixOf(cluster, name),
  };
}

function configOf(plan: ProductionPlan, { name, host }: ServerPlace): string {
  const { cluster, servers, users, certificateDirectory } = plan;
  const inDirectory = (file: string) => `${certificateDirectory}/${file}`;
  return serverConfigText({
    name,
    version: oldestClusterVersion,
    host: '0.0.0.0',
    advertisedHost: host,
    port: clientPort,
    monitorPort,
    storeDirectory: plan.storeDirectory,
    storeBytesMax: plan.storeBytesMax,
    cluster:
      servers.length === 1
        ? undefined
        : {
            name: cluster,
            host: '0.0.0.0',
            port: routePort,
            routes: servers.map(server => `${server.host}:${routePort}`),
            secret: { user: 'route', password: plan.routeSecret },
          },
    tls: {
      certFile: inDirectory('cert.pem'),
      keyFile: inDirectory('key.pem'),
      caFile: inDirectory('ca.pem'),
    },
    access: {
      cluster,
      users: users.map(({ name, role, key }) => ({ name, role, key: { nkey: key.publicKey } })),
    },
  });
}
