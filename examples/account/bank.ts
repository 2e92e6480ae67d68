/**
 * The outside world of the example: a bank that honours idempotency keys, as real ones do. It keeps
 * its book in memory; with `BANK_BOOK=FILE` in that file, so that it outlives a process that is
 * killed, and with `BANK_MS` it takes its time.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** What the bank was asked, and what it did. */
export interface BankEntry {
  readonly event: 'asked' | 'did';
  readonly service: 'check' | 'transfer' | 'confirm';
  readonly key: string;
  /** What it answers. */
  readonly answer?: string;
}

/** Refuses amounts that the bank does not transfer. Changes nothing, so it may be asked again. */
export async function check(amount: number, idempotencyKey: string): Promise<void> {
  if (amount > 1_000_000) throw new Error('the bank transfers no more than 1,000,000');
  await serve('check', idempotencyKey, () => 'fine');
}

/** Transfers an amount once per key, and gives the receipt. */
export function transfer(
  amount: number,
  idempotencyKey: string,
  abortSignal: AbortSignal,
): Promise<string> {
  abortSignal.throwIfAborted();
  return serve('transfer', idempotencyKey, number => `receipt ${number} for ${amount}`);
}

/** Sends a letter with the receipt. */
export async function confirm(receipt: string, idempotencyKey: string): Promise<void> {
  await serve('confirm', idempotencyKey, () => `letter with ${receipt}`);
}

/** Whether the letter of a key was sent. */
export async function isConfirmed(idempotencyKey: string): Promise<boolean> {
  return answerTo('confirm', idempotencyKey) !== undefined;
}

const memory: BankEntry[] = [];

async function serve(
  service: BankEntry['service'],
  key: string,
  answerOf: (number: number) => string,
): Promise<string> {
  enter({ event: 'asked', service, key });
  await pause();
  let answer = answerTo(service, key);
  if (answer === undefined) {
    const done = entries().filter(entry => entry.event === 'did' && entry.service === service);
    answer = answerOf(done.length + 1);
    enter({ event: 'did', service, key, answer });
  }
  await pause();
  return answer;
}

function answerTo(service: BankEntry['service'], key: string): string | undefined {
  const isIt = (entry: BankEntry) =>
    entry.event === 'did' && entry.service === service && entry.key === key;
  return entries().find(isIt)?.answer;
}

function entries(): readonly BankEntry[] {
  const file = process.env.BANK_BOOK;
  if (file === undefined) return memory;
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  // Each line was written below.
  return lines.map(line => JSON.parse(line) as BankEntry);
}

function enter(entry: BankEntry): void {
  const file = process.env.BANK_BOOK;
  if (file === undefined) memory.push(entry);
  else appendFileSync(file, `${JSON.stringify(entry)}\n`);
}

async function pause(): Promise<void> {
  const ms = Number(process.env.BANK_MS ?? 0);
  if (ms > 0) await wait(ms);
}
