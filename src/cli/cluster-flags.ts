/** How a command is told which cluster it is about. */
import type { Command } from 'commander';
import type { ClusterOptions } from '../client/cluster-options.ts';
import { usageError } from './exit-codes.ts';

/** What is said about a cluster beside its address. */
export interface ClusterFlags {
  readonly cluster?: string;
  readonly name?: string;
  readonly credentials?: string;
  readonly inboxPrefix?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const besides = ['name', 'credentials', 'inboxPrefix', 'ca', 'cert', 'key'] as const;

/** Lets a command take them. */
export function addClusterFlags(command: Command, whatFor: string): Command {
  return command
    .option('--cluster <address>', whatFor)
    .option('--name <name>', 'the name of the cluster (default: troupe)')
    .option('--credentials <file>', "the operator's key, or the .creds file")
    .option('--inbox-prefix <words>', 'as `troupe engine config` printed it')
    .option('--ca <file>', 'who vouches for the servers, in PEM')
    .option('--cert <file>', 'the certificate for them')
    .option('--key <file>', 'the key of that certificate');
}

/**
 * The cluster that was named, if one was.
 *
 * @throws A usage error for particulars of a cluster without its address.
 */
export function clusterIn(flags: ClusterFlags): ClusterOptions | undefined {
  const { cluster: servers, name, credentials, inboxPrefix, ca, cert, key } = flags;
  if (servers === undefined) {
    const alone = besides.find(flag => flags[flag] !== undefined);
    if (alone === undefined) return undefined;
    throw usageError(`--${alone === 'inboxPrefix' ? 'inbox-prefix' : alone} needs --cluster`);
  }
  const isEncrypted = ca !== undefined || cert !== undefined || key !== undefined;
  return {
    ...{ servers, name, inboxPrefix },
    ...(credentials === undefined ? {} : { credentials: { file: credentials } }),
    ...(isEncrypted ? { tls: { caFile: ca, certFile: cert, keyFile: key } } : {}),
  };
}
