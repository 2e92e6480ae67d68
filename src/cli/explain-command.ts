/** `troupe explain`: what an error code means, without a node and without a network. */
import type { Command } from 'commander';
import { suggestionFor } from '../agent/suggest.ts';
import { type ErrorCode, errorCodes } from '../core/error-codes.ts';
import { usageError } from './exit-codes.ts';
import { sessionOf } from './session.ts';
import { fieldsText, type Table } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Adds the command. */
export function addExplainCommand(program: Command, terminal: Terminal): void {
  program
    .command('explain')
    .description('say what an error code means and what to do about it')
    .argument('[code]', 'like MAILBOX_FULL; all of them when left out')
    .action((code: string | undefined, _options: object, command: Command) => {
      const session = sessionOf(terminal, command);
      if (code === undefined) session.show(Object.entries(errorCodes).map(textsOf), codesTable);
      else session.show(textsOf([knownCode(code), errorCodes[knownCode(code)]]), codeText);
    });
}

interface CodeAnswer {
  readonly [field: string]: string;
  readonly code: string;
  readonly outcome: string;
  readonly meaning: string;
  readonly remedy: string;
}

type Texts = Omit<CodeAnswer, 'code'>;

function textsOf([code, { outcome, meaning, remedy }]: readonly [string, Texts]): CodeAnswer {
  // What the texts leave undefined they do not have: each code has all three.
  return { code, outcome, meaning, remedy } as CodeAnswer;
}

function knownCode(typed: string): ErrorCode {
  const codes = Object.keys(errorCodes) as ErrorCode[];
  const code = codes.find(one => one === typed.toUpperCase());
  if (code !== undefined) return code;
  throw usageError(`there is no error code ${JSON.stringify(typed)}${suggestionFor(typed, codes)}`);
}

function codesTable(codes: readonly CodeAnswer[]): Table {
  return {
    columns: ['CODE', 'OUTCOME', 'MEANING'],
    rows: codes.map(({ code, outcome, meaning }) => [code, outcome, meaning]),
  };
}

function codeText({ code, outcome, meaning, remedy }: CodeAnswer): string {
  return fieldsText([
    ['code', code],
    ['usual outcome', outcome],
    ['what happened', meaning],
    ['what to do', remedy],
  ]);
}
