/** One run of a command: its options, the node that it asks, and how its answer is shown. */
import type { Command } from 'commander';
import { textOf } from '../core/errors.ts';
import { fromWire, type Json } from '../gateway/wire.ts';
import { AdminClient, type AdminRequest } from './admin-client.ts';
import { usageError } from './exit-codes.ts';
import { type GlobalOptions, locateNode } from './locate-node.ts';
import { printable, type Table, tableText } from './table.ts';
import type { Terminal } from './terminal.ts';

/** A command that runs. */
export interface Session {
  readonly terminal: Terminal;
  readonly options: GlobalOptions;
  /** Asks the node. */
  ask(request: AdminRequest): Promise<Json>;
  /** Asks the node for an answer in lines. */
  lines(request: AdminRequest): AsyncGenerator<Json>;
  /** Shows an answer: as it is with `--json`, and else as `toText` says it. */
  show(answer: Json, toText: (value: never) => string | Table): void;
}

/** The session of a command whose options were read. */
export function sessionOf(terminal: Terminal, command: Command): Session {
  const options = command.optsWithGlobals<GlobalOptions>();
  let client: AdminClient | undefined;
  const open = (): AdminClient => {
    client ??= new AdminClient(locateNode(options, terminal.env));
    return client;
  };
  return {
    terminal,
    options,
    ask: async request => open().ask(request),
    lines: request => open().lines(request),
    show(answer, toText) {
      if (options.json === true) {
        terminal.write(`${printable(JSON.stringify(answer))}\n`);
        return;
      }
      // Each command knows what its own request is answered with.
      const text = toText(fromWire(answer) as never);
      terminal.write(
        typeof text === 'string' ? printable(text) : tableText(text, terminal.hasColour),
      );
    },
  };
}

/**
 * JSON that was typed, or with `-` comes from standard input; nothing stays nothing.
 *
 * @throws A usage error when it is no JSON.
 */
export async function typedJson(
  terminal: Terminal,
  what: string,
  typed: string | undefined,
): Promise<Json | undefined> {
  if (typed === undefined) return undefined;
  const text = typed === '-' ? await terminal.readInput() : typed;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw usageError(`${what} is not JSON: ${textOf(error)}; a text is written '"so"'`);
  }
}

/** A whole number that was typed. */
export function typedCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw usageError(`${JSON.stringify(text)} is not a whole number`);
}
