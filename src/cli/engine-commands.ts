/** `troupe engine`: real NATS servers on this machine, for development. */
import type { Command } from 'commander';
import { toWire } from '../gateway/wire.ts';
import {
  engineStatus,
  type LocalEngine,
  type LocalEngineServer,
  startEngine,
  stopEngine,
} from '../node/local-engine.ts';
import { addEngineConfigCommand } from './engine-config-command.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { dataDirectoryOf } from './locate-node.ts';
import { sessionOf, typedCount } from './session.ts';
import { fieldsText, tableText } from './table.ts';
import type { Terminal } from './terminal.ts';

interface UpOptions {
  readonly servers?: 1 | 3;
  readonly port?: number;
}

/** Adds the commands. */
export function addEngineCommands(program: Command, terminal: Terminal): void {
  const engine = program
    .command('engine')
    .description('NATS servers on this machine, in the folder `nats` of the data directory');
  engine
    .command('up')
    .description('start them; they go on when this command ends')
    .option('--servers <count>', '1, or 3 as a cluster (default: as before, or 1)', serverCount)
    .option('--port <port>', 'the first of their ports (default: as before, or 4222)', typedCount)
    .action(async (options: UpOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      const directory = dataDirectoryOf(session.options, terminal.env);
      const { servers: count, port } = options;
      const onFetch = () => terminal.writeError('fetching a NATS server from Debian\n');
      const started = await startEngine({ directory, env: terminal.env, count, port, onFetch });
      session.show(toWire(started), engineText);
    });
  engine
    .command('status')
    .description('how they are')
    .action(async (_options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      const directory = dataDirectoryOf(session.options, terminal.env);
      const found = await engineStatus(directory);
      const shown = found ?? { directory, address: '', servers: [] };
      session.show(toWire(shown), engineText);
      if (!isWell(shown)) terminal.exitCode = exitCodes.failed;
    });
  engine
    .command('down')
    .description('end them; their data stay')
    .action(async (_options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      const stopped = await stopEngine(dataDirectoryOf(session.options, terminal.env));
      session.show({ stopped }, () => `ended ${serversText(stopped)}; the data stay\n`);
    });
  addEngineConfigCommand(engine, terminal);
}

function serverCount(text: string): 1 | 3 {
  if (text === '1') return 1;
  if (text === '3') return 3;
  throw usageError(`--servers ${text}: write 1 or 3`);
}

function isWell({ servers }: LocalEngine): boolean {
  const isGood = (server: LocalEngineServer) =>
    server.isRunning && server.version !== undefined && server.complaint === undefined;
  return servers.length > 0 && servers.every(isGood);
}

function engineText(engine: LocalEngine): string {
  const { directory, address, servers } = engine;
  if (servers.length === 0) {
    return `no NATS servers were started in ${directory}; \`troupe engine up\` does it\n`;
  }
  const leader = servers.find(server => server.leader !== undefined && server.leader !== '');
  const table = tableText({
    columns: ['SERVER', 'STATE', 'VERSION', 'PORT', 'PID', 'MEMORY', 'STREAMS', 'STORED'],
    rows: servers.map(server => [
      server.name,
      stateOf(server),
      server.version ?? '',
      String(server.port),
      String(server.pid ?? ''),
      megabytes(server.memoryBytes),
      String(server.streamCount ?? ''),
      megabytes(server.storedBytes),
    ]),
  });
  const fields = fieldsText([
    ...(leader === undefined ? [] : [['leader', leader.leader ?? ''] as const]),
    ['data', directory],
    ['cluster', address],
  ]);
  return `${table}\n${fields}`;
}

function stateOf({ isRunning, version, complaint }: LocalEngineServer): string {
  if (!isRunning) return 'down';
  return version === undefined ? 'silent' : (complaint ?? 'ready');
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '' : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function serversText(count: number): string {
  return count === 1 ? '1 NATS server' : `${count} NATS servers`;
}
