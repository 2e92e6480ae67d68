/**
 * A cluster on real servers that has acknowledged something, for tests that spoil its set-up: they
 * look how that is told, mend it, and look whether all is still there.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Check } from '../../src/cli/check.ts';
import type { ClusterOptions } from '../../src/client/cluster-options.ts';
import type { TroupeError } from '../../src/core/errors.ts';
import type { ServerConfig } from '../../src/engines/nats/server-config.ts';
import { clusterNode } from '../helpers/cluster-node.ts';
import { type NatsServersOptions, natsServers } from '../helpers/nats-servers.ts';
import { command } from '../helpers/pretended-terminal.ts';
import { shelf, shelfAgent } from './shelf.ts';

/** What a test changes about a cluster. */
export interface ShopOptions extends Pick<NatsServersOptions, 'release' | 'count'> {
  readonly configure?: ((config: ServerConfig) => ServerConfig) | undefined;
  /** How its nodes come in. */
  readonly cluster?: Partial<ClusterOptions> | undefined;
}

/** The cluster. */
export type Shop = Awaited<ReturnType<typeof openShop>>;

/** Starts servers, and acknowledges some turns. */
export async function openShop(options: ShopOptions = {}) {
  const { release, count, configure = config => config } = options;
  let change = (config: ServerConfig): ServerConfig => config;
  const servers = await natsServers({
    ...{ release, count },
    hasAccount: true,
    // Read anew at each start of a server.
    configure: config => changing(configure(config), given => change(given)),
  });
  const cluster = { servers: servers.urls, name: 'shop', ...options.cluster };
  const directory = mkdtempSync(join(tmpdir(), 'troupe-shop-'));
  const node = (more: Partial<ClusterOptions> = {}, leaseSpanMs?: number) =>
    clusterNode({ agents: [shelfAgent], cluster: { ...cluster, ...more } }, leaseSpanMs);
  const shop = {
    servers,
    node,
    directory,
    /** Starts all servers anew, configured otherwise, or as at first. */
    async restart(changed: typeof change = config => config, isWhole = true): Promise<void> {
      change = changed;
      await Promise.all(servers.servers.map(server => server.kill('SIGTERM')));
      await Promise.all(servers.servers.map(server => server.start({ isWhole })));
    },
    /** What `troupe doctor` finds. */
    async doctor(...flags: readonly string[]): Promise<DoctorAnswer> {
      const typed = ['doctor', '--cluster', servers.urls.join(','), '--json', ...flags];
      const named = flags.includes('--name') ? [] : ['--name', 'shop'];
      const { exitCode, output } = await command([...typed, ...named]);
      return { exitCode, checks: JSON.parse(output) };
    },
    /** Everything that was acknowledged is there, and more can be. */
    async expectKept(): Promise<void> {
      const good = node();
      await good.start();
      const one = good.agents.get(shelf, 'one');
      expect(await one.execute('look')).toEqual({ count: 3, length: textLength });
      expect(await one.execute('add', 1)).toBe(4);
      await good.stop();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await servers.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  try {
    await acknowledge(shop.node());
  } catch (error) {
    await shop[Symbol.asyncDispose]();
    throw error;
  }
  return shop;
}

/** What `troupe doctor` found. */
export interface DoctorAnswer {
  readonly exitCode: number;
  readonly checks: readonly Check[];
}

/** More than small servers take in one message. */
const textLength = 100_000;

async function acknowledge(node: ReturnType<Shop['node']>): Promise<void> {
  await node.start();
  const one = node.agents.get(shelf, 'one');
  await one.execute('add', 1);
  await one.execute('write', 'x'.repeat(textLength));
  await one.execute('add', 2);
  await node.stop();
}

/** A configuration whose fields are those of the change at the time when they are read. */
function changing(config: ServerConfig, change: (config: ServerConfig) => ServerConfig) {
  return new Proxy(config, {
    get: (_target, name) => Reflect.get(change(config), name),
    ownKeys: () => Reflect.ownKeys(change(config)),
    getOwnPropertyDescriptor: (_target, name) =>
      Reflect.getOwnPropertyDescriptor(change(config), name),
  });
}

/** The error has this code, which `troupe explain` knows, and names place and remedy. */
export async function expectToTell(
  { code, detail }: TroupeError,
  told: { readonly code: string; readonly place: string; readonly remedy: string },
): Promise<void> {
  expect({ code, detail }).toEqual({
    code: told.code,
    detail: expect.stringContaining(told.place),
  });
  expect(detail).toContain(told.remedy);
  expect(await command(['explain', code])).toMatchObject({ exitCode: 0 });
}

/** The doctor ends with 1 and names code, place and remedy under this check. */
export function expectFound(
  { exitCode, checks }: DoctorAnswer,
  name: string,
  ...texts: readonly string[]
): void {
  const failed = checks.filter(({ result }) => result === 'failed');
  expect(failed.map(check => check.name)).toContain(name);
  for (const text of texts)
    expect(failed.find(check => check.name === name)?.detail).toContain(text);
  expect(exitCode).toBe(1);
}
