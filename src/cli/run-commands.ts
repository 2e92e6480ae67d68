/** `troupe runs` and `troupe dead`: tasks that wait for a person, messages that were given up. */
import { type Command, Option } from 'commander';
import type { RunInfo } from '../agent/run-types.ts';
import type { DeadLetterInfo, Page } from '../client/troupe.ts';
import { type Json, toWire } from '../gateway/wire.ts';
import { moreText } from './agent-commands.ts';
import { usageError } from './exit-codes.ts';
import { sessionOf, typedCount, typedJson } from './session.ts';
import { fieldsText, tableText } from './table.ts';
import type { Terminal } from './terminal.ts';

const statuses = ['running', 'waiting', 'asking', 'done', 'failed', 'cancelled'];

interface PageOptions {
  readonly type?: string;
  readonly status?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

/** Adds the commands about runs and dead letters. */
export function addRunCommands(program: Command, terminal: Terminal): void {
  const runs = program
    .command('runs')
    .description('look at the runs of tasks, and decide for them');
  paged(
    runs
      .command('ls')
      .description('list runs that have not ended, with the others of their agents'),
  )
    .addOption(new Option('--status <status>', 'only runs that stand so').choices(statuses))
    .action(async ({ type, status, limit, cursor }: PageOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      const query = { type, status, limit, cursor };
      session.show(await session.ask({ method: 'GET', path: ['runs'], query }), runsText);
    });
  runs
    .command('get')
    .description('show a run with its steps')
    .argument('<run>', 'the id of the run')
    .action(async (run: string, _options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      session.show(await session.ask({ method: 'GET', path: ['runs', run] }), runText);
    });
  runs
    .command('cancel')
    .description('end a run; harmless when it has ended')
    .argument('<run>', 'the id of the run')
    .option('--reason <reason>', 'why, for those who wait for it')
    .action(async (run: string, { reason }: { reason?: string }, command: Command) => {
      const session = sessionOf(terminal, command);
      const answer = await session.ask({
        method: 'POST',
        path: ['runs', run, 'cancel'],
        body: { reason },
      });
      session.show(answer, ({ status }: RunInfo) => `${run} is ${status}\n`);
    });
  addResolveCommand(runs, terminal);
  addDeadCommands(program, terminal);
}

interface ResolveOptions {
  readonly value?: string;
  readonly retry?: boolean;
  readonly fail?: boolean;
  readonly key?: string;
}

function addResolveCommand(runs: Command, terminal: Terminal): void {
  runs
    .command('resolve')
    .description('answer for a step that was cut off and asks what became of it')
    .argument('<run>', 'the id of the run')
    .argument('<step>', 'the name of the step')
    .option('--value <json>', 'it took effect, and this is what it brought; - reads standard input')
    .option('--retry', 'run it again')
    .option('--fail', 'let it fail with STEP_UNKNOWN')
    .option('--key <key>', 'which one, where a name occurs more than once')
    .action(async (run: string, step: string, options: ResolveOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      const resolution = await resolutionOf(terminal, options);
      const answer = await session.ask({
        method: 'POST',
        path: ['runs', run, 'resolve'],
        body: { step, key: options.key, resolution },
      });
      session.show(answer, () => `the answer for ${step} of ${run} is recorded\n`);
    });
}

async function resolutionOf(terminal: Terminal, options: ResolveOptions): Promise<Json> {
  const { value, retry, fail } = options;
  const chosen = [value !== undefined, retry === true, fail === true].filter(Boolean);
  if (chosen.length !== 1) throw usageError('say one of --value JSON, --retry and --fail');
  if (retry === true) return 'retry';
  if (fail === true) return 'fail';
  return { value: (await typedJson(terminal, '--value', value)) ?? null };
}

function addDeadCommands(program: Command, terminal: Terminal): void {
  const dead = program.command('dead').description('look at messages that were given up');
  paged(dead.command('ls').description('list them')).action(
    async ({ type, limit, cursor }: PageOptions, command: Command) => {
      const session = sessionOf(terminal, command);
      const query = { type, limit, cursor };
      session.show(await session.ask({ method: 'GET', path: ['dead'], query }), deadText);
    },
  );
  dead
    .command('retry')
    .description('send one again, as a new message without its old place in the order')
    .argument('<id>', 'its id, as the list shows it')
    .action(async (id: string, _options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      const answer = await session.ask({ method: 'POST', path: ['dead', id, 'retry'], body: {} });
      session.show(answer, ({ messageId }: { messageId: string }) => `sent as ${messageId}\n`);
    });
  dead
    .command('drop')
    .description('forget one')
    .argument('<id>', 'its id, as the list shows it')
    .action(async (id: string, _options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      const answer = await session.ask({ method: 'DELETE', path: ['dead', id] });
      session.show(answer, () => `${id} is dropped\n`);
    });
}

function paged(command: Command): Command {
  return command
    .option('--type <type>', 'only those of agents of this type')
    .option('--limit <count>', 'about so many (default 100)', typedCount)
    .option('--cursor <cursor>', 'go on where a page ended');
}

function runsText({ items, cursor }: Page<RunInfo>): string {
  const rows = items.map(({ id, action, status, startedAt, steps }) => [
    id,
    action,
    status,
    startedAt.toISOString(),
    steps
      .filter(step => step.status !== 'done')
      .map(({ name }) => name)
      .join(', ') || '-',
  ]);
  return (
    tableText({ columns: ['RUN', 'ACTION', 'STATUS', 'STARTED', 'OPEN STEPS'], rows }) +
    moreText(cursor)
  );
}

function runText(run: RunInfo): string {
  const { id, agent, action, status, startedAt, endedAt, steps, value, error } = run;
  const fields: [string, string][] = [
    ['run', id],
    ['agent', agent],
    ['action', action],
    ['status', status],
    ['started', startedAt.toISOString()],
  ];
  if (endedAt !== undefined) fields.push(['ended', endedAt.toISOString()]);
  if (value !== undefined) fields.push(['value', JSON.stringify(toWire(value))]);
  if (error !== undefined) fields.push(['error', `${error.code}: ${error.detail}`]);
  const rows = steps.map(step => [
    step.kind,
    step.name,
    step.key,
    step.status,
    String(step.attempts),
    step.error?.detail ?? (step.value === undefined ? '' : JSON.stringify(toWire(step.value))),
  ]);
  const columns = ['KIND', 'NAME', 'KEY', 'STATUS', 'ATTEMPTS', 'OUTCOME'];
  return fieldsText(fields) + (rows.length === 0 ? '' : `\n${tableText({ columns, rows })}`);
}

function deadText({ items, cursor }: Page<DeadLetterInfo>): string {
  const rows = items.map(({ id, target, action, error, attempts, at }) => [
    id,
    target,
    action,
    `${error.code}: ${error.detail}`,
    String(attempts),
    at.toISOString(),
  ]);
  return (
    tableText({ columns: ['ID', 'TARGET', 'ACTION', 'ERROR', 'ATTEMPTS', 'AT'], rows }) +
    moreText(cursor)
  );
}
