/** `troupe agents state`, `at` and `events`: what an agent is, was, and did. */
import type { Command } from 'commander';
import type { EventMeta } from '../agent/history-types.ts';
import { toWire } from '../gateway/wire.ts';
import { usageError } from './exit-codes.ts';
import { sessionOf, typedCount } from './session.ts';
import { cellLengthMax } from './table.ts';
import type { Terminal } from './terminal.ts';

interface EventAnswer extends EventMeta {
  readonly name: string;
  readonly data: unknown;
}

/** Adds the commands to their group. */
export function addHistoryCommands(agents: Command, terminal: Terminal): void {
  agents
    .command('state')
    .description('show the last accepted state of an agent')
    .argument('<address>', 'type/key')
    .action(async (address: string, _options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      const answer = await session.ask({ method: 'GET', path: ['agents', address, 'state'] });
      session.show(answer, stateText);
    });
  agents
    .command('at')
    .description('show the state of an agent at an earlier moment')
    .argument('<address>', 'type/key')
    .option('--version <version>', 'the version', typedCount)
    .option('--time <time>', 'the last version at this time, like 2026-01-31T12:00:00Z')
    .action(async (address: string, options: MomentOptions, command: Command) => {
      const { version, time } = options;
      if ((version === undefined) === (time === undefined)) {
        throw usageError('say which moment: --version or --time');
      }
      const session = sessionOf(terminal, command);
      const path = ['agents', address, 'state'];
      session.show(await session.ask({ method: 'GET', path, query: { version, time } }), stateText);
    });
  addEventsCommand(agents, terminal);
}

interface MomentOptions {
  readonly version?: number;
  readonly time?: string;
}

function addEventsCommand(agents: Command, terminal: Terminal): void {
  agents
    .command('events')
    .description('show the events of an agent that are kept, oldest first')
    .argument('<address>', 'type/key')
    .option('--from <version>', 'begin with this version', typedCount)
    .option('--follow', 'go on with new events')
    .action(async (address: string, options: EventOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      const { from, follow } = options;
      const path = ['agents', address, 'events'];
      const query = { from, follow };
      for await (const event of session.lines({ method: 'GET', path, query })) {
        session.show(event, eventText);
      }
    });
}

interface EventOptions {
  readonly from?: number;
  readonly follow?: boolean;
}

function stateText({ state }: { readonly state: unknown }): string {
  return `${JSON.stringify(toWire(state), undefined, 2)}\n`;
}

function eventText({ version, at, name, data }: EventAnswer): string {
  const text = JSON.stringify(toWire(data));
  const shown = text.length <= cellLengthMax ? text : `${text.slice(0, cellLengthMax - 1)}…`;
  return `${String(version).padStart(6)}  ${at.toISOString()}  ${name}  ${shown}\n`;
}
