/** Equality that also looks at the order of keys, entries and members, and at classes. */

/** A text that differs for any two plain values that differ in content or order. */
export function fingerprint(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : `${value}`;
  const name = Object.getPrototypeOf(value)?.constructor.name;
  return `${name}(${partsOf(value)})`;
}

function partsOf(value: object): string {
  if (value instanceof Date) return `${value.getTime()}`;
  if (value instanceof Uint8Array) return value.join();
  if (value instanceof Map) {
    return [...value].map(([key, item]) => `${fingerprint(key)}=>${fingerprint(item)}`).join();
  }
  if (value instanceof Set || Array.isArray(value)) return [...value].map(fingerprint).join();
  const entries = Object.entries(value);
  return entries.map(([key, item]) => `${JSON.stringify(key)}:${fingerprint(item)}`).join();
}
