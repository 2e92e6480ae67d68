/** What laws are written with: they say what must be, and throw when it is not. */
import { type ErrorCode, errorCodes } from '../core/error-codes.ts';
import { TroupeError, textOf } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { within } from './laws.ts';

/** Throws unless the condition holds. */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`must hold: ${what}`);
}

/** Throws unless both are the same plain data. */
export function mustEqual(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [describe(actual), describe(expected)];
  if (is !== should) throw new Error(`${what}: is ${cut(is)}, must be ${cut(should)}`);
}

/** Throws unless the promise rejects with this code, and returns the error. */
export async function mustFail(
  promise: Promise<unknown>,
  code: ErrorCode,
  what: string,
): Promise<TroupeError> {
  const error = await failureOf(promise, what);
  if (error.code === code) return error;
  throw new Error(`${what}: failed with ${error.message}, must fail with ${code}`);
}

/** Throws unless the promise rejects with a code there is, and returns the error. */
export async function failureOf(promise: Promise<unknown>, what: string): Promise<TroupeError> {
  try {
    await promise;
  } catch (error) {
    if (TroupeError.is(error) && error.code in errorCodes) return error;
    throw new Error(`${what}: threw a foreign error: ${textOf(error)}`, { cause: error });
  }
  throw new Error(`${what}: must fail, and did not`);
}

/** The promise, which a law awaits later: should it fail before, nobody is to miss this one. */
export function started<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined);
  return promise;
}

/** The UTF-8 bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text of UTF-8 bytes. */
export function readText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

/** Bytes of a length that repeat no short pattern. */
export function patternBytes(length: number, start = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++)
    bytes[index] = (index * 31 + (index >> 8) + start) & 255;
  return bytes;
}

/** Whether two byte strings are equal. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** What has been collected, and a way to wait until it is so many. */
export class Collected<Item> {
  readonly items: Item[] = [];
  readonly #clock: Clock;
  #waiting: {
    readonly isMet: (items: readonly Item[]) => boolean;
    readonly resolve: () => void;
  }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds an item. */
  add(item: Item): void {
    this.items.push(item);
    const met = this.#waiting.filter(({ isMet }) => isMet(this.items));
    this.#waiting = this.#waiting.filter(each => !met.includes(each));
    for (const { resolve } of met) resolve();
  }

  /** Waits until the condition holds; rejects when it takes too long. */
  async until(isMet: (items: readonly Item[]) => boolean): Promise<readonly Item[]> {
    if (isMet(this.items)) return this.items;
    const met = new Promise<void>(resolve => {
      this.#waiting.push({ isMet, resolve });
    });
    await within(this.#clock, met);
    return this.items;
  }

  /** Waits until there are so many. */
  count(length: number): Promise<readonly Item[]> {
    return this.until(items => items.length >= length);
  }
}

/** Lets time pass on the clock. */
export function pass(clock: Clock, delayMs: number): Promise<void> {
  return new Promise(resolve => {
    clock.setTimer(delayMs, resolve);
  });
}

function describe(value: unknown): string {
  return JSON.stringify(plain(value));
}

/** As JSON could say it, without losing what JSON drops. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (value === undefined) return 'undefined';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(fields.map(([key, field]) => [key, plain(field)]));
}

function cut(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}… (${text.length} characters)`;
}
