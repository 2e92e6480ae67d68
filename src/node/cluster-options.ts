/** The `cluster` of `createTroupe`, completed and checked before anything is loaded or dialled. */
import { checkedOptions } from '../agent/contract-check.ts';
import type { ClusterOptions } from '../client/cluster-options.ts';
import { TroupeError } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';

/** The options of a cluster, with defaults. */
export interface CheckedCluster extends ClusterOptions {
  readonly name: string;
  readonly unflushed: boolean;
}

const place = 'createTroupe: cluster';
const known = ['servers', 'name', 'replicas', 'credentials', 'tls', 'unflushed', 'inboxPrefix'];
const knownTls = ['caFile', 'ca', 'certFile', 'cert', 'keyFile', 'key'];
const knownCredentials = ['user', 'password', 'token', 'nkeySeed', 'file'];
const clusterPattern = /^[\w-]{1,32}$/;
const nodePattern = /^[\w-]{1,64}$/;
const replicaCounts: readonly unknown[] = [1, 3, 5];

/** The cluster of a program that names none. */
export const clusterNameDefault = 'troupe';

/**
 * Completes and checks what a program gave.
 *
 * @throws `CONFIG_INVALID`.
 */
export function checkedCluster(given: unknown): CheckedCluster {
  const options = typeof given === 'string' ? { servers: given } : given;
  const fields = checkedOptions(place, options, known);
  const { servers, name = clusterNameDefault, replicas, tls, unflushed = false } = fields;
  if (!isAddresses(servers)) {
    throw wrong('servers', servers, 'an address such as "nats://127.0.0.1:4222", or several');
  }
  if (typeof name !== 'string' || !clusterPattern.test(name)) {
    throw wrong('name', name, 'up to 32 letters, digits, "-" and "_"');
  }
  if (replicas !== undefined && !replicaCounts.includes(replicas)) {
    throw wrong('replicas', replicas, '1, 3 or 5');
  }
  if (typeof unflushed !== 'boolean') throw wrong('unflushed', unflushed, 'true or false');
  checkTexts(fields);
  if (tls !== undefined && typeof tls !== 'boolean') checkFields('tls', tls, knownTls);
  // Each field was looked at; what the engine knows better, it checks when it connects.
  return { ...(fields as unknown as ClusterOptions), name, unflushed };
}

/**
 * Checks the name of a node.
 *
 * @throws `CONFIG_INVALID`.
 */
export function checkNodeName(name: unknown): void {
  if (name === undefined || (typeof name === 'string' && nodePattern.test(name))) return;
  throw new TroupeError('CONFIG_INVALID', {
    detail: `createTroupe: name is ${previewOf(name)}; it must be up to 64 letters, digits, "-" and "_"`,
  });
}

function isAddresses(servers: unknown): boolean {
  const addresses = Array.isArray(servers) ? servers : [servers];
  return (
    addresses.length > 0 &&
    addresses.every(address => typeof address === 'string' && address.trim() !== '')
  );
}

function checkTexts({ credentials, inboxPrefix }: Readonly<Record<string, unknown>>): void {
  if (inboxPrefix !== undefined && typeof inboxPrefix !== 'string') {
    throw wrong('inboxPrefix', inboxPrefix, 'words joined by dots');
  }
  if (credentials !== undefined) checkFields('credentials', credentials, knownCredentials);
}

/** Values are not shown: they may be secret. */
function checkFields(name: string, value: unknown, names: readonly string[]): void {
  for (const [field, text] of Object.entries(checkedOptions(`${place}.${name}`, value, names))) {
    if (text === undefined || (typeof text === 'string' && text !== '')) continue;
    throw new TroupeError('CONFIG_INVALID', {
      detail: `${place}.${name}.${field} must be a text that is not empty`,
    });
  }
}

function wrong(field: string, value: unknown, must: string): TroupeError {
  return new TroupeError('CONFIG_INVALID', {
    detail: `${place}.${field} is ${previewOf(value)}; it must be ${must}`,
  });
}
