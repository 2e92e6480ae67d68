/**
 * `troupe dev FILE`: runs the agents that a module exports as `agents`, with the admin API open.
 * The node lives in a process of its own, which Node starts again when a file that it imported
 * changes; the data stay, so agents go on where they were.
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import type { AgentDefinition } from '../client/troupe.ts';
import { TroupeError, wrapError } from '../core/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { dataDirectoryOf, type GlobalOptions } from './locate-node.ts';
import { sessionOf, typedCount } from './session.ts';
import type { Terminal } from './terminal.ts';

interface DevOptions extends GlobalOptions {
  readonly port?: number;
  readonly cluster?: string;
  readonly watch: boolean;
}

/** Adds the command. */
export function addDevCommand(program: Command, terminal: Terminal): void {
  program
    .command('dev')
    .description('run the agents of a module, and start anew when it changes')
    .argument('<file>', 'a module that exports `agents`: a list for createTroupe')
    .option('--port <port>', 'the port of the admin API (default: a free one)', typedCount)
    .option('--cluster <address>', 'the NATS servers that keep the data, instead of this machine')
    .option('--no-watch', 'do not look for changes')
    .action(async (file: string, options: DevOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      const data = dataDirectoryOf(session.options, terminal.env);
      if (options.watch) await runWatched(terminal, file, { ...options, data });
      else await run(terminal, file, { ...options, data });
    });
}

/** Runs this very command in a process that Node watches, until it is told to end. */
async function runWatched(terminal: Terminal, file: string, options: DevOptions): Promise<void> {
  const { data = '', port, cluster } = options;
  const [, entry = ''] = process.argv;
  const typed = ['dev', file, '--no-watch', '--data', data];
  if (port !== undefined) typed.push('--port', String(port));
  if (cluster !== undefined) typed.push('--cluster', cluster);
  const watching = ['--watch', '--watch-preserve-output', entry, ...typed];
  const child = spawn(process.execPath, watching, { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; whoever stops this process by other means stops both as well.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code, signal] = await new Promise<[number | null, string | null]>((end, fail) => {
    child.once('error', error => fail(wrapError('CONFIG_INVALID', error, 'starting the node')));
    child.once('exit', (...how) => end(how));
  });
  const isStopped = signal === 'SIGINT' || signal === 'SIGTERM' || code === 0;
  terminal.exitCode = isStopped ? exitCodes.ok : (code ?? exitCodes.failed);
}

async function run(terminal: Terminal, file: string, options: DevOptions): Promise<void> {
  const { data, port = 0, cluster } = options;
  const isTold = toldToEnd();
  const agents = await agentsOf(file);
  // The runtime is loaded for this command alone; all others are quick without it.
  const { createTroupe } = await import('../gateway/create-troupe.ts');
  const troupe = createTroupe({ agents, data, cluster, admin: { port } });
  await troupe.start();
  const types = agents.map(agent => ('contract' in agent ? agent.contract.type : agent.type));
  const place = cluster === undefined ? data : 'the cluster';
  terminal.writeError(`running ${types.join(', ')} on ${place}; Ctrl-C ends it\n`);
  await isTold;
  await troupe.stop();
}

/** Resolves when somebody wants this process to end; listening begins at once. */
function toldToEnd(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

async function agentsOf(file: string): Promise<readonly AgentDefinition[]> {
  const module = await imported(file);
  const { agents } = module;
  // createTroupe looks at each of them, and says which one is no agent.
  if (Array.isArray(agents)) return agents as readonly AgentDefinition[];
  const names = Object.keys(module).join(', ') || 'nothing';
  throw new TroupeError('CONFIG_INVALID', {
    detail: `${file} exports ${names}; write \`export const agents = [ … ]\`, the list for createTroupe`,
  });
}

async function imported(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  } catch (error) {
    throw wrapError('CONFIG_INVALID', error, `${file} cannot be loaded`);
  }
}
