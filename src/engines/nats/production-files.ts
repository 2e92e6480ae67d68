/**
 * Writes the files for NATS servers in production. Keys that a directory holds already are kept, so
 * that the same command with one node more adds just that.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { wrapError } from '../../core/errors.ts';
import { userKey } from './connection.ts';
import {
  type ClientSetting,
  clientSetting,
  type PlannedUser,
  type ProductionPlan,
  productionFiles,
  type ServerPlace,
} from './production-config.ts';

/** What is to be set up. */
export interface ProductionFilesOptions {
  /** Where the files go. */
  readonly directory: string;
  readonly cluster: string;
  readonly servers: readonly ServerPlace[];
  readonly nodes: readonly string[];
  readonly operators: readonly string[];
  /** Where the certificate, its key and the authority's certificate lie on each server. */
  readonly certificateDirectory: string;
  /** Where each server keeps its data. */
  readonly storeDirectory: string;
  /** Makes what the servers know each other by, when there is none yet. */
  readonly newSecret: () => string;
}

/** What was written. */
export interface ProductionFiles {
  readonly directory: string;
  readonly files: readonly string[];
  /** How each user connects. */
  readonly users: readonly (ClientSetting & { readonly name: string; readonly role: string })[];
}

/**
 * Writes the files, readable for this user alone.
 *
 * @throws `CONFIG_INVALID`.
 */
export async function writeProductionFiles(
  options: ProductionFilesOptions,
): Promise<ProductionFiles> {
  const directory = resolve(options.directory);
  const plan = await planOf(directory, options);
  const files = productionFiles(plan);
  const secret = { name: secretFile, text: `${plan.routeSecret}\n` };
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const { name, text } of [...files, secret]) {
      await writeFile(join(directory, name), text, { mode: 0o600 });
    }
  } catch (error) {
    throw wrapError('CONFIG_INVALID', error, `${directory} cannot be written`);
  }
  return {
    directory,
    files: files.map(({ name }) => name),
    users: plan.users.map(({ name, role }) => ({ name, role, ...clientSetting(plan, name) })),
  };
}

const secretFile = 'route.secret';

async function planOf(directory: string, options: ProductionFilesOptions): Promise<ProductionPlan> {
  const { cluster, servers, nodes, operators, certificateDirectory, storeDirectory } = options;
  const users: PlannedUser[] = [];
  for (const name of nodes) users.push(await userOf(directory, name, 'node'));
  for (const name of operators) users.push(await userOf(directory, name, 'operator'));
  const kept = await textIn(directory, secretFile);
  const routeSecret = kept ?? options.newSecret();
  return { cluster, servers, users, routeSecret, certificateDirectory, storeDirectory };
}

async function userOf(directory: string, name: string, role: 'node' | 'operator') {
  return { name, role, key: await userKey(await textIn(directory, `${name}.nk`)) };
}

async function textIn(directory: string, name: string): Promise<string | undefined> {
  try {
    return (await readFile(join(directory, name), 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw wrapError('CONFIG_INVALID', error, `${join(directory, name)} cannot be read`);
  }
}
