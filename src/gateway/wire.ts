/**
 * Values as JSON. What JSON can say is written as it is; what it cannot is an object with one key
 * that begins with `$`. A value that looks like such a tag itself is wrapped, so that every value
 * comes back as it was. What is absent and what is `undefined` look the same in an object, as they
 * do in JSON.
 *
 * | Value | On the wire |
 * |---|---|
 * | `Date` | `{ "$date": "2026-01-31T12:00:00.000Z" }` |
 * | `Map` | `{ "$map": [[key, value], …] }` |
 * | `Set` | `{ "$set": [value, …] }` |
 * | `bigint` | `{ "$bigint": "12345678901234567890" }` |
 * | `Uint8Array` | `{ "$bytes": "base64" }` |
 * | `NaN`, infinities, `-0` | `{ "$number": "NaN" }` |
 * | `undefined` in a list | `{ "$undefined": true }` |
 * | an object with one of these keys alone | `{ "$object": { … } }` |
 */
import { TroupeError } from '../core/errors.ts';
import { previewOf, valueDepthMax } from '../core/values.ts';

/** Anything that `JSON.parse` gives. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A value as JSON. The value is plain data, as everything that an agent gives out. */
export function toWire(value: unknown): Json {
  switch (typeof value) {
    case 'undefined':
      return { $undefined: true };
    case 'number':
      return isJsonNumber(value) ? value : { $number: Object.is(value, -0) ? '-0' : String(value) };
    case 'bigint':
      return { $bigint: String(value) };
    case 'object':
      return value === null ? null : objectToWire(value);
    default:
      // Plain data has nothing else but booleans and strings.
      return value as boolean | string;
  }
}

/**
 * The value that JSON stands for.
 *
 * @throws `INVALID_INPUT` when a tag holds what it cannot hold, or the nesting is too deep.
 */
export function fromWire(json: Json): unknown {
  return decoded(json, 0);
}

function objectToWire(value: object): Json {
  if (Array.isArray(value)) return value.map(toWire);
  if (value instanceof Date) return { $date: dateText(value) };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (value instanceof Set) return { $set: [...value].map(toWire) };
  if (value instanceof Map) {
    return { $map: [...value].map(([key, item]) => [toWire(key), toWire(item)]) };
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const record = Object.fromEntries(entries.map(([key, item]) => [key, toWire(item)]));
  return tagOf(record) === undefined ? record : { $object: record };
}

function decoded(json: Json, depth: number): unknown {
  if (typeof json !== 'object' || json === null) return json;
  // A tag is a level of its own, so a little more is let through here than the copy allows.
  if (depth > valueDepthMax * 2) throw refusal('the value is nested too deeply');
  if (isList(json)) return json.map(item => decoded(item, depth + 1));
  const tag = tagOf(json);
  if (tag !== undefined) return tags[tag](json[tag] ?? null, depth + 1);
  return Object.fromEntries(
    Object.entries(json).map(([key, item]) => [key, decoded(item, depth + 1)]),
  );
}

type Read = (content: Json, depth: number) => unknown;

const tags = {
  $date: content => {
    if (content === 'invalid') return new Date(Number.NaN);
    const date = new Date(textIn('$date', content));
    if (Number.isNaN(date.getTime())) throw unfit('$date', content);
    return date;
  },
  $map: (content, depth) => {
    const entries = listIn('$map', content).map(entry => {
      if (!isList(entry) || entry.length !== 2) throw unfit('$map', entry);
      const [key = null, item = null] = entry;
      return [decoded(key, depth), decoded(item, depth)] as const;
    });
    return new Map(entries);
  },
  $set: (content, depth) => new Set(listIn('$set', content).map(item => decoded(item, depth))),
  $bigint: content => {
    const text = textIn('$bigint', content);
    if (!/^-?\d+$/.test(text)) throw unfit('$bigint', content);
    return BigInt(text);
  },
  $bytes: content => {
    const text = textIn('$bytes', content);
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw unfit('$bytes', content);
    return new Uint8Array(Buffer.from(text, 'base64'));
  },
  $number: content => {
    const number = numbers.get(textIn('$number', content));
    if (number === undefined) throw unfit('$number', content);
    return number;
  },
  $undefined: () => undefined,
  $object: (content, depth) => {
    if (typeof content !== 'object' || content === null || isList(content)) {
      throw unfit('$object', content);
    }
    return Object.fromEntries(
      Object.entries(content).map(([key, item]) => [key, decoded(item, depth)]),
    );
  },
} as const satisfies Readonly<Record<string, Read>>;

const numbers = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
]);

/** The tag that an object consists of, if it does. */
function tagOf(record: { readonly [key: string]: Json }): keyof typeof tags | undefined {
  const keys = Object.keys(record);
  const [key = ''] = keys;
  // The look-up above is by own names only.
  return keys.length === 1 && Object.hasOwn(tags, key) ? (key as keyof typeof tags) : undefined;
}

function isJsonNumber(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

function dateText(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'invalid' : date.toISOString();
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

function textIn(tag: string, content: Json): string {
  if (typeof content === 'string') return content;
  throw unfit(tag, content);
}

function listIn(tag: string, content: Json): readonly Json[] {
  if (isList(content)) return content;
  throw unfit(tag, content);
}

function unfit(tag: string, content: Json): TroupeError {
  return refusal(
    `"${tag}" cannot hold ${previewOf(content)}; see the table of tags in the reference`,
  );
}

function refusal(detail: string): TroupeError {
  return new TroupeError('INVALID_INPUT', { detail });
}
