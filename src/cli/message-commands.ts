/** `troupe agents call`, `send` and `signal`: messages to one agent, with inputs as JSON. */
import { type Command, Option } from 'commander';
import { type Json, toWire } from '../gateway/wire.ts';
import { type Session, sessionOf, typedJson } from './session.ts';
import type { Terminal } from './terminal.ts';

interface MessageOptions {
  readonly timeout?: string;
  readonly priority?: string;
  readonly key?: string;
}

/** Adds the commands to their group. */
export function addMessageCommands(agents: Command, terminal: Terminal): void {
  message(agents, terminal, 'call')
    .description('ask an agent to do something, and print its answer')
    .option('--timeout <span>', 'how long to wait, like 30s (default: that of the type)');
  message(agents, terminal, 'send').description('send a message, without waiting for its answer');
  agents
    .command('signal')
    .description('give a signal to a task that waits for it')
    .argument('<address>', 'type/key')
    .argument('<signal>', 'the name of the signal')
    .argument('[data]', 'its data as JSON; - reads standard input')
    .option('--run <run>', 'the run that it is for (default: the first that waits for it)')
    .action(async (...given: [string, string, string?, { run?: string }?, Command?]) => {
      const [address, signal, data, options, command] = given;
      const session = sessionOf(terminal, command as Command); // Commander always passes it last.
      const body = { signal, run: options?.run, data: await typedJson(terminal, 'data', data) };
      const answer = await session.ask({
        method: 'POST',
        path: ['agents', address, 'signal'],
        body,
      });
      session.show(answer, () => `the signal ${signal} is recorded at ${address}\n`);
    });
}

function message(agents: Command, terminal: Terminal, verb: 'call' | 'send'): Command {
  return agents
    .command(verb)
    .argument('<address>', 'type/key')
    .argument('<action>', 'what it is asked to do')
    .argument('[input]', 'the input as JSON; - reads standard input')
    .addOption(
      new Option('--priority <lane>', 'the lane of the mailbox').choices(['high', 'normal', 'low']),
    )
    .option('--key <key>', 'an idempotency key: the same key takes effect once')
    .action(async (...given: [string, string, string?, MessageOptions?, Command?]) => {
      const [address, action, input, options = {}, command] = given;
      const session = sessionOf(terminal, command as Command); // Commander always passes it last.
      const { timeout, priority, key: idempotencyKey } = options;
      const body = {
        action,
        input: await typedJson(terminal, 'the input', input),
        timeout: timeout === undefined ? undefined : spanOf(timeout),
        priority,
        idempotencyKey,
      };
      const answer = await session.ask({ method: 'POST', path: ['agents', address, verb], body });
      showAnswer(session, answer);
    });
}

interface MessageAnswer {
  readonly value?: unknown;
  readonly messageId?: string;
}

function showAnswer(session: Session, answer: Json): void {
  session.show(answer, ({ value, messageId }: MessageAnswer) => {
    if (messageId !== undefined) return `sent as ${messageId}\n`;
    return value === undefined ? '' : `${JSON.stringify(toWire(value), undefined, 2)}\n`;
  });
}

/** Bare digits are milliseconds, as everywhere. */
function spanOf(typed: string): string | number {
  return /^\d+$/.test(typed) ? Number(typed) : typed;
}
