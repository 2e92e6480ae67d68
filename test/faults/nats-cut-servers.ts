/**
 * Three real NATS servers, each on a host of its own of a network that can be cut. They listen on
 * their host's address, which nobody outside the network reaches.
 */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ServerConfig, serverConfigText } from '../../src/engines/nats/server-config.ts';
import { type ServerProcess, startServer } from '../../src/engines/nats/server-process.ts';
import { lifeline } from '../helpers/lifeline.ts';
import { natsRelease } from '../helpers/nats-release.ts';
import type { CutNetwork } from './nats-cut-network.ts';
import { countLeads, type StreamsReport } from './nats-series-leaders.ts';

/** The servers. */
export interface CutServers extends AsyncDisposable {
  readonly version: string;
  readonly urls: readonly string[];
  /** How many streams each leads, by its host. */
  leads(): Promise<Readonly<Record<string, number>>>;
  /** Which of them the node is connected to. */
  ofNode(): Promise<string | undefined>;
}

/** The hosts of the servers. */
export const serverHosts = ['s1', 's2', 's3'] as const;

const [clientPort, monitorPort, routePort] = [4222, 8222, 6222];

/** Starts them; resolves when they have elected a leader. */
export async function openCutServers(network: CutNetwork, directory: string): Promise<CutServers> {
  const { path, version } = await natsRelease('newest');
  const running: ServerProcess[] = [];
  const close = async () => {
    for (const { pid, isRunning } of running) if (isRunning) process.kill(pid, 'SIGKILL');
    await Promise.all(running.map(({ ended }) => ended));
  };
  try {
    for (const host of serverHosts) {
      const home = join(directory, host);
      const [configPath, logPath] = [join(home, 'conf'), join(home, 'log')];
      await mkdir(home, { recursive: true });
      await writeFile(configPath, serverConfigText(configOf(network, version, { host, home })));
      const program = [...network.enter(host), ...lifeline(), path];
      running.push(await startServer({ program, configPath, logPath, isDetached: false }));
    }
    for (const host of serverHosts) await onHost(network, host, untilWell);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    version,
    urls: serverHosts.map(host => `nats://${network.addressOf(host)}:${clientPort}`),
    leads: async () => countLeads(await reportOf(network, 's1', 'jsz?accounts=true&streams=true')),
    async ofNode() {
      for (const host of serverHosts) {
        const { connections = [] } = await reportOf(network, host, 'connz');
        if (connections.some(({ name = '' }) => name.startsWith('troupe '))) return host;
      }
      return undefined;
    },
    [Symbol.asyncDispose]: close,
  };
}

interface Report extends StreamsReport {
  readonly connections?: readonly { readonly name?: string }[];
}

/** What a host's monitoring answers; it listens on that host alone. */
async function reportOf(network: CutNetwork, host: string, what: string): Promise<Report> {
  const url = `http://127.0.0.1:${monitorPort}/${what}`;
  const script = `process.stdout.write(await (await fetch('${url}')).text())`;
  // The monitoring's own form.
  return JSON.parse(await onHost(network, host, script)) as Report;
}

const untilWell = `
  const isWell = () => fetch('http://127.0.0.1:${monitorPort}/healthz').then(r => r.ok, () => false);
  for (let look = 0; !(await isWell()); look += 1) {
    if (look === 600) throw new Error('the server does not get ready');
    await new Promise(resolve => setTimeout(resolve, 100));
  }`;

/** Runs a script on a host; gives what it wrote. */
async function onHost(network: CutNetwork, host: string, script: string): Promise<string> {
  const [file = '', ...before] = network.enter(host);
  const parameters = [...before, process.execPath, '--input-type=module', '-e', script];
  const child = spawn(file, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if ((await ended) !== 0) throw new Error(`on ${host}: ${errors}`);
  return output;
}

function configOf(
  network: CutNetwork,
  version: string,
  { host, home }: { readonly host: string; readonly home: string },
): ServerConfig {
  const routes = serverHosts.map(each => `${network.addressOf(each)}:${routePort}`);
  const address = network.addressOf(host);
  return {
    name: host,
    version,
    port: clientPort,
    monitorPort,
    storeDirectory: join(home, 'store'),
    access: { users: [], isOpen: true },
    // What is recommended refuses to listen unencrypted anywhere but on one machine; the network
    // is within this one.
    more: {
      host: address,
      cluster: {
        name: 'cut',
        listen: `${address}:${routePort}`,
        routes: routes.map(route => `nats-route://${route}`),
      },
    },
  };
}
