/**
 * The pay-out of the example as a program that is killed and started again, with what a test needs
 * around it: the bank's book, which outlives it, and the command line.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BankEntry } from '../../examples/account/bank.ts';
import { type RunningProgram, runProgram } from '../helpers/run-program.ts';

/** A pay-out in the making. */
export interface PayOut {
  /**
   * Begins a life of the program, in which the bank takes so long before it does something, and as
   * long before it answers.
   */
  start(bankMs?: number): RunningProgram;
  /** Kills the life that was begun last as soon as the bank's book says so of it. */
  killWhen(running: RunningProgram, service: Service, event: BankEntry['event']): Promise<void>;
  /** Begins a life that is killed when the bank was asked, or did something without an answer. */
  lifeUntil(service: Service, event: BankEntry['event']): Promise<void>;
  /** What the bank was asked, or did, in order. */
  services(event: BankEntry['event']): readonly Service[];
  /** Runs `troupe` on the program's data; gives what it printed. It must succeed. */
  troupe(...parameters: readonly string[]): string;
  /** The run that waits for a person. */
  asking(): string;
}

type Service = BankEntry['service'];

/** Where a pay-out lies, and on which servers. */
export interface PayOutOptions {
  readonly directory: string;
  readonly order: string;
  readonly cluster: readonly string[] | undefined;
}

const inProject = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const program = inProject('examples/account/main.ts');
const command = inProject('src/cli/main.ts');
/** Nobody waits for the end of such a pause: the program is killed in it, however late. */
export const endlessMs = 20_000;
/** In a life that is killed after the bank did something, both pauses are waited for, or may be. */
export const killedMs = 800;
/** In one that goes on. */
const livingMs = 50;

/** A pay-out of 30. */
export function payOutOf({ directory, order, cluster }: PayOutOptions): PayOut {
  const data = join(directory, 'data');
  const book = join(directory, `${order}.txt`);
  const parameters = ['30', '--order', order, '--data', data];
  if (cluster !== undefined) parameters.push('--cluster', cluster.join(','));
  const entries = () => entriesOf(book);
  const troupe = (...given: readonly string[]) => {
    const all = [command, ...given, '--data', data];
    const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8' });
    if (status !== 0 || stderr !== '') throw new Error(`${given.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  let before = 0;
  const start: PayOut['start'] = (bankMs = livingMs) => {
    before = entries().length;
    const env = { BANK_BOOK: book, BANK_MS: String(bankMs) };
    return runProgram([process.execPath, program, ...parameters], env);
  };
  const killWhen: PayOut['killWhen'] = async (running, service, event) => {
    const isThere = (entry: BankEntry) => entry.service === service && entry.event === event;
    await running.until(() => entries().slice(before).some(isThere));
    await running.kill();
  };
  return {
    start,
    killWhen,
    lifeUntil: (service, event) =>
      killWhen(start(event === 'asked' ? endlessMs : killedMs), service, event),
    services: event =>
      entries()
        .filter(entry => entry.event === event)
        .map(({ service }) => service),
    troupe,
    asking: () => JSON.parse(troupe('runs', 'ls', '--status', 'asking', '--json')).items[0].id,
  };
}

function entriesOf(book: string): readonly BankEntry[] {
  if (!existsSync(book)) return [];
  const lines = readFileSync(book, 'utf8').split('\n');
  // Each line was written by the bank; the last one may not be whole yet.
  return lines.slice(0, -1).map(line => JSON.parse(line) as BankEntry);
}
