/** `troupe agents`: which types and agents there are, how one stands, and its deletion. */
import type { Command } from 'commander';
import type { AgentStatus } from '../agent/administration-reads.ts';
import type { AgentInfo, Page } from '../client/troupe.ts';
import { toWire } from '../gateway/wire.ts';
import { addHistoryCommands } from './history-commands.ts';
import { addMessageCommands } from './message-commands.ts';
import { addRepairCommand } from './repair-command.ts';
import { sessionOf, typedCount } from './session.ts';
import { fieldsText, type Table, tableText } from './table.ts';
import type { Terminal } from './terminal.ts';

/** A type of agents, as the admin API tells it. */
interface TypeAnswer {
  readonly type: string;
  readonly isHosted: boolean;
  readonly consistency: string;
  readonly actions: readonly { readonly name: string; readonly kind: string }[];
  readonly events: readonly { readonly name: string }[];
  readonly signals: readonly { readonly name: string }[];
}

/** How an agent stands, with times as times. */
interface StatusAnswer extends Omit<AgentStatus, 'at' | 'timers'> {
  readonly at?: Date;
  readonly timers: readonly {
    readonly id: string;
    readonly action: string;
    readonly dueAt: Date;
  }[];
}

/** Adds the commands about agents. */
export function addAgentCommands(program: Command, terminal: Terminal): void {
  const agents = program.command('agents').description('look at agents, and talk to them');
  addListCommands(agents, terminal);
  agents
    .command('get')
    .description('show how an agent stands')
    .argument('<address>', 'type/key')
    .action(async (address: string, _options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      const answer = await session.ask({ method: 'GET', path: ['agents', address] });
      session.show(answer, statusText);
    });
  addMessageCommands(agents, terminal);
  addHistoryCommands(agents, terminal);
  agents
    .command('rm')
    .description('set an agent back to its beginning; its timers and runs are cancelled')
    .argument('<address>', 'type/key')
    .action(async (address: string, _options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      const answer = await session.ask({ method: 'DELETE', path: ['agents', address] });
      session.show(answer, () => `${address} is deleted\n`);
    });
  addRepairCommand(agents, terminal);
}

function addListCommands(agents: Command, terminal: Terminal): void {
  agents
    .command('types')
    .description('list the types of agents that the node knows')
    .action(async (_options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      session.show(await session.ask({ method: 'GET', path: ['types'] }), typesTable);
    });
  agents
    .command('ls')
    .description('list agents that have a history or are in memory')
    .option('--type <type>', 'only agents of this type')
    .option('--prefix <prefix>', 'only agents whose key begins so; needs --type')
    .option('--limit <count>', 'at most so many (default 100)', typedCount)
    .option('--cursor <cursor>', 'go on where a page ended')
    .action(async (options: ListOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      const { type, prefix, limit, cursor } = options;
      const query = { type, prefix, limit, cursor };
      session.show(await session.ask({ method: 'GET', path: ['agents'], query }), agentsText);
    });
}

interface ListOptions {
  readonly type?: string;
  readonly prefix?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

function typesTable(types: readonly TypeAnswer[]): Table {
  return {
    columns: ['TYPE', 'CONSISTENCY', 'HERE', 'ACTIONS', 'EVENTS', 'SIGNALS'],
    rows: types.map(({ type, consistency, isHosted, actions, events, signals }) => [
      type,
      consistency,
      isHosted ? 'yes' : 'no',
      actions.map(({ name, kind }) => `${name} (${kind})`).join(', '),
      namesOf(events),
      namesOf(signals),
    ]),
  };
}

function agentsText({ items, cursor }: Page<AgentInfo>): string {
  const rows = items.map(({ address, isActive, wakeAt }) => [
    address,
    isActive ? 'yes' : 'no',
    wakeAt?.toISOString() ?? '-',
  ]);
  return tableText({ columns: ['ADDRESS', 'IN MEMORY', 'WAKES AT'], rows }) + moreText(cursor);
}

/** What a page says when it is not the last one. */
export function moreText(cursor: string | undefined): string {
  return cursor === undefined ? '' : `there may be more: --cursor ${JSON.stringify(cursor)}\n`;
}

function statusText(status: StatusAnswer): string {
  const { address, consistency, version, epoch, at, state, timers } = status;
  const { waiting, inbox, outbox, runs, deadLetters } = status;
  return fieldsText([
    ['address', address],
    ['consistency', consistency],
    ['version', String(version)],
    ['epoch', String(epoch)],
    ['last record', at?.toISOString() ?? '-'],
    ['waiting messages', String(waiting)],
    ['inbox', String(inbox)],
    ['outbox', String(outbox)],
    ['runs', String(runs)],
    ['dead letters', String(deadLetters)],
    ...timers.map(({ id, dueAt }) => [`timer ${id}`, dueAt.toISOString()] as const),
    ['state', JSON.stringify(toWire(state))],
  ]);
}

function namesOf(named: readonly { readonly name: string }[]): string {
  return named.map(({ name }) => name).join(', ') || '-';
}
