/** A short name for plain data: the same for equal values, in whatever order their keys came. */
import { encodeValue } from './codec.ts';
import { hexHash } from './hash.ts';

/**
 * The fingerprint of a value, as 32 hexadecimal digits. The order of an object's keys does not
 * count; that of the entries of a `Map` and the members of a `Set` does.
 */
export function fingerprint(value: unknown): string {
  return hexHash(encodeValue(sorted(value)));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  if (value instanceof Date || value instanceof Uint8Array) return value;
  if (value instanceof Set) return new Set([...value].map(sorted));
  if (value instanceof Map)
    return new Map([...value].map(([key, part]) => [sorted(key), sorted(part)]));
  const record = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(record)
      .sort()
      .map(key => [key, sorted(record[key])]),
  );
}
