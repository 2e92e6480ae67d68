/**
 * Writes `docs/reference/errors.md` from the texts beside the codes, so that both say the same.
 * `node scripts/error-reference.ts` writes it; with `--check` it only says whether it is in step.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, type ErrorCodeText, errorCodes } from '../src/core/error-codes.ts';

const page = fileURLToPath(new URL('../docs/reference/errors.md', import.meta.url));

/** The text of the page. */
export function errorReference(): string {
  const texts: Record<ErrorCode, ErrorCodeText> = errorCodes;
  const rows = Object.entries(texts).map(
    ([code, { outcome, meaning, remedy }]) =>
      `| \`${code}\` | ${outcome} | ${meaning} | ${remedy} |`,
  );
  return [...preface, ...rows, ''].join('\n');
}

const preface = [
  '# Errors',
  '',
  '<!-- Written by scripts/error-reference.ts from src/core/error-codes.ts: change the texts there. -->',
  '',
  'Everything that fails, fails with a `TroupeError`. Its `code` is one of those below. Its `outcome`',
  'says whether what you asked for ran:',
  '',
  '- `not-executed`: it did not run and will not run.',
  '- `rolled-back`: it ran, and left no trace.',
  '- `executed`: it ran, and what it did stands; only the answer is a failure.',
  '- `unknown`: it may have run or may still run. Retry only with the same `idempotencyKey`.',
  '',
  'The table gives the usual outcome of each code. The error itself may say otherwise, and then the',
  'error is right: a deadline that passed while the message still waited in a queue is `not-executed`.',
  '`troupe explain CODE` prints the same texts.',
  '',
  '| Code | Usual outcome | What happened | What to do |',
  '|---|---|---|---|',
];

if (import.meta.main) {
  const isCheck = process.argv.includes('--check');
  if (!isCheck) writeFileSync(page, errorReference());
  else if (readFileSync(page, 'utf8') !== errorReference()) {
    process.stderr.write(
      'docs/reference/errors.md is out of step: node scripts/error-reference.ts\n',
    );
    process.exitCode = 1;
  }
}
