/**
 * What a request of the admin API brings, checked field by field: bodies are JSON objects with
 * known fields only, and a parameter that is not understood is refused rather than ignored. Inputs
 * of actions and signals pass through; their schemas check them.
 */
import type { Context } from 'hono';
import { checkedOptions } from '../agent/contract-check.ts';
import { TroupeError, textOf } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';
import { fromWire, type Json } from './wire.ts';

/** No body of a request is larger, in bytes; larger ones get `PAYLOAD_TOO_LARGE`. */
export const adminBodyBytesMax: number = 8 << 20;

/** The fields of a request, not yet checked. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * The body of a request: a JSON object that has no other fields than these.
 *
 * @throws `INVALID_INPUT` when it is something else; `PAYLOAD_TOO_LARGE`.
 */
export async function bodyOf(context: Context, known: readonly string[]): Promise<Fields> {
  const type = context.req.header('content-type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw refusal(`the content type of the request is ${previewOf(type)}; send application/json`);
  }
  return fieldsOf('the body', parsedBody(await textOfBody(context)), known);
}

/**
 * The query of a request, with no other parameters than these.
 *
 * @throws `INVALID_INPUT` when there is another one, or one twice.
 */
export function queryOf(context: Context, known: readonly string[]): Fields {
  const entries = Object.entries(context.req.queries()).map(([name, values]) => {
    if (values.length > 1) throw refusal(`the parameter ${name} is there ${values.length} times`);
    return [name, values[0]] as const;
  });
  return fieldsOf('the query', Object.fromEntries(entries), known);
}

/** A text, or nothing. */
export function textField(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return value;
  throw refusal(`${name} is ${previewOf(value)}; it must be a text`);
}

/** A text that must be there. */
export function requiredText(fields: Fields, name: string): string {
  const value = textField(fields, name);
  if (value !== undefined && value !== '') return value;
  throw refusal(`${name} is missing`);
}

/** One of some words, or nothing. */
export function wordField<W extends string>(
  fields: Fields,
  name: string,
  words: readonly W[],
): W | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  const word = words.find(one => one === value);
  if (word !== undefined) return word;
  throw refusal(`${name} is ${previewOf(value)}; it must be one of ${words.join(', ')}`);
}

/** A whole number from 0 on, or nothing. In a query it is written in digits. */
export function countField(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
  throw refusal(`${name} is ${previewOf(value)}; it must be a whole number`);
}

/** A point in time as ISO 8601, or nothing. */
export function timeField(fields: Fields, name: string): Date | undefined {
  const text = textField(fields, name);
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw refusal(`${name} is ${previewOf(text)}; write a time like 2026-01-31T12:00:00Z`);
}

/** A yes or no, `false` when left out. In a query it is written as a word. */
export function flagField(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (value === undefined || value === false || value === 'false') return false;
  if (value === true || value === 'true') return true;
  throw refusal(`${name} is ${previewOf(value)}; it must be true or false`);
}

async function textOfBody(context: Context): Promise<string> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of context.req.raw.body ?? []) {
    chunks.push(chunk);
    byteCount += chunk.length;
    // What a header says of the length is not asked: the bytes are counted as they come.
    if (byteCount > adminBodyBytesMax) throw tooLarge();
  }
  return Buffer.concat(chunks).toString();
}

function tooLarge(): TroupeError {
  const detail = `the body of the request is larger than ${adminBodyBytesMax} bytes`;
  return new TroupeError('PAYLOAD_TOO_LARGE', { detail });
}

function fieldsOf(place: string, value: unknown, known: readonly string[]): Fields {
  try {
    return checkedOptions(place, value, known);
  } catch (error) {
    throw refusal(TroupeError.is(error) ? error.detail : textOf(error));
  }
}

function parsedBody(text: string): unknown {
  try {
    return fromWire(JSON.parse(text) as Json);
  } catch (error) {
    if (TroupeError.is(error)) throw error;
    throw refusal(`the body is not JSON: ${textOf(error)}`);
  }
}

function refusal(detail: string): TroupeError {
  return new TroupeError('INVALID_INPUT', { detail });
}
