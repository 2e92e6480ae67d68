/** Deep equality of plain data. */

/**
 * Whether two values hold the same plain data.
 *
 * @remarks Numbers are compared by `Object.is`, so `NaN` equals itself and `-0` differs from `0`. A
 * property that is `undefined` differs from one that is missing. The order of an object's keys does
 * not count; that of the entries of a `Map` and the members of a `Set` does. Two values that share
 * parts are compared fast, since what is identical is equal. Neither may hold a cycle.
 */
export function equalValues(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && equalArrays(a, b);
  if (Array.isArray(b)) return false;
  return isRecord(a) ? isRecord(b) && equalRecords(a, b) : equalBuiltIns(a, b);
}

function isRecord(value: object): value is Record<string, unknown> {
  return !(
    value instanceof Date ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Uint8Array
  );
}

function equalArrays(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) {
    if (!equalValues(a[index], b[index])) return false;
  }
  return true;
}

function equalRecords(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    const other = b[key];
    if (!equalValues(a[key], other)) return false;
    if (other === undefined && !Object.hasOwn(b, key)) return false;
  }
  return true;
}

function equalBuiltIns(a: object, b: object): boolean {
  if (a instanceof Date) return b instanceof Date && Object.is(a.getTime(), b.getTime());
  if (a instanceof Map) return b instanceof Map && equalMaps(a, b);
  if (a instanceof Set) return b instanceof Set && a.size === b.size && equalArrays([...a], [...b]);
  return a instanceof Uint8Array && b instanceof Uint8Array && equalBytes(a, b);
}

function equalMaps(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  const others = b.entries();
  for (const [key, value] of a) {
    const other = others.next().value;
    if (other === undefined || !equalValues(key, other[0]) || !equalValues(value, other[1])) {
      return false;
    }
  }
  return true;
}

/** Whether two runs of bytes are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
