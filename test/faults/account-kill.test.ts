/**
 * The pay-out of the example as a program: killed inside its steps and while it waits, attended to
 * from outside through the command line.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { BankEntry } from '../../examples/account/bank.ts';
import { folderOf } from '../helpers/folder-of.ts';
import { type RunningProgram, runProgram } from '../helpers/run-program.ts';

const inProject = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const program = inProject('examples/account/main.ts');
const command = inProject('src/cli/main.ts');

it('is killed inside each step and while it waits, and pays once', {
  timeout: 60_000,
}, async () => {
  using folder = folderOf({});
  const data = join(folder.path, 'data');
  const book = join(folder.path, 'bank.txt');
  const start = () =>
    runProgram([process.execPath, program, '30', '--data', data], {
      BANK_BOOK: book,
      BANK_MS: '400',
    });
  const troupe = (...parameters: string[]) => cli(data, parameters);

  await killWhen(start(), () => knows(book, 'check', 'asked'));
  await killWhen(start(), () => knows(book, 'transfer', 'did'));

  // The money has gone out, but nobody recorded it: a person has to say so.
  let running = start();
  await running.said(/a person has to say/);
  const [asking] = troupe('runs', 'ls', '--status', 'asking', '--json').items;
  troupe('runs', 'resolve', asking.id, 'transfer', '--value', '"receipt 1 for 30"');
  await running.said(/^transferred$/m);
  await running.kill();

  running = start();
  await running.said(/^transferred$/m);
  troupe('agents', 'signal', 'account/alice', 'approve', '{"by":"eve"}');
  await killWhen(running, () => knows(book, 'confirm', 'did'));

  running = start();
  expect(await running.ended).toMatchObject({ status: 0 });
  expect(running.output()).toMatch(/^receipt 1 for 30, approved by eve\nbalance: 0\n$/m);

  const done = entriesOf(book).filter(({ event }) => event === 'did');
  expect(done.map(({ service }) => service)).toEqual(['check', 'transfer', 'confirm']);
  const asked = entriesOf(book).filter(({ event }) => event === 'asked');
  expect(asked.map(({ service }) => service)).toEqual(['check', 'check', 'transfer', 'confirm']);
});

/** Kills a program as soon as something is so. */
async function killWhen(running: RunningProgram, isDue: () => boolean): Promise<void> {
  await running.until(isDue);
  await running.kill();
}

function entriesOf(book: string): BankEntry[] {
  if (!existsSync(book)) return [];
  return readFileSync(book, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
}

function knows(book: string, service: BankEntry['service'], event: BankEntry['event']): boolean {
  return entriesOf(book).some(entry => entry.service === service && entry.event === event);
}

/** Runs `troupe`; it must succeed. */
function cli(data: string, parameters: readonly string[]) {
  const given = [command, ...parameters, '--data', data];
  const { status, stdout, stderr } = spawnSync(process.execPath, given, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return parameters.includes('--json') ? JSON.parse(stdout) : stdout;
}
