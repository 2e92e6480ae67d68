/** `troupe doctor`: whether this machine, this directory, this node or a cluster is fit to work. */
import type { Command } from 'commander';
import type { ClusterOptions } from '../client/cluster-options.ts';
import { toWire } from '../gateway/wire.ts';
import { type Check, failedBy } from './check.ts';
import { checksOf, runtimeCheck } from './checks.ts';
import { clusterChecks } from './cluster-checks.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { sessionOf, typedCount } from './session.ts';
import { fieldsText } from './table.ts';
import type { Terminal } from './terminal.ts';

/** What is said about a cluster beside its address. */
interface ClusterFlags {
  readonly name?: string;
  readonly replicas?: number;
  readonly credentials?: string;
  readonly inboxPrefix?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly unflushed?: true;
}

interface DoctorOptions extends ClusterFlags {
  readonly cluster?: string;
}

const flags = ['name', 'replicas', 'credentials', 'inboxPrefix', 'ca', 'cert', 'key', 'unflushed'];

/** Adds the command. */
export function addDoctorCommand(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('check this machine, the data directory and its node, or a cluster')
    .option('--cluster <address>', 'check a cluster on these NATS servers, and change nothing')
    .option('--name <name>', 'the name of the cluster (default: troupe)')
    .option('--replicas <count>', 'what the program says as `cluster.replicas`', typedCount)
    .option('--credentials <file>', 'the key of the node, or its .creds file')
    .option('--inbox-prefix <words>', 'as `troupe engine config` printed it for the node')
    .option('--ca <file>', 'who vouches for the servers, in PEM')
    .option('--cert <file>', 'the certificate of the node')
    .option('--key <file>', 'the key of that certificate')
    .option('--unflushed', 'the program says `cluster.unflushed: true`')
    .action(async ({ cluster, ...options }: DoctorOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      const alone = flags.find(flag => Object.hasOwn(options, flag));
      if (cluster === undefined && alone !== undefined) {
        throw usageError(`--${alone === 'inboxPrefix' ? 'inbox-prefix' : alone} needs --cluster`);
      }
      const checks = await (cluster === undefined
        ? checksOf(session)
        : checksOfCluster(clusterOf(cluster, options)));
      session.show(toWire(checks), checksText);
      if (checks.some(({ result }) => result === 'failed')) terminal.exitCode = exitCodes.failed;
    });
}

function clusterOf(servers: string, options: ClusterFlags): ClusterOptions {
  const { name, replicas, credentials, inboxPrefix, ca, cert, key, unflushed } = options;
  const isEncrypted = ca !== undefined || cert !== undefined || key !== undefined;
  return {
    ...{ servers, name, replicas, inboxPrefix, unflushed },
    ...(credentials === undefined ? {} : { credentials: { file: credentials } }),
    ...(isEncrypted ? { tls: { caFile: ca, certFile: cert, keyFile: key } } : {}),
  };
}

async function checksOfCluster(cluster: ClusterOptions): Promise<readonly Check[]> {
  // The client of the servers is loaded for this alone; all other commands are quick without it.
  const { inspectCluster } = await import('../node/cluster-inspection.ts');
  try {
    return [runtimeCheck(), ...clusterChecks(await inspectCluster({ cluster }))];
  } catch (error) {
    return [runtimeCheck(), failedBy('servers', error)];
  }
}

function checksText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ result }) => result.length));
  return fieldsText(
    checks.map(({ name, result, detail }) => [`${result.padEnd(width)}  ${name}`, detail]),
  );
}
